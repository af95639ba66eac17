import { expect, test } from "vitest"
import { adamwStep, clipNorm, rateAt, trained } from "../../src/train/adamw.js"

test("AdamW's first two steps, by hand", () => {
  const one = trained(Float32Array.of(2, -1))
  const by = { rate: 0.1, beta1: 0.5, beta2: 0.75, epsilon: 0, weightDecay: 0.5 }
  // Bias-corrected moments of the first step are g and g²: each entry moves by the rate, after a decay by 0.05.
  adamwStep(one, Float32Array.of(3, -0.01), 1, by)
  expect([...one.value].map((x) => x.toFixed(6))).toEqual(["1.800000", "-0.850000"])
  // m = 0.75, v = 0.75² · 3 in units of g = 3 and 0: m̂ = 1/3, v̂ = 3/7 of g and g², so g/√… = (1/3) / √(3/7).
  adamwStep(one, Float32Array.of(0, 0), 2, by)
  expect(one.value[0]).toBeCloseTo(1.8 * 0.95 - 0.1 * (1 / 3 / Math.sqrt(3 / 7)), 6)
})

test("gradients are scaled to the bound on their joint norm, and left alone below it", () => {
  const [x, y] = [Float32Array.of(3), Float32Array.of(0, 4)]
  expect(clipNorm([x, y], 10)).toBe(5)
  expect([...x, ...y]).toEqual([3, 0, 4])
  clipNorm([x, y], 1)
  expect([...x, ...y].map((g) => g.toFixed(5))).toEqual(["0.60000", "0.00000", "0.80000"])
})

test("the rate rises, then falls in a line or stays", () => {
  const given = { rate: 1, warmup: 2, steps: 6 }
  const rates = (decay: "linear" | "none") => [1, 2, 3, 4, 5, 6].map((t) => rateAt(t, { ...given, decay }))
  expect(rates("linear")).toEqual([0, 0.5, 1, 0.75, 0.5, 0.25])
  expect(rates("none")).toEqual([0, 0.5, 1, 1, 1, 1])
})
