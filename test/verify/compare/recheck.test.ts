import { expect, test } from "vitest"
import { schemeNamed } from "../../../src/scheme/catalogue.js"
import { openStore } from "../../../src/sweep/store.js"
import { createPool } from "../../../src/train/pool.js"
import { judgeMeasurements, type MeasuredClaim } from "../../../verify/compare/claim.js"
import { measure } from "../../../verify/compare/measure.js"
import { rechecked } from "../../../verify/compare/recheck.js"

test("a contradiction is measured again; what agrees is left alone", async () => {
  const [pool, store] = [createPool(0), await openStore(":memory:", {})]
  const setting = { definition: { ...schemeNamed("init-a"), optimiser: "sign" as const }, values: { c: "-1/2" } }
  const budget = { widths: [16, 32, 64, 128], rank: 4, steps: 3, seeds: 8, firstSeed: 0 }
  const claims = judgeMeasurements([setting], budget, await measure([setting], budget, { pool, store }))
  const runs = store.finished.size
  const agreeing = claims.filter(({ measured }) => measured.verdict === "agrees")
  const again = (given: readonly MeasuredClaim[]) =>
    rechecked(
      setting,
      given,
      budget,
      [
        [512, 1024, 2048],
        [2048, 4096, 8192],
      ],
      { pool, store },
    )
  expect(await again(agreeing)).toEqual(agreeing)
  expect(store.finished.size).toBe(runs)

  // B moves by exactly n^c: no wider width brings its slope nearer, so finite widths are not its cause.
  const wronged = claims.map(
    (claim): MeasuredClaim => ({ ...claim, measured: { ...claim.measured, verdict: "contradicts" } }),
  )
  const found = await again(wronged)
  expect(store.finished.size).toBeGreaterThan(runs)
  const moved = found.find(({ quantity, step }) => quantity === "b" && step === 1)!
  expect(moved.cause).toBeNull()
  expect(moved.measured.why).toContain("on other seeds")
  expect(found.every(({ cause, measured }) => (cause ?? measured.why).includes("on other seeds"))).toBe(true)
  await store.close()
})
