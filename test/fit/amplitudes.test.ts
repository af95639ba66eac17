import fc from "fast-check"
import { Matrix, solve } from "ml-matrix"
import { expect, test } from "vitest"
import { leastSquares, type PowerColumn } from "../../src/fit/amplitudes.js"

const WIDTHS = [8, 9, 10, 11, 12, 13, 14].map((k) => 2 ** k)
const MIDDLE = 2 ** 11

/**
 * A sum of powers beside a leading one, and sizes to fit: as steep powers and as near to each other as derived ones
 * are.
 */
const problem = fc.record({
  terms: fc.array(fc.integer({ min: 1, max: 12 }), { maxLength: 3 }),
  correction: fc.option(fc.integer({ min: 1, max: 12 })),
  slope: fc.integer({ min: -24, max: 12 }),
  noise: fc.array(fc.double({ min: -0.1, max: 0.1, noNaN: true }), { minLength: 7, maxLength: 7 }),
  share: fc.constantFrom(1, 1 / 4, 1 / 16),
})

function columnsOf(
  terms: readonly number[],
  corrections: readonly number[],
  cross: readonly number[] = [],
): PowerColumn[] {
  const column = (kind: PowerColumn["kind"], gap: number): PowerColumn => ({
    kind,
    values: Float64Array.from(WIDTHS, (width) => (width / MIDDLE) ** (-gap / 12)),
  })
  return [
    column("term", 0),
    ...[...new Set(terms)].map((gap) => column("term", gap)),
    ...corrections.map((gap) => column("correction", gap)),
    ...cross.map((gap) => column("cross", gap)),
  ]
}

const sizes = (slope: number, noise: readonly number[]) =>
  Float64Array.from(WIDTHS, (width, i) => (width / MIDDLE) ** (slope / 12) * Math.exp(noise[i]!))

function residualOf(columns: readonly PowerColumn[], amplitudes: readonly number[], target: Float64Array): number {
  return target.reduce(
    (sum, y, i) => sum + columns.reduce((rest, { values }, k) => rest - amplitudes[k]! * values[i]!, y) ** 2,
    0,
  )
}

/** How far each amplitude may go for one of the leading term. */
function bounds(columns: readonly PowerColumn[], share: number): number[] {
  return columns.map(({ kind, values }) => {
    const at = kind === "term" ? WIDTHS.length - 1 : 0
    return columns[0]!.values[at]! / values[at]! / (kind === "term" ? share : 1)
  })
}

/**
 * Every way in which each amplitude is free or at a bound, which leaves plain least squares: the least that is
 * admissible.
 */
function leastOfAll(columns: readonly PowerColumn[], target: Float64Array, share: number): number {
  const most = bounds(columns, share)
  const states = columns.map(({ kind }, k) =>
    k === 0 ? ["free"] : kind === "term" ? ["free", 0, most[k]!] : ["free", 0, most[k]!, -most[k]!],
  )
  const ways = states.reduce<(string | number)[][]>(
    (all, next) => all.flatMap((way) => next.map((state) => [...way, state])),
    [[]],
  )
  return Math.min(
    ...ways.map((way) => {
      const free = way.flatMap((state, k) => (state === "free" ? [k] : []))
      const rows = WIDTHS.map((_, i) => {
        const pinned = way.reduce<number>(
          (sum, state, k) => (typeof state === "number" ? sum + state * columns[k]!.values[i]! : sum),
          0,
        )
        return free.map((k) => columns[k]!.values[i]! + (k === 0 ? pinned : 0))
      })
      const found = solve(new Matrix(rows), Matrix.columnVector([...target]), true).to1DArray()
      const lead = found[0]!
      const admissible = free.every((k, at) => {
        const [low, high] = columns[k]!.kind === "term" ? [0, most[k]!] : [-most[k]!, most[k]!]
        return k === 0 ? lead > 0 : found[at]! >= low * lead && found[at]! <= high * lead
      })
      if (!admissible) return Number.POSITIVE_INFINITY
      return target.reduce((sum, y, i) => sum + rows[i]!.reduce((rest, x, k) => rest - x * found[k]!, y) ** 2, 0)
    }),
  )
}

test("it finds the least residual of all ways in which amplitudes can be free or at a bound", () => {
  fc.assert(
    fc.property(problem, ({ terms, correction, slope, noise, share }) => {
      const columns = columnsOf(terms, correction === null ? [] : [correction])
      const target = sizes(slope, noise)
      const { residual } = leastSquares(columns, target, share)
      const least = leastOfAll(columns, target, share)
      expect(residual).toBeLessThanOrEqual(least * (1 + 1e-6) + 1e-12)
      expect(residual).toBeGreaterThanOrEqual(least * (1 - 1e-6) - 1e-12)
    }),
    { numRuns: 200 },
  )
})

test("with as many terms as a derivation names, amplitudes are admissible and no other ones leave less", () => {
  const many = fc.record({
    terms: fc.array(fc.integer({ min: 1, max: 24 }), { minLength: 4, maxLength: 20 }),
    corrections: fc.uniqueArray(fc.integer({ min: 1, max: 12 }), { maxLength: 4 }),
    cross: fc.array(fc.integer({ min: 1, max: 24 }), { maxLength: 1 }),
    slope: fc.integer({ min: -24, max: 12 }),
    noise: fc.array(fc.double({ min: -0.1, max: 0.1, noNaN: true }), { minLength: 7, maxLength: 7 }),
    shares: fc.infiniteStream(fc.double({ min: 0, max: 1, noNaN: true })),
    lead: fc.double({ min: 0, max: 2, noNaN: true }),
  })
  const share = 1 / 4
  fc.assert(
    fc.property(many, ({ terms, corrections, cross, slope, noise, shares, lead }) => {
      const columns = columnsOf(terms, corrections, cross)
      const target = sizes(slope, noise)
      const most = bounds(columns, share)
      const { amplitudes, residual } = leastSquares(columns, target, share)
      expect(residualOf(columns, amplitudes, target)).toBeCloseTo(residual, 9)
      const slack = 1e-9 * Math.max(...amplitudes.map(Math.abs))
      expect(amplitudes[0]!).toBeGreaterThan(0)
      for (const [k, { kind }] of columns.entries())
        if (k > 0 && kind === "term") {
          expect(amplitudes[k]!).toBeGreaterThanOrEqual(-slack)
          expect(amplitudes[k]!).toBeLessThanOrEqual(amplitudes[0]! * most[k]! + slack)
        }
      const used = columns.reduce(
        (sum, { kind }, k) => (kind === "correction" ? sum + Math.abs(amplitudes[k]!) / most[k]! : sum),
        0,
      )
      expect(used).toBeLessThanOrEqual(amplitudes[0]! + slack)
      if (cross.length > 0)
        expect(amplitudes.at(-1)! ** 2).toBeLessThanOrEqual((4 * amplitudes[0]! + slack) * (amplitudes[1]! + slack))
      const other: number[] = []
      for (const [k, { kind }] of columns.entries()) {
        const part = shares.next().value!
        if (k === 0) other.push(lead)
        else if (kind === "term") other.push(lead * most[k]! * part)
        else if (kind === "correction") other.push((lead * most[k]! * (2 * part - 1)) / corrections.length)
        else other.push(2 * (2 * part - 1) * Math.sqrt(lead * other[1]!))
      }
      for (const part of [1, 0.01]) {
        const between = amplitudes.map((amplitude, k) => amplitude + part * (other[k]! - amplitude))
        expect(residual).toBeLessThanOrEqual(residualOf(columns, between, target) + 1e-9)
      }
    }),
    { numRuns: 200 },
  )
})

test("freed amplitudes are plain least squares wherever the leading one is positive", () => {
  fc.assert(
    fc.property(problem, ({ terms, slope, noise }) => {
      const columns = columnsOf(terms, [])
      const target = sizes(slope, noise)
      const rows = WIDTHS.map((_, i) => columns.map(({ values }) => values[i]!))
      const plain = solve(new Matrix(rows), Matrix.columnVector(target), true).to1DArray()
      fc.pre(plain[0]! > 0)
      expect(leastSquares(columns, target, null).residual).toBeCloseTo(residualOf(columns, plain, target), 8)
    }),
    { numRuns: 100 },
  )
})
