import fc from "fast-check"
import { expect, test } from "vitest"
import { GaussianMatrix } from "../../src/train/gaussianMatrix.js"
import type { Matrix } from "../../src/train/matrix.js"
import { gaussians } from "../../src/train/random.js"

const column = (data: Float64Array): Matrix => ({ rows: data.length, columns: 1, data })
const dot = (x: Matrix, y: Matrix) => x.data.reduce((sum, value, i) => sum + value * y.data[i]!, 0)

test("products that are never formed are those of one matrix: linear, and ⟨Gx, y⟩ = ⟨x, Gᵀy⟩, in any order asked", () => {
  const size = fc.integer({ min: 1, max: 12 })
  fc.assert(
    fc.property(
      size,
      size,
      fc.nat(1000),
      fc.array(fc.boolean(), { minLength: 6, maxLength: 6 }),
      (m, n, seed, order) => {
        const matrix = new GaussianMatrix(m, n, seed, "G", 1)
        const ask = order.map((forward, i) => {
          const argument = column(gaussians(seed, `argument ${i}`, forward ? n : m))
          return { forward, argument, image: forward ? matrix.times(argument) : matrix.transposeTimes(argument) }
        })
        for (const x of ask.filter(({ forward }) => forward))
          for (const y of ask.filter(({ forward }) => !forward))
            expect(dot(x.image, y.argument)).toBeCloseTo(dot(x.argument, y.image), 8)
        const [x, y] = [column(gaussians(seed, "x", n)), column(gaussians(seed, "y", n))]
        const both = column(x.data.map((value, i) => 2 * value - 3 * y.data[i]!))
        const [gx, gy, gBoth] = [x, y, both].map((argument) => matrix.times(argument).data)
        gBoth!.forEach((value, i) => {
          expect(value).toBeCloseTo(2 * gx![i]! - 3 * gy![i]!, 8)
        })
      },
    ),
    { numRuns: 100 },
  )
})

test("GᵀG x has the mean of a matrix of independent entries: n x, with fluctuations of relative size √(1/n)", () => {
  const [n, runs] = [400, 40]
  let sum = 0
  for (let seed = 0; seed < runs; seed++) {
    const matrix = new GaussianMatrix(n, n, seed, "G", 1)
    const x = column(gaussians(seed, "x", n))
    sum += dot(matrix.transposeTimes(matrix.times(x)), x) / dot(x, x) / n
  }
  // The mean of ‖Gx‖² / (n ‖x‖²) over runs has standard error √(2 / (n · runs)) = 0.011.
  expect(Math.abs(sum / runs - 1)).toBeLessThan(0.05)
})
