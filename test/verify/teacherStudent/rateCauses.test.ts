import { Fraction } from "fraction.js"
import { describe, expect, test } from "vitest"
import { schemeNamed } from "../../../src/scheme/catalogue.js"
import { boundsOfRate } from "../../../verify/teacherStudent/boundOfRate.js"
import { provenBound } from "../../../verify/teacherStudent/provenBound.js"
import { crossover } from "../../../verify/teacherStudent/rateCauses.js"
import type { RateLaw } from "../../../verify/teacherStudent/teacherStudent.js"

const WIDTHS = [128, 512, 2048]

/** A law whose rates are constant · n^exponent, with an interval of ±0.05. */
function law(exponent: number, constant: number, readout = 0.5): RateLaw {
  const widths = WIDTHS.map((width) => {
    const rate = constant * width ** exponent
    return { width, rate, low: rate, high: rate, censored: 0 }
  })
  const interval = { low: exponent - 0.05, high: exponent + 0.05, level: 0.95 }
  return { scheme: "Init[B]", readout, level: "output", fit: { widths, slope: { exponent, interval } } }
}

test("Init[B]'s output has two bounds at o = 1/2 and one power at o = 1", () => {
  const bounds = (readout: number) => boundsOfRate({ scheme: "Init[B]", readout, level: "output" }).map(String)
  expect(bounds(0.5)).toEqual(["-1", "-0.75"])
  expect(bounds(1)).toEqual(["-0.5", "-0.5"])
})

describe("a crossover is a cause", () => {
  const steps = { steps: 100 }
  test("where the slope lies between the two powers and the second change is the larger one", () => {
    // η t √n at n = 2048: 2048^(−0.87) · 100 · √2048 = 5.96
    expect(crossover(law(-0.87, 1), steps)).toMatch(/is about \d+ at n = 128 and 6 at n = 2048/)
  })

  test.each([
    ["the second change is the smaller one", law(-0.87, 0.01)],
    ["the slope holds the bound", law(-1, 1)],
    ["the slope lies beyond both", law(-1.2, 1)],
    ["the slope lies above both", law(-0.6, 1)],
    ["both powers are one", law(-0.87, 1, 1)],
  ])("not where %s", (_, one) => {
    expect(crossover(one, steps)).toBeNull()
  })
})

test.each([
  ["init-a", "features", 0.5, "-1/2", "init-a-stable"],
  ["init-b", "features", 0.5, "-1", "init-b-features"],
  ["init-a", "output", 0.5, "-3/4", "output-init-a"],
  ["init-b", "output", 1, "-1/2", "output-init-b"],
  ["init-a", "output", 0.5, "-1/2", null],
] as const)("the theorem of %s, %s at o = %s and %s is %s", async (name, level, readout, bound, theorem) => {
  const found = await provenBound({ definition: schemeNamed(name), level, readout, bound: new Fraction(bound) })
  expect(found).toEqual(theorem && { theorem, checkers: ["kernel"] })
})
