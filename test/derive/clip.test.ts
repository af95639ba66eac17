import { describe, expect, test } from "vitest"
import { atStep, derive } from "../../src/derive/derive.js"
import type { Condition } from "../../src/exponent/condition.js"
import { formatCondition, formatExponent, parseCondition } from "../../src/exponent/grammar.js"
import { InputError } from "../../src/inputError.js"
import { recurrenceOf } from "../../src/prove/recurrence.js"
import { schemeNamed } from "../../src/scheme/catalogue.js"
import { type SchemeDefinition, scheme } from "../../src/scheme/scheme.js"

const says = (condition: Condition, text: string) =>
  expect(condition.equals(parseCondition(text)), `${formatCondition(condition)} is not ${text}`).toBe(true)

/** The derived exponents of every quantity at t = 1 … 5 and in the limit, as texts. */
function exponents(definition: SchemeDefinition, values: Readonly<Record<string, string>> = {}) {
  const { quantities } = derive(scheme(definition, values))
  return Object.fromEntries(
    Object.entries(quantities).map(([name, quantity]) => [
      name,
      [1, 2, 3, 4, 5, 100].map((t) => formatExponent(atStep(quantity, t))),
    ]),
  )
}

describe("a direction without a scale", () => {
  // sign(G f) = sign(G), and m / √v of gradients that are scaled alike is what it was: no exponent moves.
  test.each([
    ["init-a", {}],
    ["init-b", {}],
    // With both starts and both rates free the regions are many, and reading them takes a minute.
    ["init-ab", { a0: "0", b0: "-1/2" }],
    ["lora-plus", {}],
    ["lora-fa", {}],
  ])("%s: clipping changes no exponent", (name, values) => {
    for (const optimiser of ["adam", "sign"] as const)
      for (const clip of ["-2", "0", "1/4"]) {
        const definition: SchemeDefinition = { ...schemeNamed(name), optimiser }
        expect(exponents({ ...definition, clip }, values)).toEqual(exponents(definition, values))
      }
  })
  test("nor does it on two layers, whose gradients share one norm", () => {
    const definition = schemeNamed("two-layers-init-a")
    expect(exponents({ ...definition, clip: "0" })).toEqual(exponents(definition))
  })
})

describe("gradient descent from Init[A], o = 1/2", () => {
  /*
   * By hand. At t = 1 only B has a gradient, w (A Z)ᵀ with entries n^(-1/2) and norm 1, at most a bound n^0: B = n^(c -
   * 1/2). From then on A's gradient (Bᵀ w) Zᵀ has entries n^c and norm n^(c + 1/2). Clipped, where c > -1/2, its
   * entries are n^(-1/2): A moves by n^(c - 1/2) along Z and Z_A grows to n^(c + 1/2), at which both norms are equal
   * and nothing moves any more. So Z_B = B Z_A is n^(2c), and f = ⟨w, Z_B⟩ is n^(1/2) times that.
   */
  const clipped = (values: Readonly<Record<string, string>> = {}, loss: "linear" | "squared" = "linear") =>
    derive(scheme({ ...schemeNamed("clip-sgd-init-a"), loss, batch: loss === "squared" ? 4 : 1 }, values))

  // Under a squared loss the residual, however large, is a factor of every gradient, and the clip takes it out.
  test.each(["linear", "squared"] as const)("%s loss: the bounds are those of the clipped step", (loss) => {
    const { stable, internallyStable, stableOutput, efficient, undecided, quantities } = clipped({}, loss)
    says(stable, "c <= 0")
    says(internallyStable, "c <= -1/2")
    says(stableOutput, "c <= -1/4")
    says(efficient!, "c == 0")
    expect(undecided.isNever).toBe(true)
    expect(quantities.zA!.grows.isNever).toBe(true)
    const limit = (name: string) => formatExponent(quantities[name]!.limit)
    expect(["zA", "b", "zB", "f"].map(limit)).toEqual([
      "max(0, c + 1/2)",
      "c - 1/2",
      "max(c - 1/2, 2 * c)",
      "max(c, 2 * c + 1/2)",
    ])
  })

  test("a bound n^k with k symbolic and below the first norm moves the rate: n^c n^k is one number", () => {
    const { stable, stableOutput } = derive(
      scheme({ ...schemeNamed("sgd-init-a"), clip: "k", domain: "k <= 0 and k >= -1" }),
    )
    const within = parseCondition("k <= 0 and k >= -1")
    says(stable.and(within), "c + k <= 0 and k <= 0 and k >= -1")
    says(stableOutput.and(within), "c + k <= -1/4 and k <= 0 and k >= -1")
  })

  test("a bound above every norm is no bound", () => {
    // Up to c = -1/2 no norm grows: they stay at n^0, below n^(1/4).
    const definition = schemeNamed("sgd-init-a")
    expect(exponents({ ...definition, clip: "1/4" }, { c: "-3/4" })).toEqual(exponents(definition, { c: "-3/4" }))
  })

  test("where growth without end is met by the bound, the step in which it is met decides the limit alone", () => {
    // Unclipped, Z_A grows without end at c = -1/4; clipped to n^(1/4), it ends where n^c n^k says.
    const { quantities } = derive(scheme({ ...schemeNamed("sgd-init-a"), clip: "1/4" }, { c: "-1/4" }))
    expect(quantities.zA!.grows.isNever).toBe(true)
    expect(formatExponent(quantities.zA!.limit)).toBe("1/2")
    expect(formatExponent(quantities.zB!.limit)).toBe("0")
  })
})

test("a factor that is frozen has no part in the norm", () => {
  // LoRA-FA: A's gradient would be clipped from c > -1/2 on; B's alone has norm 1, and nothing is clipped to n^0.
  const definition: SchemeDefinition = { ...schemeNamed("lora-fa"), optimiser: "sgd" }
  expect(exponents({ ...definition, clip: "0" })).toEqual(exponents(definition))
})

test("the assumption is listed, and only where gradients are clipped", () => {
  const assumptions = (name: string) => derive(scheme(schemeNamed(name))).assumptions.join()
  expect(assumptions("clip-init-a")).toMatch(/joint norm/)
  expect(assumptions("init-a")).not.toMatch(/joint norm/)
})

describe("refusals", () => {
  test("a bound that is no exponent is named", () => {
    expect(() => scheme({ ...schemeNamed("init-a"), clip: "max(0, c)" })).toThrow(/init-a\.clip/)
    expect(() => scheme({ ...schemeNamed("init-a"), clip: "one" }, {}, ["two"])).toThrow(InputError)
  })
  test("its symbol is one of the scheme's", () => {
    const definition: SchemeDefinition = { ...schemeNamed("init-a"), clip: "k" }
    expect(scheme(definition).symbols).toEqual(["c", "k"])
    expect(scheme(definition, { k: "0" }).symbols).toEqual(["c"])
    expect(scheme(definition, {}, ["k"]).symbols).toEqual(["c", "k"])
  })
  test("the prover's recurrence has no clipping", () =>
    expect(() => recurrenceOf(scheme(schemeNamed("clip-init-a")))).toThrow(/gradient clipping/))
})
