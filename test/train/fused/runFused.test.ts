import fc from "fast-check"
import { describe, expect, test } from "vitest"
import { CATALOGUE, schemeNamed } from "../../../src/scheme/catalogue.js"
import type { SchemeDefinition } from "../../../src/scheme/scheme.js"
import { scheme } from "../../../src/scheme/scheme.js"
import { FUSED, fusedProgram } from "../../../src/train/fused/runFused.js"
import { type RunConfig, type RunResult, run } from "../../../src/train/run.js"

/** Schemes whose rank does not grow, so that every tensor has one long side at most. */
const READ = CATALOGUE.filter((definition) => planned(definition) !== null)

function planned(definition: SchemeDefinition) {
  return fusedProgram(scheme(definition, definition.example ?? {}), 2)
}

/**
 * Expects two runs to be one up to rounding: the largest difference of a size over the size, or over what nothing but
 * rounding is below.
 */
function difference(result: RunResult, exact: RunResult): number {
  expect(result.outcome).toEqual(exact.outcome)
  expect(result.history.length).toBe(exact.history.length)
  let largest = 0
  result.history.forEach(({ step, loss, flipped, meanSquares }, i) => {
    const expected = exact.history[i]!
    expect(step).toBe(expected.step)
    expect(flipped).toBe(expected.flipped)
    expect(Object.keys(meanSquares)).toEqual(Object.keys(expected.meanSquares))
    const pairs = Object.entries(meanSquares).map(([name, size]) => [size, expected.meanSquares[name]!] as const)
    for (const [own, other] of [...pairs, [loss, expected.loss] as const])
      if (own !== other) largest = Math.max(largest, Math.abs(own - other) / Math.max(Math.abs(other), ROUNDING))
  })
  return largest
}

/** A mean square of what is zero but for rounding. */
const ROUNDING = 1e-20

function compared(definition: SchemeDefinition, { seed, ...config }: RunConfig): number {
  const ready = scheme(definition, definition.example ?? {})
  const [, result] = fusedProgram(ready, config.rank)!.runs(config, [seed + 1, seed])!
  expect(result!.backend).toBe(FUSED)
  return difference(result!, run(ready, { ...config, seed }))
}

/** Sums of a few hundred terms, over and over: far below what a wrong operation does. */
const CLOSE = 1e-9

describe("schemes as fused loops are those of the reference interpreter", () => {
  test("every scheme of the catalogue with a fixed rank has loops", () => {
    const growing = CATALOGUE.filter((definition) => !READ.includes(definition))
    for (const { name, rank } of growing) expect(rank, name).toBeDefined()
    expect(READ.length).toBeGreaterThan(CATALOGUE.length / 2)
  })

  test.each(READ)("$name", (definition) => {
    expect(compared(definition, { width: 12, rank: 2, steps: 3, seed: 3 })).toBeLessThan(CLOSE)
  })

  test.each(["llama-block/init-a", "bert-block/init-b"])("%s", (name) => {
    expect(compared(schemeNamed(name), { width: 64, rank: 2, steps: 3, seed: 3 })).toBeLessThan(CLOSE)
  })

  test("random schemes, widths, ranks, steps and seeds", () => {
    const config = fc.record({
      // Among fewer rows LoRA-RITE's r×r matrices come near singular ones, whose inverses amplify rounding.
      width: fc.integer({ min: 8, max: 40 }).map((half) => 2 * half),
      rank: fc.integer({ min: 1, max: 3 }),
      seed: fc.nat(1000),
      steps: fc.integer({ min: 1, max: 5 }),
    })
    fc.assert(
      fc.property(fc.constantFrom(...READ), config, (definition, given) => {
        expect(compared(definition, given)).toBeLessThan(CLOSE)
      }),
      { numRuns: 100 },
    )
  })
})
