import { Fraction } from "fraction.js"
import { expect, test } from "vitest"
import { termsOf } from "../../src/derive/terms.js"
import { schemeNamed } from "../../src/scheme/catalogue.js"
import { scheme } from "../../src/scheme/scheme.js"

const INIT_B = scheme({ ...schemeNamed("init-b"), optimiser: "sign" }, { c: "-3/4" })

/**
 * zB = B₀ zA + ΔB zA, with B₀'s entries along one random matrix over n and ΔB = −η sign(dZ zAᵀ) along dZ: an entry of
 * one says nothing of an entry of the other. f sums dZ times either: both sums are even, of one parity.
 */
test("terms along different random tensors are independent, sums over n of squares are not known to be", () => {
  const at = termsOf(INIT_B)
  expect(at("zB", 2)).toMatchObject({ orthogonal: true, others: [{ s: -1n, n: 1n, d: 2n }] })
  expect(at("b", 2)).toMatchObject({ orthogonal: true })
  expect(at("f", 2)).toMatchObject({ orthogonal: false, others: [{ n: 0n }] })
})

/** Over a rank that does not grow nothing is told apart: Z_A's start and its change are one part. */
test("terms of a vector over a fixed index are of one part", () => {
  const initA = scheme({ ...schemeNamed("init-a"), optimiser: "sign" }, { c: "-3/4" })
  expect(termsOf(initA)("zA", 2)).toMatchObject({ orthogonal: false, others: [{ n: 0n }] })
})

test("an alignment given as a symbol that is set is the number given", () => {
  const given = (exponent: string) => ({
    ...schemeNamed("init-a"),
    alignments: [{ between: ["Aᵀ", "Z"] as const, exponent }],
  })
  const [number, symbol] = [
    termsOf(scheme(given("3/4"), { c: "-1" })),
    termsOf(scheme(given("k"), { c: "-1", k: "3/4" })),
  ]
  // A0 has entries of size n^(-1/2): beside 0 at the default 1/2, 1/4 more.
  expect(number("zA", 1)).toMatchObject({ exponent: new Fraction(1, 4) })
  for (const quantity of ["zA", "zB", "f"]) expect(symbol(quantity, 2)).toEqual(number(quantity, 2))
})

/**
 * From Init[B] B moves in the second step, so that A's third follows B₀ᵀ dZ, n^(1/2) dZ, and ΔBᵀ dZ, n^(c + 1) dZ: Adam's
 * quotient in A approaches its limit by the gap −1/2 − c, and so does the alignment of A with its input.
 */
test("an alignment has the corrections of the quotients below its factors", () => {
  const at = termsOf(scheme(schemeNamed("init-b"), { c: "-5/4" }))
  for (const quantity of ["zA", "alignment(zA)"])
    expect(at(quantity, 3)).toMatchObject({ corrections: expect.arrayContaining([new Fraction(3, 4)]) })
})

test("the columns of a batch overlap, a single one has nothing to overlap with", () => {
  const gaps = (batch: number) => {
    const terms = termsOf(scheme({ ...schemeNamed("init-b"), batch }, { c: "-1" }))("alignment(zA)", 1)
    return terms.kind === "zero" ? null : terms.corrections.map((gap) => gap.toFraction())
  }
  expect([gaps(1), gaps(4)]).toEqual([[], ["1"]])
})

/** At c = −1/4 exponents are multiples of 1/4, and so is the least gap by which a quotient can approach its limit. */
test("terms that are one at the point do not crowd out those below them", () => {
  const at = termsOf(scheme(schemeNamed("llama-block/init-a"), { c: "-1/4" }))
  for (const site of ["q", "gate", "up", "down"]) {
    const terms = at(`b[${site}]`, 2)
    expect(terms.kind === "zero" ? null : terms.corrections[0]!.toFraction()).toBe("1/4")
  }
})

/** Steps are read as they are asked for. */
test("what a step says does not depend on which steps were asked before, and settled steps repeat", () => {
  for (const name of ["two-layers-init-a", "squared-sgd-init-a", "toy-init-b"]) {
    const definition = schemeNamed(name)
    const ready = scheme(definition, definition.example!)
    const [upwards, downwards] = [termsOf(ready), termsOf(ready)]
    const steps = [1, 2, 3, 6]
    const told = (at: typeof upwards, order: readonly number[]) =>
      new Map(order.map((t) => [t, Object.keys(ready.program.quantities).map((quantity) => at(quantity, t))]))
    const [up, down] = [told(upwards, steps), told(downwards, steps.toReversed())]
    for (const t of steps) expect(down.get(t)).toEqual(up.get(t))
  }
  const at = termsOf(INIT_B)
  expect(at("zB", 1000)).toEqual(at("zB", 16))
})

/**
 * From Init[B] the gradient of A is B₀ᵀ (n^(−1/2) dZ) Zᵀ = Θ(1): beside ε = n^e the share of entries of Adam's quotient
 * that ε decides (or, ε above it, that it does not) falls as n^(−|e|).
 */
test.each([
  ["-1/4", "1/4"],
  ["1/4", "1/4"],
  ["-3/4", "3/4"],
])("Adam's quotient approaches its limit as its gradient and ε = n^%s separate", (e, gap) => {
  const { A, B } = schemeNamed("init-b").start
  const definition = { name: "eps", title: "", start: { A, B }, rates: { A: "c", B: "c" }, epsilon: e }
  const terms = termsOf(scheme(definition, { c: "-1/2" }))("zA", 1)
  expect(terms.kind === "zero" ? null : terms.corrections.map((each) => each.toFraction())).toEqual([gap])
  const negligible = termsOf(scheme(schemeNamed("init-b"), { c: "-1/2" }))("zA", 1)
  expect(negligible).toMatchObject({ corrections: [] })
})
