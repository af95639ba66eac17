import fc from "fast-check"
import { Fraction } from "fraction.js"
import { expect, test } from "vitest"
import { type Cell, explore } from "../../src/derive/cell.js"
import { Affine } from "../../src/exponent/affine.js"
import { Condition } from "../../src/exponent/condition.js"
import { parseAffine } from "../../src/exponent/grammar.js"
import { Piecewise } from "../../src/exponent/piecewise.js"
import { affine, point } from "../arbitraries.js"

/** A random expression of max, min and sums over affine forms, to be read in a cell or at a point. */
type Expression = Affine | { readonly op: "max" | "min" | "plus"; readonly of: readonly [Expression, Expression] }

const { expression } = fc.letrec<{ expression: Expression }>((tie) => ({
  expression: fc.oneof(
    { maxDepth: 3, depthSize: "small" },
    affine,
    fc.record({
      op: fc.constantFrom("max" as const, "min" as const, "plus" as const),
      of: fc.tuple(tie("expression"), tie("expression")),
    }),
  ),
}))

const SYMBOLS = ["c", "a0", "rho"]

function read(of: Expression, cell: Cell): Affine {
  if (of instanceof Affine) return of
  const [x, y] = of.of.map((part) => read(part, cell)) as [Affine, Affine]
  if (of.op === "plus") return x.plus(y)
  return cell.compare(x, y) >= 0 === (of.op === "max") ? x : y
}

function value(of: Expression, at: ReadonlyMap<string, Fraction>): Fraction {
  if (of instanceof Affine) return of.at(at)
  const [x, y] = of.of.map((part) => value(part, at)) as [Fraction, Fraction]
  if (of.op === "plus") return x.add(y)
  return x.compare(y) >= 0 === (of.op === "max") ? x : y
}

const symbolsOf = (of: Expression): string[] => (of instanceof Affine ? of.symbols : of.of.flatMap(symbolsOf))

test("the regions of an expression cover the domain, and the joined pieces have its value everywhere", () => {
  fc.assert(
    fc.property(expression, fc.array(point, { minLength: 5, maxLength: 5 }), (of, points) => {
      const symbols = [...new Set([...SYMBOLS, ...symbolsOf(of)])]
      const regions = explore([], symbols, (cell) => read(of, cell))!
      const joined = Piecewise.ofPieces(regions.map(({ where, result }) => ({ where, form: result })))!
      for (const forms of joined.minima)
        for (const [i, form] of forms.entries())
          for (const other of forms.slice(0, i)) expect(form.minus(other).isConstant).toBe(false)
      for (const at of points) {
        const numbers = new Map([...at].map(([name, form]) => [name, form.constant]))
        const exact = value(of, numbers).toFraction()
        expect(regions.some(({ where }) => where.every(({ form }) => form.at(numbers).compare(0) <= 0))).toBe(true)
        const all = new Map(symbols.map((name) => [name, at.get(name) ?? Affine.ZERO]))
        expect(joined.substitute(all).convex!.forms[0]!.constant.toFraction()).toBe(exact)
      }
    }),
    { numRuns: 100 },
  )
})

test("pieces that jump have no joined form", () => {
  const [zero, one] = [0, 1].map((value) => Affine.constant(value))
  const c = Affine.symbol("c")
  const negative = [{ form: c, relation: "<=" as const }]
  const positive = [{ form: c.negated, relation: "<" as const }]
  const joined = (below: Affine, above: Affine) =>
    Piecewise.ofPieces([
      { where: negative, form: below },
      { where: positive, form: above },
    ])
  expect(joined(zero!, one!)).toBeNull()
  expect(joined(one!, zero!)).toBeNull()
  expect(joined(one!, c)).toBeNull()
  expect(joined(zero!, c)).not.toBeNull()
  expect(joined(c, zero!)).not.toBeNull()
})

test("merging pieces of a union changes nothing but their number", () => {
  const half = fc
    .tuple(affine, fc.constantFrom("<=" as const, "<" as const))
    .map(([form, relation]) => ({ form, relation }))
  const piece = fc.array(half, { minLength: 1, maxLength: 3 })
  fc.assert(
    fc.property(fc.array(piece, { minLength: 1, maxLength: 3 }), (pieces) => {
      const union = Condition.NEVER.or(...pieces.map((constraints) => Condition.all(constraints)))
      const merged = union.merged()
      expect(merged.equals(union)).toBe(true)
      expect(merged.pieces.length).toBeLessThanOrEqual(union.pieces.length)
    }),
    { numRuns: 60 },
  )
})

test("a set cut along a line is merged into one piece again", () => {
  const c = Affine.symbol("c")
  const whole = Condition.where(Affine.symbol("a").plus(c), "<=")
  const cut = whole.and(Condition.where(c, "<=")).or(whole.and(Condition.where(c.times(-1), "<=")))
  expect(cut.merged().pieces).toEqual(whole.pieces)
})

test("a point on a boundary still gives a cell with an inside", () => {
  const regions = explore([], ["a", "c"], (cell) => {
    const [a, c] = [Affine.symbol("a"), Affine.symbol("c")]
    return cell.compare(a, c) + 10 * cell.compare(a, Affine.ZERO) + 100 * cell.compare(Affine.ZERO, c)
  })!
  expect(new Set(regions.map(({ result }) => result)).size).toBe(6)
  expect(new Fraction(0).compare(regions[0]!.point.get("a")!)).toBe(0)
})

test("a region that a form of another one crosses is joined as well", () => {
  const [u, v, w, z] = ["5/4 + rho/2", "5 - a0 + rho/2", "6 + 5/2 * a0", "-2/3 - 5/4 * rho"].map((text) =>
    parseAffine(text),
  )
  const of: Expression = { op: "min", of: [u!, { op: "max", of: [v!, { op: "max", of: [w!, z!] }] }] }
  const regions = explore([], SYMBOLS, (cell) => read(of, cell))!
  const joined = Piecewise.ofPieces(regions.map(({ where, result }) => ({ where, form: result })))
  expect(joined).not.toBeNull()
  for (const [a0, rho] of [
    [0, 0],
    [15, -40],
    [20, 90],
    [-3, 5],
    [-30, -40],
  ]) {
    const at = { c: 0, a0: a0!, rho: rho! }
    const [numbers, forms] = [
      new Map(Object.entries(at).map(([name, value]) => [name, new Fraction(value)])),
      new Map(Object.entries(at).map(([name, value]) => [name, Affine.constant(value)])),
    ]
    const found = joined!.substitute(forms).convex!.forms[0]!.constant
    expect(found.toFraction(), `a0 = ${a0}, rho = ${rho}`).toBe(value(of, numbers).toFraction())
  }
})
