import { Fraction } from "fraction.js"
import { describe, expect, test } from "vitest"
import { atStep } from "../../../src/derive/derive.js"
import { formatExponent } from "../../../src/exponent/grammar.js"
import { openStore } from "../../../src/sweep/store.js"
import { createPool } from "../../../src/train/pool.js"
import { rankLaws, rankScaling } from "../../../verify/rankScaling/rankScaling.js"
import { boundsOf, type RankScheme, rankSchemes } from "../../../verify/rankScaling/rankSchemes.js"

const schemes = rankSchemes(["sign", "sgd"])
const find = (start: string, update: string, multiplier: string) =>
  schemes.find((of) => of.start === start && of.update === update && of.multiplier === multiplier)!
const KAPPA: Readonly<Record<string, number>> = { α: 0, "α/√r": 1 / 2, "α/r": 1 }

/** The bounds noted by hand for sign updates, with σ = ρ + γ[α] (theory notes, sections 4 and 5), at o = 1/2. */
const BOUNDS: Readonly<Record<string, (rho: number, s: number) => { features: number; output: number }>> = {
  "Init[A]": (rho, s) => ({
    features: Math.min(-(1 + rho + s) / 2, -(rho + s)),
    output: Math.min(-3 / 4 - (rho + s) / 2, -1 / 2 - (rho + s)),
  }),
  "Init[B]": (rho, s) => ({
    features: Math.min(-1 - s, -1 / 2 - (rho + s) / 2),
    output: Math.min(-1 - s - rho / 2, (-3 / 2 - (rho + s)) / 2),
  }),
}

describe.each(["Init[A]", "Init[B]"])("%s, sign updates", (start) => {
  test.each(["α", "α/√r", "α/r"])("%s: the largest rates are those noted by hand", (multiplier) => {
    for (const rho of ["0", "1/8", "1/4", "1/2", "3/4", "1", "5/4"]) {
      const at = { scheme: find(start, "sign", multiplier), rho }
      const expected = BOUNDS[start]!(new Fraction(rho).valueOf(), -KAPPA[multiplier]! * new Fraction(rho).valueOf())
      for (const level of ["features", "output"] as const)
        expect(boundsOf(at, level, 3).forAll.valueOf()).toBe(expected[level])
    }
  })
})

describe("at a rate free of r ([rsLoRA])", () => {
  const first = (of: RankScheme) => formatExponent(atStep(of.derivation.quantities.zB!, 1))
  test("gradient descent learns as fast for every rank with α/√r and ever more slowly with α/r", () => {
    expect(first(find("Init[A]", "gradient descent", "α/√r"))).not.toContain("rho")
    expect(first(find("Init[A]", "gradient descent", "α/r"))).toBe("c - rho - 1/2")
  })
  test("sign updates learn as fast for every rank with α/r", () => {
    const { steps, limit } = find("Init[A]", "sign", "α/r").derivation.quantities.zB!
    for (const exponent of [...steps, limit]) expect(exponent!.symbols).toEqual(["c"])
  })
})

test("thresholds found without the theory lie at the paper's −1/2 and −1", async () => {
  const [pool, store] = [createPool(0), await openStore(":memory:", {})]
  const budget = { widths: [64, 128, 256, 512], rank: 1, steps: 3, seeds: 8, firstSeed: 0 }
  const size = {
    ranks: ["0"],
    updates: ["sign"],
    levels: ["features"],
    budget,
    probe: budget,
    halvings: 5,
    wider: [1024, 2048, 4096],
  } as const
  const { findings, data } = await rankLaws(size, { pool, store })
  await store.close()
  const { columns, rows } = data["rank-thresholds"]!
  const column = (name: string) => rows.map((row) => row[columns.indexOf(name)])
  expect(column("derived for all t")).toEqual(["-1/2", "-1"])
  const located = column("located").map(Number)
  // Half of the last bracket is 1/32.
  for (const [i, bound] of [-0.5, -1].entries()) expect(Math.abs(located[i]! - bound)).toBeLessThan(0.1)
  expect(findings.filter(({ verdict }) => verdict === "contradicts")).toEqual([])
  expect(findings.filter(({ verdict }) => verdict === "agrees").length).toBeGreaterThan(0)
})

test("more seeds make more tasks", () => {
  const tasks = (seeds: number) => rankScaling.tasks({ size: "quick", seeds })
  expect(tasks(2)).toBe(2 * tasks(1))
})
