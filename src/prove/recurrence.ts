import type { FormJson, RecurrenceJson, Term } from "../../proofs/kernel.js"
import type { Affine } from "../exponent/affine.js"
import { Affine as Form } from "../exponent/affine.js"
import { InputError } from "../inputError.js"
import type { Scheme } from "../scheme/scheme.js"

/** An affine form as the kernel reads it. */
export function formJson(form: Affine): FormJson {
  const entries = [...form.coefficients].map(([name, q]) => [name, q.toFraction()])
  return Object.fromEntries(form.constant.n === 0n ? entries : [...entries, ["", form.constant.toFraction()]])
}

/** The affine form that the kernel would read. */
export function affineOf(json: FormJson): Affine {
  return Object.entries(json).reduce(
    (sum, [name, q]) => sum.plus(name === "" ? Form.constant(q) : Form.symbol(name).times(q)),
    Form.ZERO,
  )
}

const of = (name: string): Term => ({ of: name })
const next = (name: string): Term => ({ next: name })
const max = (...terms: Term[]): Term => ({ max: terms })
const sum = (...terms: Term[]): Term => ({ sum: terms })
const form = (affine: Affine): Term => ({ form: formJson(affine) })
const number = (q: string): Term => form(Form.constant(q))

/**
 * The recursion of one adapted layer, [Init] section 3 with every exponent a symbol, written by hand and independent of
 * the engine, which must agree with it (see `agreement`).
 *
 * The state holds the start's part and the moved part of either factor: z0 = γ[A₀ Z] and b0 = γ[B₀] never change;
 * zM = max(zM, c_A + d + g_A) and bM = max(bM, c_B + g_B). B₀ is random in dZ's direction (Bᵀ₀ dZ sums as n^(1/2)), the
 * moved part lies along it (n^1). For sign and Adam g = 0 wherever there is a gradient; for gradient descent it is the
 * gradient's size. A sum over the rank r = n^ρ of B₀ with A₀ gives n^(ρ/2); of B₀ with the moved A, which lies along
 * sign(Bᵀ₀ dZ), the larger of that and of n^(ρ − 1/2); all others n^ρ.
 *
 * @throws InputError for a scheme with several layers, other optimisers, frozen factors, a subtracted start or spaces of
 * its own beside the toy's.
 */
export function recurrenceOf({ definition, program, start, rates, sizes, domain }: Scheme): RecurrenceJson {
  const { optimiser = "adam", network, subtractStart = false, spaces } = definition
  const [rate] = rates
  const isToy = spaces?.output === "one" && spaces.input !== "one"
  const refuse = (given: string, allowed: string): never => {
    throw new InputError({ field: `${definition.name}, to be proven`, given, allowed, example: "--scheme init-a" })
  }
  if (network !== undefined) refuse("several layers", "one adapted layer")
  if (!["adam", "sign", "sgd"].includes(optimiser) || sizes.epsilon !== null)
    refuse(`optimiser ${optimiser}`, "adam with negligible ε, sign or sgd")
  if (definition.weightDecay) refuse("weight decay", "no weight decay")
  if (subtractStart) refuse("a subtracted start", "a start that is kept")
  if (spaces !== undefined && !isToy) refuse("an adapter of other spaces", "a hidden layer's or the toy's")
  if (!rate || rate.A === "frozen" || rate.B === "frozen") return refuse("a frozen factor", "two trained factors")

  const { A, B } = program.starts[0]!
  const { multiplier: s, readout: o, rank: rho, inputWidth: d, input } = sizes
  const startOf = (node: typeof A, plus: Affine): Term => {
    const deviation = start.get(node)!
    return deviation === "zero" ? { zero: true } : form(deviation.power.plus(plus))
  }
  const scaleFree = (term: Term): Term => (optimiser === "sgd" ? term : { unit: term })
  const factorsOfInput = form(optimiser === "sgd" ? input.times(2) : input)
  // The gradients' sizes; w = n^(−o) dZ, and 1 in the toy, whose output is one number.
  const readout = isToy ? number("0") : form(o.times(-1))
  const alongW = (b0: Term, bM: Term) => (isToy ? max(bM, b0) : max(sum(bM, number("1")), sum(b0, number("1/2"))))
  const gradientA = sum(form(s), readout, alongW(of("b0"), of("bM")))
  const gradientB = sum(form(s), readout, max(of("zM"), of("z0")))
  const moveA = sum(form(rate.A), form(d), factorsOfInput, scaleFree(gradientA))
  const moveB = sum(form(rate.B), scaleFree(gradientB))
  const half = form(rho.times("1/2"))
  const spread = max(half, form(rho.minus(Form.constant("1/2"))))
  const applied = (b0: Term, bM: Term, z0: Term, zM: Term) =>
    sum(form(s), max(sum(bM, form(rho), max(zM, z0)), sum(b0, spread, zM), sum(b0, half, z0)))
  const none: Term = { zero: true }
  const after = { b0: next("b0"), bM: next("bM"), z0: next("z0"), zM: next("zM") }
  const zB = applied(after.b0, after.bM, after.z0, after.zM)
  // Stable-LoRA takes a part of A away beside the update.
  const changeA = definition.shrinkage ? max(moveA, of("zM"), of("z0")) : moveA
  const delta1 = applied(of("b0"), of("bM"), none, changeA)
  const delta2 = applied(none, moveB, of("z0"), of("zM"))
  const delta3 = applied(none, moveB, none, changeA)
  // ⟨w, Bᵀ₀⟩ lies along the moved A; so does the moved B.
  const output = sum(
    form(s.minus(o)),
    max(
      sum(after.bM, form(rho.plus(Form.constant(1))), max(after.zM, after.z0)),
      sum(after.b0, number("1/2"), max(sum(form(rho), after.zM), sum(half, after.z0))),
    ),
  )
  return {
    start: { z0: startOf(A, d.times("1/2").plus(input)), zM: none, b0: startOf(B, Form.ZERO), bM: none },
    step: { z0: of("z0"), zM: max(of("zM"), moveA), b0: of("b0"), bM: max(of("bM"), moveB) },
    quantities: {
      zA: max(after.zM, after.z0),
      b: max(after.bM, after.b0),
      zB,
      delta1,
      delta2,
      delta3,
      deltaZB: max(delta1, delta2, delta3),
      f: isToy ? zB : output,
    },
    domain: domain.map(({ form }) => formJson(form)),
  }
}
