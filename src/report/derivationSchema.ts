import { z } from "zod"
import { WhyJson } from "./whySchema.js"

const Quantity = z.object({
  steps: z.array(z.string()).describe("exponents at t = 1, 2, …; the last one holds for all later t"),
  limit: z.string().describe("by region where it is not continuous"),
  from: z
    .int()
    .nullable()
    .describe("the first t from which the limit holds, but where `late`; null if that is everywhere"),
  relation: z.enum(["equal", "atMost"]),
  grows: z.string().describe("where the exponent grows without end as t does; the limit holds elsewhere"),
  falls: z.string().describe("where it falls without end"),
})

/** The JSON of `derive`: exponents and conditions are texts of the command line's grammar. */
export const DerivationJson = z.object({
  schema: z.literal("lora-scaling/derive/1"),
  scheme: z.string(),
  optimiser: z.string(),
  symbols: z.array(z.string()),
  switches: z.object({
    stableIncludesZA: z.boolean(),
    level: z.enum(["features", "output"]),
    from: z.int().nullable(),
  }),
  quantities: z.record(z.string(), Quantity).describe("f is the adapter's change of the output"),
  stable: z.string(),
  internallyStable: z.string(),
  stableOutput: z.string().describe("f = O(1) for all t"),
  stableSites: z
    .record(z.string(), z.string())
    .describe("zB = O(1) for all t at each of several sites, by their names"),
  featureLearning: z.string().nullable().describe("null where the model has no deltas"),
  efficient: z.string().nullable(),
  largestRate: z.object({ features: z.string().nullable(), output: z.string().nullable() }),
  regions: z
    .array(z.object({ where: z.string(), limits: z.record(z.string(), z.string()) }))
    .describe("the phase diagram: per polyhedron the limit of each quantity as one affine form, or grows or falls"),
  late: z.string().describe("where limits hold from a later t than is said, without a latest"),
  undecided: z.string().describe("symbols about which no statement is made"),
  unknown: z
    .array(z.string())
    .describe("why, where it is that some operation has no rule at such symbols")
    .exactOptional(),
  outgrown: z
    .string()
    .describe("of deep models: symbols at which features and output both exceed Θ(1), and no more is said")
    .exactOptional(),
  assumptions: z.array(z.string()),
  why: WhyJson.optional().describe("with --why"),
})
export type DerivationJson = z.infer<typeof DerivationJson>
