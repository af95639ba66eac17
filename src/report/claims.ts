import { z } from "zod"

const interval = z.tuple([z.number().nullable(), z.number().nullable()]).describe("95 % interval; null is unbounded")

/** The JSON of `verify`: derived beside measured, a verdict each. */
export const ClaimsJson = z.object({
  schema: z.literal("lora-scaling/verify/1"),
  claims: z.array(
    z.object({
      id: z.string(),
      level: z.enum(["features", "output"]),
      scheme: z.string(),
      at: z.record(z.string(), z.string()),
      optimiser: z.string(),
      quantity: z.string(),
      step: z.int(),
      derived: z.string(),
      next: z.string().nullable().describe("the next term of the derived max"),
      slope: z.number().nullable().describe("plain log-log slope; null for a quantity that is zero"),
      slopeInterval: interval.nullable(),
      exponent: z.number().nullable().describe("the exponent that the verdict rests on"),
      interval: interval.nullable(),
      method: z.enum(["zero", "plain", "corrected"]),
      widths: z.array(z.int()),
      seeds: z.int(),
      verdict: z.enum(["agrees", "contradicts", "inconclusive"]),
      why: z.string(),
      cause: z
        .string()
        .nullable()
        .describe("for a contradiction, the assumption of the derivation that was seen to fail; null if none was"),
    }),
  ),
})
export type ClaimsJson = z.infer<typeof ClaimsJson>
