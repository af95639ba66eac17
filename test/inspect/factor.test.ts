import fc from "fast-check"
import { Matrix, SingularValueDecomposition } from "ml-matrix"
import { describe, expect, test } from "vitest"
import { angleBetween, productLargest, productNorm, productSpectrum, singularValues } from "../../src/inspect/core.js"
import { type AdapterFactor, factorKernel } from "../../src/inspect/factor.js"

const number = fc.float({ min: -8, max: 8, noNaN: true })

/** Three factors of one shape; sizes beyond one chunk of terms too, which are drawn rarely. */
const shapes = fc.record({
  rank: fc.integer({ min: 1, max: 9 }),
  size: fc.oneof(
    { weight: 9, arbitrary: fc.integer({ min: 1, max: 20 }) },
    { weight: 1, arbitrary: fc.constant(1030) },
  ),
  turned: fc.boolean(),
  seeds: fc.tuple(fc.array(number, { minLength: 7, maxLength: 40 }), fc.array(number, { minLength: 7, maxLength: 40 })),
})

type Shape = typeof shapes extends fc.Arbitrary<infer T> ? T : never

function factor({ rank, size, turned }: Shape, pattern: readonly number[], shift: number): AdapterFactor {
  const values = Float32Array.from(
    { length: rank * size },
    (_, i) => pattern[(i * 7 + shift) % pattern.length]! + (i % 3),
  )
  return { values, rank, size, turned }
}

/** Entry k of row i, whichever way it lies. */
const entry = ({ values, rank, size, turned }: AdapterFactor, i: number, k: number) =>
  turned ? values[k * rank + i]! : values[i * size + k]!

function sums(r: number, n: number, x: (i: number, k: number) => number, y = x): number[] {
  return Array.from({ length: r * r }, (_, at) => {
    let sum = 0
    for (let k = 0; k < n; k++) sum += x(Math.floor(at / r), k) * y(at % r, k)
    return sum
  })
}

function expectNear(given: ArrayLike<number>, expected: ArrayLike<number>): void {
  const most = Math.max(1, ...Array.from(expected, Math.abs))
  expect(given.length).toBe(expected.length)
  // Sums of at most 1030 products in another order: 1030 · 2^-53 of the largest at most, and some room for the plain
  // loop's own.
  for (let i = 0; i < expected.length; i++) expect(Math.abs(given[i]! - expected[i]!)).toBeLessThan(4e-13 * most * 1030)
}

describe("the kernel of factors", () => {
  test("X Xᵀ, (Y − X)(Y − X)ᵀ and (Y − X)(Z − Y)ᵀ are the plain sums, and so are the entries' measures", () => {
    fc.assert(
      fc.property(shapes, (shape) => {
        const { rank: r, size: n } = shape
        const [x, y, z] = [
          factor(shape, shape.seeds[0], 0),
          factor(shape, shape.seeds[1], 1),
          factor(shape, shape.seeds[0], 3),
        ]
        const kernel = factorKernel(r)
        const sizes = kernel.sizes(x)
        expectNear(
          sizes.gram,
          sums(r, n, (i, k) => entry(x, i, k)),
        )
        const power = (p: number) => x.values.reduce((sum, value) => sum + value ** p, 0)
        expectNear([sizes.second, sizes.fourth], [power(2), power(4)])
        expect(sizes.largest).toBe(Math.max(...x.values.map(Math.abs)))
        expect(sizes.broken).toBe(0)
        const early = (i: number, k: number) => entry(y, i, k) - entry(x, i, k)
        const change = kernel.change(x, y)
        expectNear(change.gram, sums(r, n, early))
        expect(change.same).toBe(x.values.filter((value, i) => value === y.values[i]).length)
        expect(change.largest).toBe(Math.max(...y.values.map((value, i) => Math.abs(value - x.values[i]!))))
        expect(kernel.moves(x, y)).toEqual({ same: change.same, largest: change.largest, second: change.second })
        expectNear(
          [change.second],
          [Array.from({ length: r }, (_, i) => change.gram[i * r + i]!).reduce((p, q) => p + q)],
        )
        expectNear(
          kernel.crossed(x, y, z),
          sums(r, n, early, (i, k) => entry(z, i, k) - entry(y, i, k)),
        )
      }),
      { seed: 22, numRuns: 200 },
    )
  })

  test("what is no finite number is counted and left out of the sums", () => {
    const values = Float32Array.of(1, Number.NaN, -2, Number.POSITIVE_INFINITY, 3, 0)
    const { second, fourth, largest, broken } = factorKernel(2).sizes({ values, rank: 2, size: 3, turned: false })
    expect({ second, fourth, largest, broken }).toEqual({ second: 14, fourth: 98, largest: 3, broken: 2 })
  })

  test("a change that float32 would lose beside the factor is seen: 1 + 2^-23 less 1", () => {
    const of = (value: number) => ({ values: Float32Array.of(value), rank: 1, size: 1, turned: false })
    expect([...factorKernel(1).change(of(1), of(1 + 2 ** -23)).gram]).toEqual([2 ** -46])
  })
})

describe("products from Gram matrices", () => {
  test("the spectrum, the largest singular value and the norm of BA are those of BA itself", () => {
    fc.assert(
      fc.property(shapes, (shape) => {
        const { rank: r, size: n } = shape
        if (n > 20) return
        const [a, b] = [factor(shape, shape.seeds[0], 0), factor(shape, shape.seeds[1], 2)]
        const product = new Matrix(n, n)
        for (let i = 0; i < n; i++)
          for (let j = 0; j < n; j++) {
            let sum = 0
            for (let k = 0; k < r; k++) sum += entry(b, k, i) * entry(a, k, j)
            product.set(i, j, sum)
          }
        const expected = new SingularValueDecomposition(product).diagonal
        const [x, y] = [factorKernel(r).sizes(a).gram, factorKernel(r).sizes(b).gram]
        const spectrum = productSpectrum(x, y)
        expect(spectrum).toHaveLength(r)
        // Values below 1e-7 of the largest are rounding: roots of eigenvalues.
        for (const [i, value] of spectrum.entries())
          expect(Math.abs(value - (expected[i] ?? 0))).toBeLessThan(1e-6 * (expected[0]! + 1))
        expect(productNorm(x, y)).toBeCloseTo(Math.hypot(...expected), 6)
        const largest = productLargest(x, y)
        expect(largest).toBeLessThan(expected[0]! * (1 + 1e-9) + 1e-6)
        expect(largest).toBeGreaterThan(0.98 * expected[0]! - 1e-6)
      }),
      { seed: 22 },
    )
  })

  test("singular values fall, and a zero matrix has none but zeros", () => {
    expect(singularValues(Float64Array.of(9, 0, 0, 16))).toEqual([4, 3])
    expect(productSpectrum(Float64Array.of(1, 0, 0, 1), new Float64Array(4))).toEqual([0, 0])
  })

  test("angles: right, needle-thin, opposite, and none with a zero vector", () => {
    expect(angleBetween(3, 4, 5)).toBeCloseTo(90, 12)
    // Two unit vectors 1e-9 apart: the arc cosine of 1 − 5e-19 would be 0.
    expect(angleBetween(1, 1, 1e-9)! / (1e-9 * (180 / Math.PI))).toBeCloseTo(1, 9)
    expect(angleBetween(1, 2, 3)).toBeCloseTo(180, 5)
    expect(angleBetween(2, 2, 0)).toBe(0)
    expect(angleBetween(0, 2, 2)).toBeNull()
  })
})
