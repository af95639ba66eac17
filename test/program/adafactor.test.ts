import { Matrix as LinearAlgebra } from "ml-matrix"
import { expect, test } from "vitest"
import { distance, RATE, start, steps } from "./layerSteps.js"

test("Adafactor is its formula: V = R C / S of moving sums of squares in rows, columns and all entries", () => {
  const before = { A: null as Sums | null, B: null as Sums | null }
  steps("adafactor", 11, start(11), 4).forEach((step, t) => {
    for (const side of ["A", "B"] as const) {
      const G = step.gradients[side]
      const square = LinearAlgebra.mul(G, G)
      const old = before[side]
      const mix = (now: number[], then: number[] | undefined) => now.map((x, i) => 0.999 * (then?.[i] ?? 0) + 0.001 * x)
      const sums: Sums = {
        rows: mix(square.sum("row"), old?.rows),
        columns: mix(square.sum("column"), old?.columns),
        all: mix([square.sum()], old?.all),
      }
      before[side] = sums
      const V = LinearAlgebra.columnVector(sums.rows)
        .mmul(LinearAlgebra.rowVector(sums.columns))
        .div(sums.all[0]! * (1 - 0.999 ** (t + 1)))
      const next = LinearAlgebra.sub(step.before[side], LinearAlgebra.div(G, LinearAlgebra.sqrt(V)).mul(RATE))
      expect(distance(next, step.after[side])).toBeLessThan(1e-12)
    }
  })
})

interface Sums {
  readonly rows: number[]
  readonly columns: number[]
  readonly all: number[]
}
