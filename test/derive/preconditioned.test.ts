import { describe, expect, test } from "vitest"
import { Cell } from "../../src/derive/cell.js"
import { atStep, derive } from "../../src/derive/derive.js"
import { Graded } from "../../src/derive/graded.js"
import { precondition } from "../../src/derive/precondition.js"
import { sizeOf } from "../../src/derive/size.js"
import { termsOf } from "../../src/derive/terms.js"
import { Underivable, UnknownHere } from "../../src/derive/underivable.js"
import { Affine } from "../../src/exponent/affine.js"
import { formatCondition, formatExponent, parseCondition } from "../../src/exponent/grammar.js"
import { dimension } from "../../src/program/dimension.js"
import { Node } from "../../src/program/node.js"
import { schemeNamed } from "../../src/scheme/catalogue.js"
import { type SchemeDefinition, scheme } from "../../src/scheme/scheme.js"

const derived = (name: string, values = {}, free: string[] = [], change: Partial<SchemeDefinition> = {}) =>
  derive(scheme({ ...schemeNamed(name), ...change }, values, free))
const says = (of: ReturnType<typeof derived>, stable: string, efficient: string) => {
  expect(formatCondition(of.stable.and(parseCondition(efficient)))).toBe(formatCondition(parseCondition(efficient)))
  expect(of.stable.equals(parseCondition(stable)), formatCondition(of.stable)).toBe(true)
  expect(of.efficient!.equals(parseCondition(efficient)), formatCondition(of.efficient!)).toBe(true)
}

describe("by hand", () => {
  // B (BᵀB)⁻¹ Bᵀ is a projection: δ¹ = −η w ‖Z‖² = n^(c − o + 1), and so is δ² once A's rows hold Z.
  test.each(["scaled-sgd-init-a", "scaled-sgd-init-b"])("%s: one rate is efficient iff c = o − 1", (name) =>
    says(derived(name, {}, ["o"]), "c - o <= -1", "c - o == -1"),
  )
  test("at a readout of entries 1/n a rate of Θ(1) is efficient and bounds the output", () => {
    const { stableOutput } = derived("scaled-sgd-init-a", { o: "1" })
    expect(formatCondition(stableOutput)).toBe("c <= 0")
  })
  test("from Init[A] the first move of A has size 1 at every rate: (BᵀB)⁻¹ is as large as B's own step is small", () => {
    const { quantities, internallyStable } = derived("scaled-sgd-init-a", {}, ["o"])
    expect(formatExponent(atStep(quantities.zA!, 2))).toBe("1")
    expect(internallyStable.isNever).toBe(true)
  })
  test.each(["scaled-adam-init-a", "scaled-adam-in-turn-init-a"])(
    "%s has Adam's bounds: what stands before a quotient without scale changes none",
    (name) => {
      const [own, adam] = [derived(name, {}, ["o"]), derived("init-a", {}, ["o"])]
      expect(own.stable.equals(adam.stable)).toBe(true)
      expect(own.efficient!.equals(adam.efficient!)).toBe(true)
      expect(own.stableOutput.equals(adam.stableOutput)).toBe(true)
    },
  )
  // ΔB A = −η S Uᵀ with ‖S‖ = 1: entries n^(c − 1/2), and Uᵀ Z = √n once A's rows hold Z; the mean makes S √n times that.
  test.each([
    ["lora-rite-init-a", "c <= 0", "c == 0"],
    ["lora-rite-init-b", "c <= 0", "c == 0"],
    ["lora-rite-mean-init-a", "c <= -1/2", "c == -1/2"],
  ])("%s: stable iff %s, efficient iff %s, at every readout", (name, stable, efficient) =>
    says(derived(name, {}, ["o"]), stable, efficient),
  )
})

describe("LoRA-RITE's momentum from an earlier basis", () => {
  const rite = { optimiser: "lora-rite" } as const
  // γ[A₀] = a0 − 1/2; A moves by n^(cA − 1/2) over B's size, γ[B] + 1/2: both random with columns of norm 1 here.
  test("is derived only where neither factor outgrew its start", () => {
    const { undecided, unknown, stable } = derived("init-ab", { a0: "0", b0: "-1/2" }, [], rite)
    expect(formatCondition(undecided)).toBe("cA >= 0 or cB >= 0")
    expect(unknown).toEqual([expect.stringMatching(/directions of the other factor, which are of two sizes/)])
    expect(formatCondition(stable)).toBe("cA <= 0 and cB <= 0")
  })
  test("is refused by name at numbers where one did", () => {
    const at = { a0: "-1/2", b0: "-1/2", cA: "1/4", cB: "0" }
    expect(() => derived("init-ab", at, [], rite)).toThrow(UnknownHere)
    expect(() => termsOf(scheme({ ...schemeNamed("init-ab"), ...rite }, at))("delta3", 2)).toThrow(/carried/)
  })
  test("above both matrices the damping divides all directions alike", () => {
    const at = { a0: "-1/2", b0: "-1/2", cA: "1/4", cB: "0" }
    expect(derived("init-ab", at, [], { ...rite, damping: "9" }).unknown).toEqual([])
  })
})

describe("the damping δ", () => {
  test("above both matrices scaled GD is gradient descent at the rate η/δ", () => {
    const { stable } = derived("scaled-sgd-init-a", {}, [], { damping: "1" })
    // Gradient descent: c - 1 <= -1/2; BᵀB = n^(2 (c - 1) - 1 + 1) and AAᵀ = 1 stay below δ = n there.
    expect(stable.equals(parseCondition("c <= 1/2"))).toBe(true)
  })
  test("far below it changes nothing", () => {
    const { stable, efficient } = derived("scaled-sgd-init-a", {}, [], { damping: "-20" })
    const rates = parseCondition("c >= -2")
    expect(stable.and(rates).equals(parseCondition("c <= -1/2 and c >= -2"))).toBe(true)
    expect(formatCondition(efficient!)).toBe("c == -1/2")
  })
})

test("a rank that grows is refused by name", () => {
  expect(() => derived("scaled-sgd-init-a", {}, ["rho"])).toThrow(Underivable)
  const [r, n] = [dimension("r", Affine.constant("1/4")), dimension("n", Affine.constant(1))]
  const x = Node.leaf("x", "frozen", [r, n])
  const node = x.precondition(x.times(x.transpose()), 1, { constant: 0, power: null }) as Node<"precondition">
  const even = Graded.even(sizeOf(Affine.ZERO))
  const reading = { cell: new Cell(new Map()), assume: () => {} }
  expect(() => precondition(node, even, [even, null], reading)).toThrow(/n\^\(1\/4\) rows/)
})
