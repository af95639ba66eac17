import fc from "fast-check"
import { expect, test } from "vitest"
import { gaussians } from "../../src/train/random.js"
import { inversePower } from "../../src/train/symmetricPower.js"

const side = fc.integer({ min: 1, max: 5 })

/** FᵀF of a drawn F with some rows: singular where these are fewer than the side. */
function gram(seed: number, rows: number, of: number): Float64Array {
  const F = gaussians(seed, "F", rows * of)
  return Float64Array.from({ length: of * of }, (_, k) => {
    const [p, q] = [Math.floor(k / of), k % of]
    let sum = 0
    for (let i = 0; i < rows; i++) sum += F[i * of + p]! * F[i * of + q]!
    return sum
  })
}

function times(x: Float64Array, y: Float64Array, of: number): Float64Array {
  return Float64Array.from({ length: of * of }, (_, k) => {
    const [i, j] = [Math.floor(k / of), k % of]
    let sum = 0
    for (let l = 0; l < of; l++) sum += x[i * of + l]! * y[l * of + j]!
    return sum
  })
}

const near = (x: Float64Array, y: Float64Array, scale = 1) => {
  for (const [i, value] of x.entries()) expect(Math.abs(value - y[i]!)).toBeLessThan(1e-8 * scale)
}

test("(S + δI)⁻¹ is the inverse, and twice the half power is the whole", () => {
  fc.assert(
    fc.property(side, fc.nat(1000), fc.constantFrom(0.5, 2), (of, seed, damping) => {
      const S = gram(seed, of + 2, of)
      const shifted = S.map((value, k) => value + (k % (of + 1) === 0 ? damping : 0))
      const inverse = inversePower(S, of, 1, damping)
      const identity = S.map((_, k) => (k % (of + 1) === 0 ? 1 : 0))
      near(times(inverse, shifted, of), identity)
      const half = inversePower(S, of, "1/2", damping)
      near(times(half, half, of), inverse)
    }),
  )
})

test("of a singular matrix it is the inverse on what the matrix spans, and zero beside it", () => {
  fc.assert(
    fc.property(fc.integer({ min: 2, max: 5 }), fc.nat(1000), (of, seed) => {
      const S = gram(seed, of - 1, of)
      const inverse = inversePower(S, of, 1, 1e-100)
      const size = Math.max(...S.map(Math.abs))
      // Penrose's conditions: S X S = S and X S X = X.
      near(times(times(S, inverse, of), S, of), S, size)
      near(times(times(inverse, S, of), inverse, of), inverse, Math.max(...inverse.map(Math.abs)) ** 2 * size)
    }),
  )
})

test("a matrix that is not finite has no inverse, and zero has none off its null space", () => {
  expect([...inversePower(Float64Array.of(Number.NaN), 1, 1)]).toEqual([Number.NaN])
  expect([...inversePower(new Float64Array(4), 2, "1/2", 0)]).toEqual([0, 0, 0, 0])
})
