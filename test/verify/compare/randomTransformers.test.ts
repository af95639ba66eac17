import fc from "fast-check"
import { expect, test } from "vitest"
import { BLOCK_SITES } from "../../../src/program/models/transformer.js"
import type { SchemeDefinition } from "../../../src/scheme/scheme.js"
import { openStore } from "../../../src/sweep/store.js"
import { createPool } from "../../../src/train/pool.js"
import type { Budget } from "../../../verify/compare/budget.js"
import { claimName, isRefuted, judgeMeasurements } from "../../../verify/compare/claim.js"
import { measure } from "../../../verify/compare/measure.js"
import { rechecked } from "../../../verify/compare/recheck.js"

/** Rates below those at which attention saturates, and starts at most of size 1 in what they give out. */
const eighths = (from: number, to: number) => fc.integer({ min: from, max: to }).map((k) => `${k}/8`)

const blocks = fc.constantFrom("llama-block" as const, "bert-block" as const).chain((kind) =>
  fc.record({
    kind: fc.constant(kind),
    blocks: fc.constantFrom(1, 1, 1, 2),
    heads: fc.constantFrom(1, 2, 4),
    keyHeads: fc.constant(1),
    rotary: fc.boolean(),
    sites: fc.subarray([...BLOCK_SITES[kind]], { minLength: 1, maxLength: 3 }),
  }),
)

const definition = fc
  .record({
    name: fc.constant("random"),
    title: fc.constant("a random scheme"),
    start: fc.oneof(
      eighths(-8, -4).map((exponent) => ({ A: { exponent }, B: "zero" as const })),
      eighths(-4, 0).map((exponent) => ({ A: "zero" as const, B: { exponent } })),
      fc.tuple(eighths(-8, -4), eighths(-4, 0)).map(([a, b]) => ({ A: { exponent: a }, B: { exponent: b } })),
    ),
    rates: fc.record({ A: eighths(-10, -4), B: eighths(-10, -4) }),
    optimiser: fc.constantFrom("sign", "adam"),
    model: blocks,
    batch: fc.constantFrom(2, 4),
  })
  .map((drawn) => drawn as SchemeDefinition)

const CASES = 60
const BUDGET: Budget = { widths: [64, 128, 256, 512, 1024], rank: 4, steps: 2, seeds: 6, firstSeed: 2_500_000 }

test("the exponents derived for a random transformer are those measured, by the rule of every verdict", async () => {
  const [pool, store] = [createPool(), await openStore(":memory:", {})]
  let decided = 0
  const refuted: string[] = []
  await fc.assert(
    fc.asyncProperty(definition, async (random) => {
      const setting = { definition: random, values: {} }
      const options = { pool, store }
      const claims = judgeMeasurements([setting], BUDGET, await measure([setting], BUDGET, options), {
        families: CASES,
      })
      const wider = BUDGET.widths.map((width) => 4 * width)
      const seen = claims.some(isRefuted) ? await rechecked(setting, claims, BUDGET, [wider], options) : claims
      for (const claim of seen.filter(isRefuted))
        refuted.push(`${claimName(claim)} of ${JSON.stringify(random)}: ${claim.measured.why}`)
      decided += seen.filter(({ measured }) => measured.verdict === "agrees").length / seen.length
    }),
    { numRuns: CASES, seed: 20261129 },
  )
  await store.close()
  await pool.close()
  process.stderr.write(`random transformers: ${((100 * decided) / CASES).toFixed(0)} % of exponents decided\n`)
  expect(refuted).toEqual([])
  // A rule that calls everything inconclusive would pass without this.
  expect(decided / CASES).toBeGreaterThan(0.2)
}, 1_200_000)
