import { Fraction } from "fraction.js"
import { describe, expect, test } from "vitest"
import { parseCondition } from "../../../src/exponent/grammar.js"
import { renderFigure } from "../../../src/report/figure.js"
import { openStore } from "../../../src/sweep/store.js"
import { createPool } from "../../../src/train/pool.js"
import { derivationOf } from "../../../verify/compare/derivationOf.js"
import { PLANES } from "../../../verify/ratePlane/planePoints.js"
import { ratePlane, ratePlanes } from "../../../verify/ratePlane/ratePlane.js"

/** The sets as worked by hand (theory notes, section 4: "two rates, stable", "efficient set with two rates"). */
const BY_HAND = {
  "Init[A]": { stable: "cB <= 0 and cA + cB <= -1", efficient: "cA + cB == -1 and cA >= -1" },
  "Init[B]": { stable: "cA <= -1 and cA + cB <= -1", efficient: "cA + cB == -1 and cB >= 0" },
}

test.each(PLANES)("the sets derived for $name are those worked by hand", ({ name, definition }) => {
  const { stable, efficient } = derivationOf(definition)
  const byHand = BY_HAND[name as keyof typeof BY_HAND]
  expect(stable.equals(parseCondition(byHand.stable))).toBe(true)
  expect(efficient!.equals(parseCondition(byHand.efficient))).toBe(true)
})

describe("a coarse grid", () => {
  const run = async () => {
    const [pool, store] = [createPool(0), await openStore(":memory:", {})]
    const budget = { widths: [64, 128, 256, 512], rank: 4, steps: 3, seeds: 4, firstSeed: 0 }
    try {
      return await ratePlanes({ step: new Fraction(1, 2), budget, optimisers: ["sign"] }, { pool, store })
    } finally {
      await store.close()
      await pool.close()
    }
  }
  test("is measured, judged and drawn", async () => {
    const { findings, parts, data } = await run()
    expect(findings).toHaveLength(4)
    expect(findings.filter(({ verdict }) => verdict === "contradicts")).toEqual([])
    const { columns, rows } = data["rate-plane"]!
    expect(rows).toHaveLength(2 * 5 * 5)
    const cell = (row: (typeof rows)[number], column: string) => row[columns.indexOf(column)]
    // [LoRA+]'s point is efficient under both starts; one rate of −1 is not, though it is stable.
    const at = (cA: string, cB: string) => rows.filter((row) => cell(row, "cA") === cA && cell(row, "cB") === cB)
    expect(at("-1", "0").map((row) => cell(row, "efficient measured"))).toEqual(["yes", "yes"])
    expect(at("-1", "-1").map((row) => cell(row, "efficient measured"))).toEqual(["no", "no"])
    expect(at("-1", "-1").map((row) => cell(row, "stable measured"))).toEqual(["yes", "yes"])
    expect(at("0", "0").map((row) => cell(row, "stable measured"))).toEqual(["no", "no"])
    for (const part of parts)
      if (part.kind === "figure") expect((await renderFigure(part.spec)).svg).toContain("exponent of A's rate")
  })
})

test("the full budget is larger, and more seeds make more tasks", () => {
  const tasks = (size: "quick" | "full", seeds = 1) => ratePlane.tasks({ size, seeds })
  expect(tasks("full")).toBeGreaterThan(tasks("quick"))
  expect(tasks("full", 3)).toBeGreaterThan(tasks("full"))
})
