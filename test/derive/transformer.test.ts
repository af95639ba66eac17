import fc from "fast-check"
import { Fraction } from "fraction.js"
import { expect, test } from "vitest"
import { Cell } from "../../src/derive/cell.js"
import { type Derivation, derive } from "../../src/derive/derive.js"
import { recursion } from "../../src/derive/recursion.js"
import { lead } from "../../src/derive/size.js"
import { termsOf } from "../../src/derive/terms.js"
import type { Condition } from "../../src/exponent/condition.js"
import { formatCondition, formatExponent } from "../../src/exponent/grammar.js"
import { holdsAt } from "../../src/exponent/system.js"
import { BLOCK_SITES, type BlockKind } from "../../src/program/models/transformer.js"
import { schemeNamed } from "../../src/scheme/catalogue.js"
import { initA } from "../../src/scheme/initA.js"
import { initB } from "../../src/scheme/initB.js"
import { loraPlus } from "../../src/scheme/loraPlus.js"
import { NETWORK_SCHEMES } from "../../src/scheme/networks.js"
import { onModel } from "../../src/scheme/onModel.js"
import { type SchemeDefinition, scheme } from "../../src/scheme/scheme.js"

/** A block with one adapted site. */
const at = (kind: "llama-block" | "bert-block", site: string, definition: SchemeDefinition): SchemeDefinition => ({
  ...definition,
  batch: 4,
  model: { kind, sites: [site] },
})

/**
 * Three residual layers are a deep model, whose parts along products of random tensors are too many to tell apart. By
 * docs/theory.md the k-th adapter in a row has (k + 1) c <= -(k + 1)/2 at one rate, so that no bound moves.
 */
test.each([
  ["Init[A]", "tanh", initA, "c <= -1/2", "c <= -3/4"],
  ["Init[B]", "relu", initB, "c <= -1", "c <= -1"],
] as const)("%s on three residual layers of %s", (_, activation, definition, stable, output) => {
  const derivation = derive(scheme({ ...definition, network: { layers: 3, activation, residual: true } }))
  expect(formatCondition(derivation.stable)).toBe(stable)
  expect(formatCondition(derivation.stableOutput)).toBe(output)
  expect(derivation.undecided.isNever).toBe(true)
})

/**
 * Each site alone follows the paper's bounds for one layer: Z_B = O(1) iff c ≤ −1/2 from Init[A], c ≤ −1 from Init[B].
 */
test.each([
  ["llama-block", "q"],
  ["llama-block", "v"],
  ["llama-block", "gate"],
  ["llama-block", "down"],
  ["bert-block", "query"],
  ["bert-block", "output"],
] as const)("%s: %s alone has the bounds of one layer", (kind, site) => {
  const [a, b] = [initA, initB].map((definition) => derive(scheme(at(kind, site, definition))))
  expect(formatCondition(a!.stable)).toBe("c <= -1/2")
  expect(formatCondition(b!.stable)).toBe("c <= -1")
  expect(formatCondition(a!.undecided.or(b!.undecided))).toBe("never")
})

/**
 * What stands before the readout is bounded like one layer under it (o = 1/2); queries act through weights that sum to
 * 1.
 */
test("the output bounds a layer before the readout more than its features, and queries not at all", () => {
  expect(formatCondition(derive(scheme(at("llama-block", "down", initA))).stableOutput)).toBe("c <= -3/4")
  expect(formatCondition(derive(scheme(at("llama-block", "q", initA))).stableOutput)).toBe("always")
})

test("all sites at once: the bounds of each, and the derivation names what it assumes", () => {
  const { stable, stableSites, stableOutput, efficient, assumptions, undecided } = derive(
    scheme(onModel("llama-block", initA)),
  )
  expect(formatCondition(stable)).toBe("c <= -1/2")
  expect(Object.values(stableSites).map(formatCondition)).toEqual(Array(7).fill("c <= -1/2"))
  expect(formatCondition(stableOutput)).toBe("c <= -3/4")
  expect(formatCondition(efficient!)).toBe("c == -1/2")
  expect(formatCondition(undecided)).toBe("never")
  expect(assumptions.join()).toMatch(/attention/)
})

/** With one symbol the bounds of each site are those of one layer: c ≤ −1/2 and c ≤ −1 are the paper's. */
test.each([
  ["bert-block", "c <= -1/2", initA],
  ["bert-block", "c <= -1", initB],
] as const)("on a %s %s: every site alone and all together have the bounds of one layer", (kind, bound, definition) => {
  const { stable, stableSites, undecided } = derive(scheme(onModel(kind, definition)))
  expect([stable, ...Object.values(stableSites)].map(formatCondition)).toEqual(
    Array(1 + BLOCK_SITES[kind].length).fill(bound),
  )
  expect(formatCondition(undecided)).toBe("never")
})

/**
 * Beyond c = −1 the stream before gate and up is n^(c + 1) of what v adds, a new vector: along it A moves by n^c, and
 * gradients behind the norm are n^(c + 1) times smaller than those of the first step, which Adam remembers. So zA[up]
 * is n · n^c · n^−(c + 1) = 1; gate, whose slope is odd in B[gate], meets its own start in its gradient from step 2 on.
 */
test("Init[B] on a block as in Llama: beyond the bound up stays bounded, its input being a new vector", () => {
  const { stable, stableSites, quantities } = derive(scheme(onModel("llama-block", initB)))
  const bounds = Object.fromEntries(Object.entries(stableSites).map(([site, bound]) => [site, formatCondition(bound)]))
  expect(formatCondition(stable)).toBe("c <= -1")
  expect(bounds).toEqual({
    ...Object.fromEntries(BLOCK_SITES["llama-block"].map((site) => [`[${site}]`, "c <= -1"])),
    "[up]": "c <= -1/2",
  })
  for (const site of ["gate", "up"]) expect(formatExponent(quantities[`zA[${site}]`]!.steps[0]!)).toBe("min(0, c + 1)")
})

/**
 * At c = −3/4 the norm behind v leaves n^(−1/4) of the old stream, and so do gate and up: A of down, which moved by n^c
 * along SiLU's even part times the old up, meets n^(−1/4) of it, and adds up n · n^c · n^(−1/4). At c = −1/4 zA[gate]
 * is a sum of n independent products of size n^c.
 */
test.each([
  ["zA[down]", "-3/4", "0"],
  ["zA[gate]", "-1/4", "1/4"],
])("Init[B] on a block as in Llama: %s at c = %s after the first step is n^%s", (quantity, c, exponent) => {
  const first = termsOf(scheme(onModel("llama-block", initB), { c }))(quantity, 1)
  expect(first.kind === "power" && first.exponent.toFraction()).toBe(exponent)
})

/** LoRA+ on all sites of a block, derived once: it takes seconds. */
const twoRates = new Map<BlockKind, Derivation>()
function withTwoRates(kind: BlockKind): Derivation {
  const derivation = twoRates.get(kind) ?? derive(scheme(onModel(kind, loraPlus)))
  twoRates.set(kind, derivation)
  return derivation
}

/**
 * Regions, and leaving out those where all bounds are broken, are held against what is read at single points for all t:
 * there nothing is left out.
 */
test.each(["llama-block", "bert-block"] as const)("%s with two rates: bounds are those read point by point", (kind) => {
  const { stable, stableOutput, stableSites, outgrown, undecided } = withTwoRates(kind)
  expect(formatCondition(undecided)).toBe("never")
  expect(Object.keys(stableSites)).toEqual(BLOCK_SITES[kind].map((site) => `[${site}]`))
  const eighth = fc.integer({ min: -14, max: 1 })
  fc.assert(
    fc.property(eighth, eighth, (a, b) => {
      const values = { cA: `${a}/8`, cB: `${b}/8` }
      const at = new Map(Object.entries(values).map(([name, text]) => [name, new Fraction(text)]))
      const isIn = ({ pieces }: Condition) => pieces.some((piece) => piece.every((each) => holdsAt(each, at)))
      const own = derive(scheme(onModel(kind, loraPlus), values))
      expect([values, isIn(stable), isIn(stableOutput)]).toEqual([
        values,
        !own.stable.isNever,
        !own.stableOutput.isNever,
      ])
      const sites = Object.entries(stableSites).map(([tag, bound]) => [tag, isIn(bound)])
      expect([values, sites]).toEqual([
        values,
        Object.entries(own.stableSites).map(([tag, bound]) => [tag, !bound.isNever]),
      ])
      if (isIn(outgrown)) expect(isIn(stable) || isIn(stableOutput)).toBe(false)
    }),
    { numRuns: 40 },
  )
})

/** Three sites that read the stream as it is follow one layer's bounds ([LoRA+]) whatever becomes of those behind. */
test("LoRA+ on a whole block: q, k and v have the bounds of one layer, what reads v has narrower ones", () => {
  const { stableSites } = withTwoRates("llama-block")
  const one = derive(scheme(loraPlus)).stable
  for (const site of ["q", "k", "v"]) expect(formatCondition(stableSites[`[${site}]`]!)).toBe(formatCondition(one))
  const inTurn = ["[v]", "[o]", "[gate]", "[down]"].map((tag) => stableSites[tag]!)
  for (const [before, after] of inTurn.slice(1).map((bound, i) => [inTurn[i]!, bound] as const)) {
    expect(after.isWithin(before)).toBe(true)
    expect(before.isWithin(after)).toBe(false)
  }
})

/** LoRA+ at (−1, 0) is stable for one layer ([LoRA+]), also for v or o alone; not where one adapter follows another. */
test("LoRA+ at (-1, 0) is stable at v and at o alone, and is not at o behind v", () => {
  const stableAt = (sites: readonly string[]) => {
    const definition = { ...loraPlus, batch: 4, model: { kind: "llama-block" as const, sites } }
    return !derive(scheme(definition, { cA: "-1", cB: "0" })).stable.isNever
  }
  expect([["v"], ["o"], ["v", "o"]].map(stableAt)).toEqual([true, true, false])
})

/**
 * Joining parts of many bases changes no exponent where all bases can be told apart; what is known may become a bound.
 */
test.each(NETWORK_SCHEMES.filter(({ rates }) => !Array.isArray(rates)).map((each) => [each.name, each] as const))(
  "%s: parts along many random tensors joined, the exponents are the same",
  (_, definition) => {
    const whole = scheme(definition, definition.example)
    const { program } = whole
    const joined = { ...whole, program: { ...program, model: { ...program.model, mostBases: 2 } } }
    const [x, y] = [whole, joined].map((each) => recursion(each, new Cell(new Map()))!.steps)
    for (const [t, { sizes }] of x!.entries())
      for (const [name, size] of Object.entries(sizes))
        expect(y![t]?.sizes[name] && lead(y![t].sizes[name]).key).toBe(size && lead(size).key)
  },
)

test("weights' norms at many sites are refused with how to set the symbols", () => {
  const definition: SchemeDefinition = { ...schemeNamed("dora"), model: { kind: "llama-block" } }
  expect(() => derive(scheme(definition))).toThrow(
    "set all of c, cm, as with --set c=-1/2 cm=-1/2, or adapt at most 3 sites",
  )
})
