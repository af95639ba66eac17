import { z } from "zod"
import { checked, documented } from "../checked.js"
import { OPTIMISERS } from "../program/optimiser.js"
import { ACTIVATIONS } from "../train/teacherStudent.js"
import { BACKENDS, PRECISIONS } from "./choices.js"

const whole = (least: number) => z.int().min(least)
const field = documented

const count = (least: number, what: string, example: number) =>
  field(whole(least), `${what}: an integer ≥ ${least}`, example)

const widths = field(z.array(whole(1)).min(1), "the widths n: integers ≥ 1, one at least", [128, 256, 512])
const seeds = field(
  z.union([whole(1), z.array(whole(0)).min(1)]),
  "how many seeds (1, 2, …), or a list of seeds: integers ≥ 0",
  5,
)
const precision = <const T extends readonly [string, ...string[]]>(names: T) =>
  field(z.enum(names).default(names[0]), `the number format: ${names.join(", ")}`, names[0])
const backend = <const T extends readonly [string, ...string[]]>(names: T) =>
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

const config = <T extends z.ZodType>(schema: T, experiment: string) =>
  field(schema, "an object whose field experiment is theory or teacher-student", { experiment })

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

const schemes = field(z.array(SchemeEntry).min(1), "the schemes, one at least", [
  { scheme: "init-a", set: { c: "-1/2" } },
])

const Theory = config(
  z.strictObject({
    experiment: field(z.literal("theory"), "theory or teacher-student", "theory"),
    schemes,
    widths,
    seeds,
    steps: count(1, "training steps", 3),
    rank: count(1, "the rank at width 1", 4).default(4),
    precision: precision(PRECISIONS.theory),
    backend: backend(BACKENDS.theory),
  }),
  "theory",
)

const positive = z.number().positive()
const rates = field(
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

const TeacherStudent = config(
  z.strictObject({
    experiment: field(z.literal("teacher-student"), "theory or teacher-student", "teacher-student"),
    schemes,
    widths,
    rates,
    ratio: field(positive.default(1), "the rate of B in units of that of A: a number > 0", 1),
    seeds,
    steps: count(1, "training steps", 100),
    rank: count(1, "the rank", 4).default(4),
    inputs: count(1, "the input dimension", 5).default(5),
    samples: count(2, "the samples N", 256).default(256),
    teacherWidth: count(1, "the teacher's width", 64).default(64),
    readouts: field(
      z.array(z.number()).min(1).default([0.5]),
      "exponents o of the readout's entries N(0, n^(-2o)): numbers",
      [0.5, 1],
    ),
    precision: precision(PRECISIONS["teacher-student"]),
    backend: backend(BACKENDS["teacher-student"]),
    activations: field(
      z.enum(ACTIVATIONS).default(ACTIVATIONS[0]),
      `how a GPU stores the frozen activations: ${ACTIVATIONS.join(", ")}`,
      ACTIVATIONS[0],
    ),
  }),
  "teacher-student",
)

/**
 * A sweep's configuration file: the theory's setting, or the teacher-student experiment. Unknown fields are refused.
 */
export const SweepConfig = z.discriminatedUnion("experiment", [Theory, TeacherStudent])
export type SweepConfig = z.infer<typeof SweepConfig>
export type TheoryConfig = z.infer<typeof Theory>
export type TeacherStudentSweep = z.infer<typeof TeacherStudent>

/** The value as a configuration, defaults filled in. @throws InputError as `checked`. */
export function checkedConfig(value: unknown): SweepConfig {
  const { experiment } = (value ?? {}) as { experiment?: unknown }
  return checked(experiment === "teacher-student" ? TeacherStudent : Theory, value, "config")
}
