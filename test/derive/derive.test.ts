import { describe, expect, test } from "vitest"
import { atStep, derive, type Switches } from "../../src/derive/derive.js"
import { Underivable } from "../../src/derive/underivable.js"
import type { Condition } from "../../src/exponent/condition.js"
import { formatCondition, formatExponent, formatMin, parseAffine, parseCondition } from "../../src/exponent/grammar.js"
import { InputError } from "../../src/inputError.js"
import type { OptimiserName } from "../../src/program/optimiser.js"
import { recurrenceOf } from "../../src/prove/recurrence.js"
import { CATALOGUE, schemeNamed } from "../../src/scheme/catalogue.js"
import { onModel } from "../../src/scheme/onModel.js"
import { type SchemeDefinition, scheme } from "../../src/scheme/scheme.js"

const derived = (name: string, values = {}, switches: Partial<Switches> = {}, optimiser?: OptimiserName) =>
  derive(scheme({ ...schemeNamed(name), ...(optimiser && { optimiser }) }, values), switches)

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
    expect(result.efficient!.equals(parseCondition(efficient))).toBe(true)
  })

  test("largest rates of the paper's two theorems", () => {
    expect(formatMin(derived("init-a").largestRate.features!)).toBe("-1/2")
    expect(formatMin(derived("init-b").largestRate.features!)).toBe("-1")
    expect(derived("lora-plus").largestRate.features).toBeNull()
  })

  test("feature learning: Init[A] iff c = −1/2, Init[B] iff c = −1", () => {
    expect(formatCondition(derived("init-a").featureLearning!)).toBe("c == -1/2")
    expect(formatCondition(derived("init-b").featureLearning!)).toBe("c == -1")
  })

  test("the switches decide: from t = 2 Init[A] is never efficient, nor with zA = O(1)", () => {
    expect(formatCondition(derived("init-a", {}, { from: 2 }).efficient!)).toBe("never")
    expect(formatCondition(derived("init-a", {}, { stableIncludesZA: true }).efficient!)).toBe("never")
  })

  test("[LoRA+] Theorem 1: one rate is never efficient and internally stable, whatever the starts", () => {
    const oneRate: SchemeDefinition = { ...schemeNamed("init-ab"), rates: { A: "c", B: "c" } }
    const { efficient, internallyStable } = derive(scheme(oneRate))
    expect(efficient!.and(internallyStable).isNever).toBe(true)
  })

  test("with γ[α] = 1 it is possible at c = −1", () => {
    const { efficient, internallyStable } = derive(scheme({ ...schemeNamed("init-a"), multiplier: "1" }))
    expect(formatCondition(efficient!.and(internallyStable))).toBe("c == -1")
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

/** A catalogue scheme with symbols that have a default left free. */
const freed = (name: string, free: readonly string[], values = {}) => derive(scheme(schemeNamed(name), values, free))
const says = (condition: Condition | null, text: string) =>
  expect(condition!.equals(parseCondition(text)), `${formatCondition(condition!)} is not ${text}`).toBe(true)

describe("output level, theory of features and outputs", () => {
  test.each([
    ["init-a", "c + 1 - o <= 0 and 2*c + 2 - o <= 0", { "1/2": "-3/4", "3/4": "-5/8", "1": "-1/2" }],
    ["init-b", "2*c + 2 - o <= 0 and c <= o - 3/2", { "1/2": "-1", "3/4": "-3/4", "1": "-1/2" }],
  ])("%s: f = O(1) iff %s", (name, region, bounds) => {
    const { stableOutput } = freed(name, ["o"])
    says(stableOutput, region)
    for (const [o, bound] of Object.entries(bounds)) {
      says(stableOutput.substitute(new Map([["o", parseAffine(o)]])), `c <= ${bound}`)
      says(derived(name, { o }).stableOutput, `c <= ${bound}`)
      expect(formatMin(derived(name, { o }).largestRate.output!)).toMatch(new RegExp(`(^|[ (])${bound}($|[,)])`))
    }
  })
})

describe("rank n^rho, multiplier n^s", () => {
  test("Init[A]", () => {
    const { stable } = freed("init-a", ["rho", "s"])
    says(stable.and(parseCondition("rho >= 0")), "c <= -(1 + rho + s)/2 and c <= -rho - s and rho >= 0")
  })
  test("Init[B] with s = 0: −1 up to rank n, −(1 + ρ)/2 beyond", () => {
    const { stable } = derived("init-b-rank")
    says(stable.and(parseCondition("rho >= 0")), "c <= -1 and c <= -(1 + rho)/2 and rho >= 0")
  })
  test("output level with sigma = rho + s", () => {
    const { stableOutput } = freed("init-a", ["rho", "s", "o"])
    const sigma = "(rho + s)"
    says(
      stableOutput.and(parseCondition("rho >= 0")),
      `c <= -1 + o/2 - ${sigma}/2 and c <= o - 1 - ${sigma} and rho >= 0`,
    )
    says(
      freed("init-b-rank", ["s", "o"]).stableOutput.and(parseCondition("rho >= 0")),
      `c <= o - 3/2 - s - rho/2 and c <= (o - 2 - ${sigma})/2 and rho >= 0`,
    )
  })
  test("once both factors have moved, sums over r in δ¹ and δ³ give r, not √r", () => {
    const { quantities } = derived("init-a", { c: "-1/2", rho: "1/2" })
    const limit = (name: string) => formatExponent(quantities[name]!.limit)
    // c + 1 + c + rho with B of size c: aligned sums over r.
    expect(["delta1", "delta2", "delta3"].map(limit)).toEqual(["1/2", "1/2", "1/2"])
  })
})

test("input width n^d: one learning rate's bounds depend on the input width, not the output's", () => {
  says(freed("init-a", ["d"]).stable.and(parseCondition("d >= 0")), "2*c + d <= 0 and c <= 0 and d >= 0")
  says(freed("init-b", ["d"]).stable.and(parseCondition("d >= 0")), "c + d <= 0 and d >= 0")
})

describe("gradient descent", () => {
  test("the layer's bound −1 − γ[dZ] for Init[A], with γ[dZ] = −o", () =>
    says(freed("sgd-init-a", ["o"]).stable, "c <= -1 + o"))
  test("Init[B] is bounded by its first step: Bᵀ dZ sums n independent terms", () =>
    says(freed("sgd-init-b", ["o"]).stable, "c <= o - 3/2"))
  test("beyond the bound Z_A and Z_B grow without end", () => {
    const { quantities } = freed("sgd-init-a", ["o"])
    says(quantities.zA!.grows, "c > -1 + o")
    says(quantities.zB!.grows, "c > -1 + o")
  })
  test("[LoRA+] Proposition 1: no rate of the toy gives δ¹ = δ² = Θ(1) from either start; other starts do", () => {
    says(derived("toy-init-a").efficient, "never")
    says(derived("toy-init-b").efficient, "never")
    says(derived("toy-init-a").quantities.zA!.grows, "c > -1/2")
    const row = (name: string) =>
      ["delta1", "delta2", "delta3"].map((d) => formatExponent(derived(name, { c: "-1/2" }).quantities[d]!.limit))
    expect(row("toy-init-a")).toEqual(["-1/2", "-1/2", "-1/2"])
    expect(row("toy-init-b")).toEqual(["1/2", "1/2", "1/2"])
    const other = { ...schemeNamed("toy-init-a"), start: { A: { exponent: "-1/4" }, B: { exponent: "-1/4" } } }
    expect(derive(scheme(other, { c: "-1/2" })).efficient!.isNever).toBe(false)
  })
})

describe("several layers", () => {
  test.each([
    ["two-layers-init-a", "c <= -1/2", "-3/4"],
    ["two-layers-init-b", "c <= -1", "-1"],
    ["three-layers-init-b", "c <= -1", "-1"],
  ])("%s", (name, stable, output) => {
    says(derived(name).stable, stable)
    says(derived(name).stableOutput, `c <= ${output}`)
  })
  test("Init[B] on all L layers: output bound −1 + (o − 1/2)/L at o = 1", () => {
    says(derived("two-layers-init-b", { o: "1" }).stableOutput, "c <= -3/4")
    says(derived("three-layers-init-b", { o: "1" }).stableOutput, "c <= -5/6")
  })
})

describe("a squared loss, whose gradient is the residual", () => {
  const squared = (name: string, values: Record<string, string> = {}) =>
    derive(scheme({ ...schemeNamed(name), loss: "squared", batch: 4 }, values))
  test.each(["init-a", "init-b", "lora-plus"])(
    "%s under Adam has the bounds of a linear loss, if no sign flips",
    (name) => {
      const [own, linear] = [squared(name), derived(name)]
      expect(own.stable.equals(linear.stable) && own.stableOutput.equals(linear.stableOutput)).toBe(true)
      expect(own.assumptions.some((text) => text.includes("residual's sign"))).toBe(true)
      expect(linear.assumptions.some((text) => text.includes("residual's sign"))).toBe(false)
    },
  )
  // c <= -1 - γ[dZ], dZ = n^(-o) times the residual, which f0 makes n^(1/2 - o) for o < 1/2 and Θ(1) beyond.
  test.each([
    ["1/4", "-1"],
    ["1/2", "-1/2"],
    ["3/4", "-1/4"],
  ])("gradient descent from Init[A] at o = %s: c <= %s, and growth without end beyond", (o, bound) => {
    const { stable, undecided, quantities } = squared("sgd-init-a", { o })
    says(stable, `c <= ${bound}`)
    expect(undecided.isNever).toBe(true)
    says(quantities.zB!.grows, `c > ${bound}`)
  })
  test("an embedding looks up one row", () =>
    expect(() => scheme({ ...schemeNamed("embedding"), batch: 4 })).toThrow(/batch/))
})

describe("the catalogue", () => {
  test.each(CATALOGUE.map((definition) => [definition.name, definition] as const))("%s is derived", (_, definition) => {
    const { stable, undecided } = derive(scheme(definition))
    expect(stable.isNever).toBe(false)
    expect(undecided.isNever).toBe(true)
    expect(scheme(definition, definition.example).symbols).toEqual([])
  })
  test.each([
    ["peft-gaussian", "c <= -1/2", "never"],
    ["peft-orthogonal", "c <= -1", "never"],
    ["embedding", "c <= 0", "c <= 0"],
    ["mica", "c <= -1/2", "c <= -1"],
    // ‖A0 Z‖ = n^sigma ‖Z‖ along the inputs: ΔB Z_A is n^(c + sigma + 1/2).
    ["peft-lora-ga", "c <= -1/2 and c + sigma <= -1/2", "c <= -1 and sigma <= -1/2"],
    ["muon-init-a", "c <= 0", "c <= -1/2"],
    ["muon-init-b", "c <= -1/2", "c <= -1/2"],
    // By hand: B's entries are √n times the raw ones, A's (a wide matrix) as raw: zA = c + 1/2, B = c.
    ["muon-original-init-a", "c <= -1/4", "c <= -1/2"],
    ["muon-original-init-b", "c <= -1/2", "c <= -1/2"],
    // Both √n times the raw ones: as large as Adam's.
    ["muon-rms-init-a", "c <= -1/2", "c <= -1"],
    ["muon-rms-init-b", "c <= -1", "c <= -1"],
    // By hand: U V^T has entries n^(-1/2), torch's are √n times those: B = cB - 1/2 or cB; Z_A = max(0, cA + 1).
    ["adam-a-muon-b", "cB <= 1/2 and cA + cB <= -1/2", "cB <= 1/2 and cA <= -1"],
    // By hand: of one sample V is G² exactly, so that a step is a sign: Adam's bounds.
    ["adafactor-init-a", "c <= -1/2", "c <= -1"],
    ["adafactor-init-b", "c <= -1", "c <= -1"],
    // By hand: B₀ A₀ Z = n^(sigma - 1/2) n^(sigma - 1/2) n, kept; A₀ Z = n^(sigma + 1/2).
    ["lora-one", "c <= -1/2 and sigma <= 0", "c <= -1 and sigma <= -1/2"],
    // By hand: an entry n^(sigma/2 - 1/2) of B₀ times ΔZ_A = n^(c + 1).
    ["milora", "c <= -1/2 and 2 * c + sigma <= -1", "c <= -1 and 2 * c + sigma <= -1 and 2 * k + sigma <= 0"],
    // By hand: every gradient is n^(-e) times as large, which only rules with a scale see.
    ["expert-init-a", "c <= -1/2", "c <= -1"],
    ["expert-sgd-init-a", "c - e <= -1/2", "c - e <= -1/2"],
    ["expert-epsilon-init-a", "c - e <= -1/2", "c - e <= -1/2"],
    // By hand: λ_b moves n^cb beside B (0.1 + λ_d) A x = Θ(1 + n^cd).
    ["vera", "cb <= 0 and cb + cd <= 0", "cb <= 0 and cb + cd <= 0"],
    // By hand: B R A x = n^(-1/2) n^c n^(sigma + k).
    ["lora-xs", "c + k + sigma <= 1/2", "k + sigma <= 0 and c + k + sigma <= 1/2"],
    // By hand: δm ∘ W x = n^cm beside B A x; the norm moves by at most n^(2c), n^(-1) at the bound.
    ["dora", "c <= -1/2 and cm <= 0", "c <= -1 and cm <= 0"],
    ["dora-detached", "c <= -1/2 and cm <= 0", "c <= -1 and cm <= 0"],
    ["adam-a-muon-original-b", "cB <= 0 and cA + cB <= -1", "cB <= 0 and cA <= -1"],
  ])("%s: stable iff %s, internally iff %s", (name, stable, internally) => {
    says(derived(name).stable, stable)
    says(derived(name).internallyStable, internally)
  })
  // By hand: a diagonal moves along sign(w ∘ y), so that w meets it in an aligned sum: n^(1 - o) more than the features.
  test.each([
    ["vera", "cb <= -1/2 and cb + cd <= -1/2"],
    ["dora", "c <= -3/4 and cm <= -1/2"],
    ["dora-detached", "c <= -3/4 and cm <= -1/2"],
    ["lora-xs", "c + k + sigma <= 1/2"],
    ["lora-one", "c <= -3/4 and sigma <= -1/4"],
  ])("%s: the output stays O(1) iff %s", (name, output) => {
    says(derived(name).stableOutput, output)
  })
  // By hand: each trained tensor's own part of ΔZ_B is Θ(1). VeRA's: Δλ_b ∘ B (0.1 + λ_d) A x = n^(cb + max(0, cd)) and
  // λ_b ∘ B Δλ_d A x = n^(cb + cd). DoRA's: LoRA's two, n^(2c + 1) each, and Δm ∘ W x = n^cm.
  test.each([
    ["vera", "cb + cd == 0 and cb <= 0", "cb + cd == 0 and cb <= 0 or cb == 0 and cd <= 0"],
    ["lora-xs", "c + k + sigma == 1/2", "c + k + sigma == 1/2"],
    ["dora", "c == -1/2 and cm == 0", "c == -1/2 and cm <= 0 or cm == 0 and c <= -1/2"],
    ["dora-detached", "c == -1/2 and cm == 0", "c == -1/2 and cm <= 0 or cm == 0 and c <= -1/2"],
  ])("%s is efficient iff %s, learns features iff %s", (name, efficient, learns) => {
    const { domain } = scheme(schemeNamed(name))
    const within = (text: string) => parseCondition(text).within(domain)
    expect(formatCondition(derived(name).efficient!)).toBe(formatCondition(within(efficient).merged()))
    expect(derived(name).featureLearning!.equals(within(learns))).toBe(true)
  })
  test("with the start subtracted the bound on a0 + b0 drops", () => {
    const definition = { ...schemeNamed("init-ab"), subtractStart: true }
    says(derive(scheme(definition)).stable, "a0 + cB <= 0 and b0 + cA <= -1 and cA + cB <= -1")
  })
})

describe("an alignment of the user's own", () => {
  const aligned = (exponent: string, between: readonly [string, string] = ["Aᵀ", "Z"]) =>
    derive(scheme({ ...schemeNamed("init-a"), alignments: [{ between, exponent }] }))
  test("A₀ aligned with the data, symbolic: Z_A starts at k - 1/2, and c + k - 1/2 <= 0 follows from k <= 1", () => {
    const { quantities, stable, internallyStable } = aligned("k")
    says(stable, "c <= -1/2")
    says(internallyStable.and(parseCondition("k >= 1/2")), "c <= -1 and k == 1/2")
    expect(formatExponent(quantities.zA!.steps[0]!)).toBe("k - 1/2")
  })
  test("k = 1/2 is what the program says", () =>
    expect(formatCondition(aligned("1/2").stable)).toBe(formatCondition(derived("init-a").stable)))
  test.each([
    ["2", ["Aᵀ", "Z"]],
    ["3/4", ["Q", "Z"]],
  ] as const)("%s of %s is refused", (exponent, between) =>
    expect(() => aligned(exponent, between)).toThrow(InputError),
  )
})

describe("refusals", () => {
  test("both factors zero", () =>
    expect(() => scheme({ ...schemeNamed("init-a"), start: { A: "zero", B: "zero" } })).toThrow(InputError))
  test("a start along the gradient of a network whose gradient is not known before training", () =>
    expect(() => scheme({ ...schemeNamed("lora-one"), model: { kind: "teacher-student" } })).toThrow(
      /along the gradient/,
    ))
  test("symbols of DoRA on three sites side by side: LoRA's bound and the magnitude's own", () => {
    const block = onModel("llama-block", schemeNamed("dora"))
    const { stable, efficient } = derive(scheme({ ...block, model: { kind: "llama-block", sites: ["q", "k", "v"] } }))
    says(stable, "c <= -1/2 and cm <= 0")
    says(efficient!, "c == -1/2 and cm == 0")
  })
  test("symbols of DoRA on a whole block, by name", () =>
    expect(() => derive(scheme(onModel("llama-block", schemeNamed("dora"))))).toThrow(/norms of weights at 7 sites/))
  test("a matrix that is known from above only has no inverse: scaled GD on a block", () =>
    expect(() => derive(scheme(onModel("llama-block", schemeNamed("scaled-sgd-init-a"))))).toThrow(/from below/))
  test("weight decay beside a start along the gradient that is kept", () =>
    expect(() => scheme({ ...schemeNamed("lora-one"), weightDecay: 0.1 })).toThrow(/weightDecay/))
  test("a proof for an expert, or for a kept start along the gradient", () => {
    expect(() => recurrenceOf(scheme(schemeNamed("expert-init-a")))).toThrow(/share/)
    expect(() => recurrenceOf(scheme(schemeNamed("lora-one")))).toThrow(/along the gradient/)
    expect(() => recurrenceOf(scheme(schemeNamed("vera")))).toThrow(/adapter vera/)
  })
  test("symbols that split into hundreds of regions", () =>
    expect(() => derive(scheme({ ...schemeNamed("adam-epsilon"), loss: "squared", batch: 4 }))).toThrow(
      /c, e split into/,
    ))
  test("an unknown symbol", () => expect(() => derived("init-a", { q: "1" })).toThrow(/--set/))
  test("Underivable is an error of its own", () => expect(new Underivable("relu", "why")).toBeInstanceOf(Error))
})
