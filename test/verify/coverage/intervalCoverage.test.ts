import { describe, expect, test } from "vitest"
import { CASES, coverageOf, intervalCoverage } from "../../../verify/coverage/intervalCoverage.js"
import { TABLE_KINDS, tableCoverage } from "../../../verify/coverage/runTables.js"
import { judgeShare, shareError } from "../../../verify/coverage/shares.js"

const REPETITIONS = 60
/** Where the true coverage is 93 %, fewer of 60 are covered less than once in a thousand times (binomial). */
const LEAST = 49

describe("coverage of 95 % intervals over a few repetitions", () => {
  test.each(CASES.map((each) => [`${each.fit}: ${each.name}`, each] as const))("%s", (_, each) => {
    expect(coverageOf(each, REPETITIONS).covered).toBeGreaterThanOrEqual(LEAST)
  })
})

const TABLES = 40
/** Where the true coverage is 93 %, fewer of 40 are covered less than once in a thousand times (binomial). */
const LEAST_TABLES = 31

test.each(TABLE_KINDS.map((kind) => [kind.name, kind] as const))(
  "tables of runs: intervals of the best rate and of the edge, and no best rate beyond the edge: %s",
  (_, kind) => {
    const { optimum, edge, optimumBetween, edgeBetween, beyond } = tableCoverage(kind, TABLES)
    expect(optimum.held).toBeGreaterThanOrEqual(LEAST_TABLES)
    expect(edge.held).toBeGreaterThanOrEqual(LEAST_TABLES)
    // Of all widths: widths of one table are independent but for their noise's estimate.
    expect(optimumBetween.held / optimumBetween.of).toBeGreaterThan(0.9)
    expect(edgeBetween.held / edgeBetween.of).toBeGreaterThan(0.9)
    expect(beyond / TABLES).toBeLessThanOrEqual(0.05)
  },
)

test("the experiment ticks once a kind of data", () => {
  expect(intervalCoverage.tasks({ size: "full", seeds: 1 })).toBe(CASES.length + TABLE_KINDS.length)
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
  const { covered } = coverageOf(halved, 1000)
  expect(covered / 1000).toBeLessThan(0.8)
  expect(judgeShare(covered, 1000)).toBe("contradicts")
})

test("four thousand repetitions decide, few only where they are far out", () => {
  expect([3719, 3720, 3880, 3881].map((covered) => judgeShare(covered, 4000))).toEqual([
    "contradicts",
    "agrees",
    "agrees",
    "contradicts",
  ])
  expect([60, 90, 100].map((covered) => judgeShare(covered, 100))).toEqual([
    "contradicts",
    "inconclusive",
    "inconclusive",
  ])
  expect(shareError(1000)).toBeCloseTo(0.0069, 4)
})
