import { describe, expect, test } from "vitest"
import {
  CASES,
  type Coverage,
  coverageOf,
  intervalCoverage,
  judgeCoverage,
  shareError,
} from "../../../verify/coverage/intervalCoverage.js"

const REPETITIONS = 60
/** Where the true coverage is 93 %, fewer of 60 are covered less than once in a thousand times (binomial). */
const LEAST = 49

describe("coverage of 95 % intervals over a few repetitions", () => {
  test.each(CASES.map((each) => [`${each.fit}: ${each.name}`, each] as const))("%s", (_, each) => {
    expect(coverageOf(each, REPETITIONS).covered).toBeGreaterThanOrEqual(LEAST)
  })
})

test("the experiment ticks once a kind of data", () => {
  expect(intervalCoverage.tasks({ size: "full", seeds: 1 })).toBe(CASES.length)
})

test("an interval of half its length is found out", () => {
  const [each] = CASES
  const halved = {
    ...each!,
    interval: (draw: (count: number) => Float64Array) => {
      const { low, high, level } = each!.interval(draw)!
      const [middle, half] = [(low + high) / 2, (high - low) / 4]
      return { low: middle - half, high: middle + half, level }
    },
  }
  const coverage = coverageOf(halved, 1000)
  expect(coverage.covered / 1000).toBeLessThan(0.8)
  expect(judgeCoverage(coverage)).toBe("contradicts")
})

test("four thousand repetitions decide, few only where they are far out", () => {
  const of = (covered: number, repetitions: number): Coverage => ({
    name: "",
    fit: "",
    exponent: 0,
    repetitions,
    covered,
    undecided: 0,
    medianWidth: 1,
  })
  expect([3719, 3720, 3880, 3881].map((covered) => judgeCoverage(of(covered, 4000)))).toEqual([
    "contradicts",
    "agrees",
    "agrees",
    "contradicts",
  ])
  expect([60, 90, 100].map((covered) => judgeCoverage(of(covered, 100)))).toEqual([
    "contradicts",
    "inconclusive",
    "inconclusive",
  ])
  expect(shareError(1000)).toBeCloseTo(0.0069, 4)
})
