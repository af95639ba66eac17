import { describe, expect, test } from "vitest"
import { CLASS_METRICS, lastNumber } from "../../../src/train/tuning/metrics.js"

describe("metrics of classes", () => {
  // As scikit-learn's documentation computes them: matthews_corrcoef([+1, +1, +1, -1], [+1, -1, +1, +1]) = -0.33,
  // f1_score([0, 1, 2, 0, 1, 2], …) of class 1 below by hand: tp 2, fp 1, fn 1.
  test("are the published ones", () => {
    expect(CLASS_METRICS.matthews!([1, 0, 1, 1], [1, 1, 1, 0])).toBeCloseTo(-1 / 3)
    expect(CLASS_METRICS.f1!([1, 1, 1, 0, 0], [1, 1, 0, 1, 0])).toBeCloseTo(2 / 3)
    expect(CLASS_METRICS.accuracy!([0, 2, 1, 1], [0, 2, 2, 1])).toBe(0.75)
  })

  test("one class predicted throughout correlates with nothing", () => {
    expect(CLASS_METRICS.matthews!([1, 1], [1, 0])).toBe(0)
    expect(CLASS_METRICS.f1!([0, 0], [1, 0])).toBe(0)
  })
})

test.each([
  ["So 5 + 7 = 12.\n#### 12", "12"],
  ["The total is $1,234.50 then", "1234.5"],
  ["it fell by -3", "-3"],
  ["none", null],
])("the last number of %j", (text, number) => {
  expect(lastNumber(text)).toBe(number)
})
