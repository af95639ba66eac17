import { expect } from "vitest"
import type { TeacherStudentRecord } from "../../../src/train/teacherStudent.js"
import type { boundedRun } from "./exactRun.js"

/**
 * Expects a run's records within the radii of the exact program, quantity by quantity.
 *
 * @returns how many bounds are within one per cent of the value, and how many there are.
 */
export function expectWithin(
  bounds: ReturnType<typeof boundedRun>,
  history: readonly TeacherStudentRecord[],
): { readonly narrow: number; readonly all: number } {
  let [narrow, all] = [0, 0]
  bounds.forEach((exact, i) => {
    for (const [name, record] of [
      ["loss", history[i]!],
      ["zA", history[i + 1]!],
      ["zB", history[i + 1]!],
    ] as const) {
      const { value, radius } = exact[name]
      expect(Math.abs(record[name] - value)).toBeLessThanOrEqual(radius)
      all++
      if (radius <= 0.01 * value) narrow++
    }
  })
  return { narrow, all }
}
