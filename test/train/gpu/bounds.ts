import { expect } from "vitest"
import { termsOf } from "../../../src/derive/terms.js"
import { slope } from "../../../src/fit/slope.js"
import type { Scheme } from "../../../src/scheme/scheme.js"
import { asFloat16 } from "../../../src/train/gpu/activations.js"
import type { RunConfig, RunResult } from "../../../src/train/run.js"
import type { TeacherStudentRecord } from "../../../src/train/teacherStudent.js"
import type { TeacherStudentConfig } from "../../../src/train/teacherStudentConfig.js"
import { boundedRun } from "../wasm/exactRun.js"
import { expectWithin } from "../wasm/expectWithin.js"

/** What an activation is in each format. */
export const STORED = { float32: (x: number) => x, float16: asFloat16 }

/**
 * Expects a run's records within float32's rounding of the exact program, quantity by quantity.
 *
 * @param stored what an activation is stored as; by default itself.
 * @returns how many bounds are within one per cent of the value, and how many there are.
 */
export function expectWithinBounds(
  config: TeacherStudentConfig,
  history: readonly TeacherStudentRecord[],
  quotient: number,
  stored = (x: number) => x,
): { readonly narrow: number; readonly all: number } {
  return expectWithin(boundedRun(config, { quotient, squares: (entries) => entries + 4, stored }), history)
}

/** The schemes whose exponents are measured, at their largest stable rates. */
export const MEASURED = [
  ["init-a", { c: "-1/2" }],
  ["init-b", { c: "-1" }],
  ["lora-plus", { cA: "-1", cB: "0" }],
] as const

/** How far a plain slope at n = 2⁸ … 2¹² may lie from the derived exponent. */
const TOLERANCE = 0.05

/** Expects the slopes of a scheme's sizes over 64 seeds to be the derived exponents, at each of three steps. */
export async function expectDerivedExponents(
  ready: Scheme,
  name: string,
  train: (config: Omit<RunConfig, "seed">, seeds: readonly number[]) => Promise<RunResult[]>,
): Promise<void> {
  const seeds = Array.from({ length: 64 }, (_, i) => 20_000_000 + i)
  const widths = [8, 9, 10, 11, 12].map((k) => 2 ** k)
  const runs = new Map<number, RunResult[]>()
  for (const width of widths) runs.set(width, await train({ width, rank: 4, steps: 3 }, seeds))
  const terms = termsOf(ready)
  for (let t = 1; t <= 3; t++)
    for (const quantity of ["zA", "b", "zB", "delta1", "delta2", "delta3"]) {
      const derived = terms(quantity, t)
      const samples = widths.map((width) => ({
        width,
        meanSquares: runs.get(width)!.map(({ history }) => history[t - 1]!.meanSquares[quantity]!),
      }))
      const id = `${name}/${quantity}@${t}`
      if (derived.kind === "zero")
        expect(
          samples.every(({ meanSquares }) => meanSquares.every((x) => x === 0)),
          id,
        ).toBe(true)
      else expect(Math.abs(slope(samples).exponent - derived.exponent.valueOf()), id).toBeLessThanOrEqual(TOLERANCE)
    }
}
