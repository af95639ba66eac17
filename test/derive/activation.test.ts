import fc from "fast-check"
import { expect, test } from "vitest"
import { ACTIVATIONS } from "../../src/derive/activation.js"
import { Cell } from "../../src/derive/cell.js"
import { Graded } from "../../src/derive/graded.js"
import { Parity } from "../../src/derive/parity.js"
import { lead, shifted, sizeOf } from "../../src/derive/size.js"
import { Affine } from "../../src/exponent/affine.js"
import { gaussians } from "../../src/train/random.js"

const cell = () => new Cell(new Map())
const NAMES = ["u", "v", "w"] as const

/** u n^(-g0) + v n^(-g1) + w n^(-g2), each of a base of its own. */
const sumOf = (gaps: readonly number[]) =>
  Graded.of(
    cell(),
    gaps.map((gap, i) => ({ parity: Parity.of(NAMES[i]!, ""), size: sizeOf(Affine.constant(-gap)) })),
  )

const exponents = (of: Graded) =>
  new Map(of.parts.map(({ parity, size }) => [parity.rows, lead(size).constant.valueOf()]))

/** Entries drawn at random; the numbers of a test. */
const COUNT = 400
const draw = (seed: number) => NAMES.map((name) => gaussians(seed, name, COUNT))

/**
 * The root mean square of each part of f(u, v, w): the mean over all signs, weighed by those that the part is odd in.
 */
function measured(f: (u: number, v: number, w: number) => number, [u, v, w]: readonly Float64Array[]) {
  const signs = [0, 1, 2, 3, 4, 5, 6, 7].map((bits) => [0, 1, 2].map((i): number => ((bits >> i) & 1 ? -1 : 1)))
  return new Map(
    [0, 1, 2, 3, 4, 5, 6, 7].map((odd) => {
      const bases = NAMES.filter((_, i) => (odd >> i) & 1)
      const squares = Array.from({ length: COUNT }, (_, k) => {
        const values = signs.map((s) => {
          const weight = s.reduce((product, sign, i) => ((odd >> i) & 1 ? product * sign : product), 1)
          return weight * f(s[0]! * u![k]!, s[1]! * v![k]!, s[2]! * w![k]!)
        })
        return (values.reduce((sum, x) => sum + x, 0) / 8) ** 2
      })
      return [bases.join(), Math.sqrt(squares.reduce((sum, x) => sum + x, 0) / COUNT)]
    }),
  )
}

/** How each part falls with n, from two sizes of 1/n; parts that are zero are left out. */
function slopes(f: (e: number) => (u: number, v: number, w: number) => number, entries: readonly Float64Array[]) {
  const [coarse, fine] = [0.02, 0.01]
  const [x, y] = [measured(f(coarse), entries), measured(f(fine), entries)]
  return new Map(
    [...x].filter(([, size]) => size > 1e-13).map(([bases, size]) => [bases, Math.log2(y.get(bases)! / size)]),
  )
}

function expectSlopes(parts: Map<string, number>, seen: ReadonlyMap<string, number>): void {
  for (const [bases, slope] of seen) expect(parts.get(bases), `${bases} is seen to be n^${slope}`).toBeCloseTo(slope, 0)
  // What no number shows has a size below what numbers hold.
  for (const [bases, exponent] of parts) if (!seen.has(bases)) expect(exponent, bases).toBeLessThan(-5)
}

const gaps = fc.tuple(fc.constant(0), fc.integer({ min: 1, max: 2 }), fc.integer({ min: 1, max: 2 }))

test("the parts of tanh and tanh' fall as they are seen to", () => {
  fc.assert(
    fc.property(gaps, fc.nat(1000), (g, seed) => {
      const argument = (e: number, [u, v, w]: readonly number[]) => u! * e ** g[0] + v! * e ** g[1] + w! * e ** g[2]
      const { value, slope } = ACTIVATIONS.tanh
      const entries = draw(seed)
      expectSlopes(
        exponents(value(sumOf(g), cell())),
        slopes(
          (e) =>
            (...x) =>
              Math.tanh(argument(e, x)),
          entries,
        ),
      )
      expectSlopes(
        exponents(slope(sumOf(g), cell())),
        slopes(
          (e) =>
            (...x) =>
              1 - Math.tanh(argument(e, x)) ** 2,
          entries,
        ),
      )
    }),
    { numRuns: 8 },
  )
})

test("what a change does behind tanh falls as it is seen to, part by part", () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 2 }), fc.nat(1000), (gap, seed) => {
      const at = sumOf([0])
      const by = Graded.of(cell(), [{ parity: Parity.of("v", ""), size: sizeOf(Affine.constant(-gap)) }])
      expectSlopes(
        exponents(ACTIVATIONS.tanh.change(by, at, cell())),
        slopes((e) => (u, v) => Math.tanh(u + v * e ** gap) - Math.tanh(u), draw(seed)),
      )
    }),
    { numRuns: 6 },
  )
})

const exponent = fc.integer({ min: -6, max: 6 }).map((q) => Affine.constant(`${q}/2`))
const tensor = fc.array(fc.tuple(fc.subarray([...NAMES]), exponent), { minLength: 1, maxLength: 4 }).map((parts) =>
  Graded.of(
    cell(),
    parts.map(([bases, form]) => ({ parity: Parity.of(bases.join(), ""), size: sizeOf(form) })),
  ),
)
const size = (of: Graded) => lead(of.size(cell())!).constant.valueOf()

test("ReLU has no scale and keeps the size; a change behind it is as large as the change", () => {
  fc.assert(
    fc.property(tensor, tensor, exponent, (x, by, form) => {
      const { value, change } = ACTIVATIONS.relu
      expect(size(value(x, cell()))).toBe(size(x))
      const scaled = x.map((part) => shifted(part, form))
      expect(value(scaled, cell()).key).toBe(value(x, cell()).map((part) => shifted(part, form)).key)
      expect(size(change(by, x, cell()))).toBe(size(by))
    }),
  )
})

test("tanh is never above 1 and no larger than its argument; a change behind it neither; no change gives none", () => {
  fc.assert(
    fc.property(tensor, tensor, (x, by) => {
      const { value, change } = ACTIVATIONS.tanh
      expect(size(value(x, cell()))).toBe(Math.min(size(x), 0))
      expect(size(change(by, x, cell()))).toBeLessThanOrEqual(Math.min(size(by), 0))
      expect(change(Graded.ZERO, x, cell()).isZero).toBe(true)
    }),
  )
})
