/** Fields that several kinds of sweep have. */
import { z } from "zod"
import { count, documented as field } from "../checked.js"
import { OPTIMISERS } from "../program/optimiser.js"

const whole = (least: number) => z.int().min(least)

export const widths = field(z.array(whole(1)).min(1), "the widths n: integers ≥ 1, one at least", [128, 256, 512])
export const seeds = field(
  z.union([whole(1), z.array(whole(0)).min(1)]),
  "how many seeds (1, 2, …), or a list of seeds: integers ≥ 0",
  5,
)
/** The number format, of the names that an experiment has; by default the first. */
export const precision = <const T extends readonly [string, ...string[]]>(names: T) =>
  field(z.enum(names).default(names[0]), `the number format: ${names.join(", ")}`, names[0])
/** What computes, of the names that an experiment has. */
export const backend = <const T extends readonly [string, ...string[]]>(names: T) =>
  field(z.enum(["auto", ...names]).default("auto"), `what computes it: auto, ${names.join(", ")}`, "auto")

const exponent = z.union([z.string(), z.number()])
const exponents = field(
  z.record(z.string(), z.union([exponent, z.array(exponent).min(1)])),
  "a value for each symbol of the scheme; a list gives a point for each of its values",
  { c: ["-1/2", "-1"] },
)
const schemeName = field(
  z.union([z.string(), z.record(z.string(), z.unknown())]),
  "a scheme of the catalogue (lora-scaling schemes), a file with one, or its fields",
  "init-a",
)

/** A scheme in a configuration: its name or file, at its own example, or with values and another optimiser. */
const SchemeEntry = field(
  z.union([
    z.string(),
    z.strictObject({
      scheme: schemeName,
      set: exponents.optional(),
      optimiser: field(z.string(), Object.keys(OPTIMISERS).join(", "), "adam").optional(),
    }),
  ]),
  "the name of a scheme or a file with one, at its own example, or { scheme, set, optimiser }",
  { scheme: "init-a", set: { c: "-1/2" } },
)
export type SchemeEntry = z.infer<typeof SchemeEntry>

export const schemes = field(z.array(SchemeEntry).min(1), "the schemes, one at least", [
  { scheme: "init-a", set: { c: "-1/2" } },
])

export const positive = z.number().positive()
export const rates = field(
  z.union([
    z.array(positive).min(1),
    z
      .strictObject({
        from: field(positive, "the lowest rate: a number > 0", 1e-5),
        to: field(positive, "the highest rate: a number ≥ from", 10),
        perDecade: count(1, "rates per factor of ten", 3),
        refine: count(0, "how often to halve the spacing around each minimum; 0 is the plain grid", 3).default(0),
        follow: count(
          0,
          "how many rates to measure on either side of each minimum, beginning at a width where the next narrower one had it; the narrowest is measured at all rates, and with 0 all are",
          2,
        ).default(0),
      })
      .refine(({ from, to }) => from <= to, { path: ["to"] })
      .refine(({ refine, follow }) => refine === 0 || follow === 0, { path: ["follow"] }),
  ]),
  "a list of rates > 0, or a grid { from, to, perDecade, refine or follow }",
  { from: 1e-5, to: 10, perDecade: 3 },
)

export const ratio = field(positive.default(1), "the rate of B in units of that of A: a number > 0", 1)

/** The names of the kinds, as a refusal lists them. */
export const EXPERIMENTS = "theory, teacher-student or finetune"

/** A kind's fields. */
export const kind = <T extends z.ZodType>(schema: T, experiment: string) =>
  field(schema, `an object whose field experiment is ${EXPERIMENTS}`, { experiment })
