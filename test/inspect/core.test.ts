import fc from "fast-check"
import { describe, expect, test } from "vitest"
import { canonicalCorrelations } from "../../src/inspect/core.js"

type Rows = readonly (readonly number[])[]

/** X Yᵀ, row-major. */
const crossed = (x: Rows, y: Rows) =>
  Float64Array.from(x.flatMap((a) => y.map((b) => a.reduce((sum, value, i) => sum + value * b[i]!, 0))))
const correlations = (x: Rows, y: Rows) => canonicalCorrelations(crossed(x, x), crossed(y, y), crossed(x, y))

describe("canonical correlations", () => {
  test("of two planes that share a direction and are 60 degrees apart in the other: 1/2 and 1", () => {
    const x = [
      [1, 0, 0, 0],
      [0, 2, 0, 0],
    ]
    const y = [
      [3, 0, 0, 0],
      [1, 1 / 2, Math.sqrt(3) / 2, 0],
    ]
    const found = correlations(x, y)!
    expect(found[0]).toBeCloseTo(1 / 2, 12)
    expect(found[1]).toBeCloseTo(1, 12)
  })

  test("of spaces that share nothing are 0, of one with itself 1, however its rows are mixed", () => {
    const entry = fc.integer({ min: -9, max: 9 })
    const square = fc.array(fc.array(entry, { minLength: 3, maxLength: 3 }), { minLength: 3, maxLength: 3 })
    /** A matrix whose diagonal outweighs the rest has all directions. */
    const mixing = square.map((m) => m.map((row, i) => row.map((value, j) => (i === j ? 40 + value : value))))
    fc.assert(
      fc.property(square, mixing, (rows, mix) => {
        const padded = (before: number) =>
          rows.map((row, i) => [
            ...Array<number>(before).fill(0),
            ...row.map((value, j) => (i === j ? 40 + value : value)),
            ...Array<number>(3 - before).fill(0),
          ])
        const [x, elsewhere] = [padded(0), padded(3)]
        const mixed = mix.map((row) => x[0]!.map((_, j) => row.reduce((sum, share, i) => sum + share * x[i]![j]!, 0)))
        for (const value of correlations(x, mixed)!) expect(value).toBeCloseTo(1, 9)
        for (const value of correlations(x, elsewhere)!) expect(value).toBeCloseTo(0, 9)
      }),
    )
  })

  test("are none where one space has fewer directions than rows, or an entry is no number", () => {
    const x = [
      [1, 2, 3],
      [0, 1, 1],
    ]
    expect(correlations(x, [x[0]!, x[0]!.map((value) => 3 * value)])).toBeNull()
    expect(correlations(x, [x[0]!, [0, 0, 0]])).toBeNull()
    expect(correlations([x[0]!, [0, Number.NaN, 0]], x)).toBeNull()
    expect(correlations([x[0]!, [0, Number.POSITIVE_INFINITY, 0]], x)).toBeNull()
  })
})
