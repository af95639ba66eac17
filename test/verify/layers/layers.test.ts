import { Fraction } from "fraction.js"
import { describe, expect, test } from "vitest"
import { openStore } from "../../../src/sweep/store.js"
import { createPool } from "../../../src/train/pool.js"
import { deepBounds, deepSchemes, layerLaws, layers } from "../../../verify/layers/layers.js"

/** The output bounds noted by hand (theory notes, section 5): Init[A] as on one layer, Init[B] −1 + (o − 1/2)/L. */
const BY_HAND: Readonly<Record<string, (o: number, layers: number) => number>> = {
  "Init[A]": (o) => -1 + o / 2,
  "Init[B]": (o, layers) => -1 + (o - 1 / 2) / layers,
}

describe("derived bounds", () => {
  test.each([
    [2, ["1/2", "3/4", "1"]],
    [3, ["3/4"]],
    [6, ["1"]],
  ])("on %i layers are those noted by hand", (depth, readouts) => {
    for (const deep of deepSchemes({ layers: [depth], readouts })) {
      const expected = BY_HAND[deep.start]!(new Fraction(deep.readout).valueOf(), depth)
      expect(deepBounds(deep, "output", 3).forAll.valueOf()).toBeCloseTo(expected, 12)
      expect(deepBounds(deep, "features", 3).forAll.valueOf()).toBe(deep.start === "Init[A]" ? -1 / 2 : -1)
    }
  })
})

test("two layers are measured and judged layer by layer", async () => {
  const [pool, store] = [createPool(0), await openStore(":memory:", {})]
  const budget = { widths: [64, 128, 256, 512], rank: 4, steps: 3, seeds: 6, firstSeed: 0 }
  const size = { layers: [2], readouts: ["1/2"], budget, places: ["features"] } as const
  const { findings, data } = await layerLaws(size, { pool, store })
  await store.close()
  // Z_A, B, Z_B and the pre-activation's change of two layers, and the output's, at three steps under two starts.
  expect(data.layers!.rows).toHaveLength(2 * 3 * (2 * 4 + 1))
  expect(findings.filter(({ verdict }) => verdict === "contradicts")).toEqual([])
  expect(findings.filter(({ verdict }) => verdict === "agrees").length).toBeGreaterThan(0)
})

test("more seeds make more tasks", () => {
  const tasks = (seeds: number) => layers.tasks({ size: "quick", seeds })
  expect(tasks(1)).toBeGreaterThan(0)
  expect(tasks(2)).toBe(2 * tasks(1))
})
