import { expect, test } from "vitest"
import { measuredTokens } from "../../../src/train/tuning/engine.js"

/** What Python's z[:: max(1, len(z) // 64)][:64] takes. */
test.each([
  [1, [0]],
  [64, Array.from({ length: 64 }, (_, i) => i)],
  [65, Array.from({ length: 64 }, (_, i) => i)],
  [130, Array.from({ length: 64 }, (_, i) => 2 * i)],
  [129, Array.from({ length: 64 }, (_, i) => 2 * i)],
])("of %i tokens, those that the recorder measures", (count, expected) => {
  expect(measuredTokens(count)).toEqual(expected)
})
