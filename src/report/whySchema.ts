import { z } from "zod"

const Step = z.object({
  tensor: z.string(),
  formula: z.string().describe("the operation that gives it, in the names of its operands"),
  t: z.int().describe("the step after which the tensor is this; 0 for what is there before the first"),
  part: z.string().describe("the random tensors along which the part lies; empty for the even part"),
  rule: z.string(),
  terms: z
    .array(z.object({ step: z.int(), times: z.string() }))
    .describe("which earlier steps of this list the exponent is made of, counted from 0"),
  added: z.string().describe("what the rule adds: exponent = sum of times * (exponent of step) + added"),
  exponent: z.string(),
  assumptions: z.array(z.string()),
})
export type WhyStep = z.infer<typeof Step>

const Reasons = z.object({
  claim: z.string().describe("an inequality of the statement, or an exponent of the quantity"),
  because: z.string().describe("what asks for it"),
  where: z.string().describe("the piece of the statement, or where the quantity has the exponent"),
  form: z.string().describe("the exponent that the chain ends with"),
  using: z.array(z.string()).describe("equalities by which the claim is that of the form"),
  chain: z.array(Step),
})
export type WhyReason = z.infer<typeof Reasons>

/** The JSON of `derive --why`: a chain of steps for each inequality of a statement, or each exponent of a quantity. */
export const WhyJson = z.object({ of: z.string(), holds: z.string(), reasons: z.array(Reasons) })
export type WhyJson = z.infer<typeof WhyJson>
