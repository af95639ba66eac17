import fc from "fast-check"
import { expect, test } from "vitest"
import type { SchemeDefinition } from "../../../src/scheme/scheme.js"
import { openStore } from "../../../src/sweep/store.js"
import { createPool } from "../../../src/train/pool.js"
import type { Budget } from "../../../verify/compare/budget.js"
import { claimName, isRefuted, judgeMeasurements } from "../../../verify/compare/claim.js"
import { measure } from "../../../verify/compare/measure.js"

/** Exponents on a grid of eighths in the range that schemes live in. */
const eighths = (from: number, to: number) => fc.integer({ min: 8 * from, max: 8 * to }).map((k) => `${k}/8`)

const start = fc.oneof(
  { weight: 3, arbitrary: eighths(-1, 0).map((exponent) => ({ exponent })) },
  { weight: 1, arbitrary: fc.constant("zero" as const) },
)

const OPTIMISERS = ["sign", "adam", "sgd", "momentum", "lion", "muon"] as const

const definition = fc
  .record({
    name: fc.constant("random"),
    title: fc.constant("a random scheme"),
    start: fc.record({ A: start, B: start }),
    rates: fc.record({ A: eighths(-1, 0), B: eighths(-1, 0) }),
    optimiser: fc.constantFrom(...OPTIMISERS),
    readout: fc.constantFrom("1/2", "3/4", "1"),
    subtractStart: fc.boolean(),
    loss: fc.oneof({ weight: 3, arbitrary: fc.constant("linear") }, { weight: 1, arbitrary: fc.constant("squared") }),
    batch: fc.constantFrom(1, 1, 1, 3),
    network: fc.oneof(
      { weight: 3, arbitrary: fc.constant(undefined) },
      {
        weight: 1,
        arbitrary: fc.record({
          layers: fc.constantFrom(1, 2),
          activation: fc.constantFrom("relu", "tanh"),
          residual: fc.boolean(),
        }),
      },
    ),
  })
  .filter(({ start: { A, B } }) => A !== "zero" || B !== "zero")
  // With several layers only sign-like updates keep their exponents within a few steps.
  .filter(({ network, optimiser }) => network === undefined || optimiser === "sign") as fc.Arbitrary<SchemeDefinition>

const CASES = 200
const BUDGET: Budget = {
  widths: [256, 406, 645, 1024, 1625, 2580, 4096],
  rank: 4,
  steps: 3,
  seeds: 16,
  firstSeed: 2_000_000,
}

/** Requires that no exponent derived for random programs is contradicted, and gives the part that agrees. */
async function agreement(definitions: fc.Arbitrary<SchemeDefinition>, cases: number): Promise<number> {
  const [pool, store] = [createPool(), await openStore(":memory:", {})]
  let decided = 0
  await fc.assert(
    fc.asyncProperty(definitions, async (random) => {
      const settings = [{ definition: random, values: {} }]
      const claims = judgeMeasurements(settings, BUDGET, await measure(settings, BUDGET, { pool, store }), {
        families: cases,
      })
      const wrong = claims.filter(isRefuted)
      expect(
        wrong.map((claim) => ({
          claim: claimName(claim),
          derived: claim.derived,
          plain: claim.measured.plain,
          corrected: claim.measured.corrected,
        })),
      ).toEqual([])
      decided += claims.filter(({ measured }) => measured.verdict === "agrees").length / claims.length
    }),
    { numRuns: cases, seed: 20261124 },
  )
  await store.close()
  await pool.close()
  return decided / cases
}

test("the exponents derived for a random program are those measured, by the rule of every verdict", async () => {
  // A rule that calls everything inconclusive would pass without this.
  expect(await agreement(definition, CASES)).toBeGreaterThan(0.5)
}, 1_200_000)

test("so are those of one with clipped gradients, whose norms lie near their bounds", async () => {
  const clipped = fc
    .record({
      definition: definition.filter(({ network, optimiser }) => network === undefined && optimiser !== "sign"),
      clip: eighths(-1, 1),
    })
    .map(({ definition, clip }) => ({ ...definition, clip }))
  // Each norm adds a correction that a few widths hardly tell apart from the leading term.
  expect(await agreement(clipped, CASES / 10)).toBeGreaterThan(0.2)
}, 1_200_000)
