import { afterAll, beforeAll, describe, expect, test } from "vitest"
import { openStore, type Store } from "../../../src/sweep/store.js"
import { createPool } from "../../../src/train/pool.js"
import type { RunResult } from "../../../src/train/run.js"
import { finitePrecision } from "../../../verify/finitePrecision/finitePrecision.js"
import {
  CHANGED,
  type Float64Runs,
  growthClaims,
  growthTable,
  PLAIN,
  priceTable,
  REPLACED,
  remedyFindings,
  remedyParts,
} from "../../../verify/finitePrecision/remedies.js"

let store: Store
beforeAll(async () => {
  store = await openStore(":memory:", {})
})
afterAll(() => store.close())

const ALL = [PLAIN, ...CHANGED, ...REPLACED]

/**
 * By hand: a step of A along Z, scale-free and of size n^c, moves Z_A by n^(c + 1): at c = -3/4 by n^(1/4), at c = -1
 * by n^0. Clipping changes no scale-free step, and shrinking by a fixed factor no exponent.
 */
const BY_HAND = ["1/4", "1/4", "1/4", "0", "0"]

/** Runs that ended with the given losses. */
function runsOf(losses: readonly number[]): RunResult[] {
  const record = { format: "float64" as const, entries: 1, overflows: 0, underflows: 0, lostUpdates: 0, largest: 3 }
  return losses.map((loss) => ({
    outcome: { kind: "finished" },
    history: [{ step: 1, loss, flipped: 0, meanSquares: {} }],
    precision: { tensors: { zA: record }, skipped: [], lossScale: 1 },
  }))
}

describe("the growth of Z_A", () => {
  test("is derived as by hand, measured, and removed by other starts and rates only", async () => {
    const budget = { widths: [16, 64, 256, 1024, 4096], rank: 4, steps: 2, seeds: 24, firstSeed: 18_000_000 }
    const claims = await growthClaims(budget, { pool: createPool(0), store })
    expect(growthTable(claims).rows.map(([, derived]) => derived)).toEqual(BY_HAND)
    expect(growthTable(claims).rows.map(([, , grows]) => grows)).toEqual(["yes", "yes", "yes", "no", "no"])
    const findings = remedyFindings(claims)
    expect(findings.filter(({ verdict }) => verdict === "contradicts")).toEqual([])
    expect(findings.map(({ claim }) => /does not remove|removes|grow/.exec(claim)![0])).toEqual([
      "grow",
      "does not remove",
      "does not remove",
      "removes",
      "removes",
    ])
    // What does not grow has an interval about 0 that leaves no room for 1/4; what grows, one above 0.
    for (const [i, { measured }] of claims.entries()) {
      const { low, high } = (measured.corrected ?? measured.plain)!.interval
      if (BY_HAND[i] === "0") expect(high).toBeLessThan(1 / 4)
      else expect(low).toBeGreaterThan(0)
    }
    const measured = ALL.map(({ setting }): Float64Runs => ({ setting, width: 64, runs: runsOf([1, 2]) }))
    const texts = remedyParts(claims, measured, 10).flatMap((part) => (part.kind === "text" ? [part.text] : []))
    for (const { name } of [...CHANGED, ...REPLACED]) expect(texts.at(-1)).toContain(`${name}: no price is seen`)
  })
})

describe("the price of a remedy", () => {
  const prices = (...perSetting: readonly number[][]) =>
    priceTable(ALL.map(({ setting }, i) => ({ setting, width: 64, runs: runsOf(perSetting[i] ?? [1, 1]) }))).rows

  test("is the geometric mean of the losses' ratios, seed by seed", () => {
    const [plain, clipped, shrunk] = prices([1, 100], [2, 200], [4, 25])
    expect(plain!.slice(1)).toEqual([64, "3.00", "10.0", null, null])
    // Twice the loss in every seed, whatever the seeds differ in; then 4 and 1/4.
    expect(clipped!.slice(3)).toEqual(["20.0", "2.00", "[2.0, 2.0]"])
    expect(shrunk!.slice(3, 5)).toEqual(["10.0", "1.00"])
  })

  test("of runs that ended early is none", () => {
    const measured = ALL.map(({ setting }, i): Float64Runs => {
      const runs = runsOf([1, 1])
      const broken: RunResult = { ...runs[0]!, outcome: { kind: "diverged", step: 1 } }
      return { setting, width: 64, runs: i === 1 ? [broken, runs[1]!] : runs }
    })
    expect(priceTable(measured).rows[1]!.slice(3)).toEqual(["none", null, null])
  })
})

test("the settings are trained alike, but for what the remedy is", () => {
  for (const { setting } of ALL)
    expect(setting.definition).toMatchObject({ optimiser: "adam", loss: "squared", batch: 4 })
  for (const { setting } of CHANGED) {
    expect(setting.definition.start).toEqual(PLAIN.setting.definition.start)
    expect(setting.values).toEqual(PLAIN.setting.values)
  }
})

test("the section says how many runs it makes, more with more seeds", () => {
  const tasks = (seeds: number) => finitePrecision.tasks({ size: "quick", seeds })
  expect(tasks(2)).toBeGreaterThan(tasks(1))
})
