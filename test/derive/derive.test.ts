import { describe, expect, test } from "vitest"
import { atStep, derive, type Switches } from "../../src/derive/derive.js"
import { Underivable } from "../../src/derive/read.js"
import { formatCondition, formatExponent, formatMin, parseCondition } from "../../src/exponent/grammar.js"
import { InputError } from "../../src/inputError.js"
import type { OptimiserName } from "../../src/program/optimiser.js"
import { schemeNamed } from "../../src/scheme/catalogue.js"
import { type SchemeDefinition, scheme } from "../../src/scheme/scheme.js"

const derived = (name: string, values = {}, switches: Partial<Switches> = {}, optimiser: OptimiserName = "adam") =>
  derive(scheme({ ...schemeNamed(name), optimiser }, values), switches)

const QUANTITIES = ["zA", "b", "zB", "delta1", "delta2", "delta3"]

/** The worked tables of [Init], [LoRA+] and our notes: t, then the exponents of `QUANTITIES`. */
const WORKED: [string, Record<string, string>, [number, string][]][] = [
  [
    "init-a",
    { c: "-1/2" },
    [
      [1, "0 -1/2 -1/2 -inf -1/2 -inf"],
      [2, "1/2 -1/2 0 0 -1/2 0"],
      [3, "1/2 -1/2 0 0 0 0"],
    ],
  ],
  [
    "init-b",
    { c: "-1" },
    [
      [1, "0 0 0 0 -inf -inf"],
      [2, "0 0 0 0 -1 -1"],
    ],
  ],
  [
    "lora-plus",
    { cA: "-1", cB: "0" },
    [
      [1, "0 0 0 -inf 0 -inf"],
      [2, "0 0 0 0 0 0"],
    ],
  ],
  ["lora-plus", { cA: "-3/4", cB: "-1/4" }, [[3, "1/4 -1/4 0 0 0 0"]]],
  ["init-b", { c: "-1/2" }, [[2, "1/2 0 1/2 1/2 0 0"]]],
]

describe.each(["adam", "sign"] as const)("worked tables, %s", (optimiser) => {
  test.each(WORKED)("%s at %o", (name, values, rows) => {
    const { quantities } = derived(name, values, {}, optimiser)
    for (const [t, expected] of rows)
      expect(QUANTITIES.map((q) => formatExponent(atStep(quantities[q]!, t))).join(" ")).toBe(expected)
    const last = rows.at(-1)!
    expect(QUANTITIES.map((q) => formatExponent(atStep(quantities[q]!, last[0] + 100))).join(" ")).toBe(
      name === "init-b" && values.c === "-1/2" ? "1/2 0 1/2 1/2 0 0" : last[1],
    )
  })

  test("Init[B] with rates (−1, 0)", () => {
    const definition: SchemeDefinition = { ...schemeNamed("init-b"), rates: { A: "cA", B: "cB" }, optimiser }
    const { quantities } = derive(scheme(definition, { cA: "-1", cB: "0" }))
    const row = (t: number) => QUANTITIES.map((q) => formatExponent(atStep(quantities[q]!, t))).join(" ")
    expect([row(1), row(2)]).toEqual(["0 0 0 0 -inf -inf", "0 0 0 0 0 0"])
  })
})

describe("statements", () => {
  test.each([
    ["init-a", "c <= -1/2", "c == -1/2"],
    ["init-b", "c <= -1", "never"],
    ["lora-plus", "cB <= 0 and cA + cB <= -1", "cA + cB == -1 and cA >= -1"],
    [
      "init-ab",
      "a0 + b0 <= 0 and a0 + cB <= 0 and b0 + cA <= -1 and cA + cB <= -1",
      "cA + cB == -1 and a0 - 1 <= cA and cA <= -1 - b0"
        .replace("a0 - 1 <= cA", "a0 - cA <= 1")
        .replace("cA <= -1 - b0", "b0 + cA <= -1"),
    ],
  ])("%s is stable iff %s, efficient iff %s", (name, stable, efficient) => {
    const result = derived(name)
    expect(formatCondition(result.stable)).toBe(stable)
    expect(result.efficient.equals(parseCondition(efficient))).toBe(true)
  })

  test("largest rates of the paper's two theorems", () => {
    expect(formatMin(derived("init-a").largestRate.features!)).toBe("-1/2")
    expect(formatMin(derived("init-b").largestRate.features!)).toBe("-1")
    expect(derived("lora-plus").largestRate.features).toBeNull()
  })

  test("feature learning: Init[A] iff c = −1/2, Init[B] iff c = −1", () => {
    expect(formatCondition(derived("init-a").featureLearning)).toBe("c == -1/2")
    expect(formatCondition(derived("init-b").featureLearning)).toBe("c == -1")
  })

  test("the switches decide: from t = 2 Init[A] is never efficient, nor with zA = O(1)", () => {
    expect(formatCondition(derived("init-a", {}, { from: 2 }).efficient)).toBe("never")
    expect(formatCondition(derived("init-a", {}, { stableIncludesZA: true }).efficient)).toBe("never")
  })

  test("[LoRA+] Theorem 1: one rate is never efficient and internally stable, whatever the starts", () => {
    const oneRate: SchemeDefinition = { ...schemeNamed("init-ab"), rates: { A: "c", B: "c" } }
    const { efficient, internallyStable } = derive(scheme(oneRate))
    expect(efficient.and(internallyStable).isNever).toBe(true)
  })

  test("with γ[α] = 1 it is possible at c = −1", () => {
    const { efficient, internallyStable } = derive(scheme({ ...schemeNamed("init-a"), multiplier: "1" }))
    expect(formatCondition(efficient.and(internallyStable))).toBe("c == -1")
  })

  test("Stable-LoRA 3.1: on 2c + 1 + s = 0 with small starts all three δ are Θ(1) from t = 3", () => {
    const definition: SchemeDefinition = { ...schemeNamed("init-ab"), rates: { A: "c", B: "c" }, multiplier: "s" }
    const { quantities } = derive(scheme(definition))
    const assumed = parseCondition("2*c + 1 + s == 0 and a0 <= c + 1 and b0 <= c")
    for (const q of ["delta1", "delta2", "delta3"]) {
      const zero = parseCondition(`${formatExponent(atStep(quantities[q]!, 3))} == 0`)
      expect(assumed.isWithin(zero)).toBe(true)
    }
  })
})

describe("refusals", () => {
  test("both factors zero", () =>
    expect(() => scheme({ ...schemeNamed("init-a"), start: { A: "zero", B: "zero" } })).toThrow(InputError))
  test("an unknown symbol", () => expect(() => derived("init-a", { q: "1" })).toThrow(/--set/))
  test("Underivable is an error of its own", () => expect(new Underivable("relu", "why")).toBeInstanceOf(Error))
})
