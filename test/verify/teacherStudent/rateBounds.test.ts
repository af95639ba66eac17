import { describe, expect, test } from "vitest"
import { boundOfRate } from "../../../verify/teacherStudent/boundOfRate.js"

/**
 * arXiv 2406.08447 (features) and the two exponents of the output level, at the standard and the mean-field readout.
 */
describe.each([
  ["Init[A]", 0.5, "-1/2", "-3/4"],
  ["Init[A]", 1, "-1/2", "-1/2"],
  ["Init[B]", 0.5, "-1", "-1"],
  ["Init[B]", 1, "-1", "-1/2"],
] as const)("%s at o = %d", (scheme, readout, features, output) => {
  test("largest rates", () => {
    expect(boundOfRate({ scheme, readout, level: "features" }).toFraction()).toBe(features)
    expect(boundOfRate({ scheme, readout, level: "output" }).toFraction()).toBe(output)
  })
})
