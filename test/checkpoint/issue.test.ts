import { expect, test } from "vitest"
import { z } from "zod"
import { allowedBy, valueAt } from "../../src/checkpoint/issue.js"

test.each([
  [z.number(), "8", "a number"],
  [z.literal("silu"), "gelu", '"silu"'],
  [z.enum(["F32", "F16"]), "F4", '"F32", "F16"'],
  [z.number().int().positive(), 0, "more than 0"],
  [z.number().max(8), 9, "at most 8"],
  [z.record(z.string(), z.number()), [], "an object"],
])("%# what a schema allows is said in words", (schema, given, allowed) => {
  const read = z.object({ field: z.array(schema) }).safeParse({ field: [given] })
  const [issue] = read.error!.issues
  expect(allowedBy(issue!)).toBe(allowed)
  expect(valueAt({ field: [given] }, issue!)).toBe(given)
  expect(valueAt({}, issue!)).toBe(null)
})
