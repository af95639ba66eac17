import type { FormJson, RecurrenceJson, Term } from "../../proofs/kernel.js"
import type { Affine } from "../exponent/affine.js"
import { Affine as Form } from "../exponent/affine.js"
import { InputError } from "../inputError.js"
import { optimiserText } from "../scheme/definition.js"
import type { Scheme } from "../scheme/scheme.js"

/** An affine form as the kernel reads it. */
export function formJson(form: Affine): FormJson {
  const entries = [...form.coefficients].map(([name, q]) => [name, q.toFraction()])
  return Object.fromEntries(form.constant.n === 0n ? entries : [...entries, ["", form.constant.toFraction()]])
}

const read = new WeakMap<FormJson, Affine>()

/** The affine form that the kernel would read. A recurrence's forms are read in every step. */
export function affineOf(json: FormJson): Affine {
  const known = read.get(json)
  if (known !== undefined) return known
  const form = Object.entries(json).reduce(
    (sum, [name, q]) => sum.plus(name === "" ? Form.constant(q) : Form.symbol(name).times(q)),
    Form.ZERO,
  )
  read.set(json, form)
  return form
}

const of = (name: string): Term => ({ of: name })
const next = (name: string): Term => ({ next: name })
const form = (affine: Affine): Term => ({ form: formJson(affine) })
const number = (q: string): Term => form(Form.constant(q))
const NONE: Term = { zero: true }

/** The max of terms, without those that are −∞. */
function max(...terms: readonly Term[]): Term {
  const some = terms.flatMap((term) => ("max" in term ? term.max : "zero" in term ? [] : [term]))
  return some.length === 0 ? NONE : some.length === 1 ? some[0]! : { max: some }
}

/** The sum of terms, its forms added up. */
function sum(...terms: readonly Term[]): Term {
  if (terms.some((term) => "zero" in term)) return NONE
  const parts = terms.flatMap((term) => ("sum" in term ? term.sum : [term]))
  const constant = parts.reduce((total, part) => ("form" in part ? total.plus(affineOf(part.form)) : total), Form.ZERO)
  const rest = parts.filter((part) => !("form" in part))
  if (rest.length === 0) return form(constant)
  const all = constant.key === Form.ZERO.key ? rest : [form(constant), ...rest]
  return all.length === 1 ? all[0]! : { sum: all }
}

/** 0 where the term is finite, which forms always are. */
function unit(term: Term): Term {
  if ("zero" in term) return NONE
  if ("form" in term) return number("0")
  if ("max" in term) return term.max.some((part) => "form" in part) ? number("0") : { unit: max(...term.max.map(bare)) }
  return { unit: bare(term) }
}

/** The term without its forms, which decide nothing about being finite. */
function bare(term: Term): Term {
  return "sum" in term ? sum(...term.sum.filter((part) => !("form" in part))) : term
}

/**
 * The recursion of one adapted layer, [Init] section 3 with every exponent a symbol, written by hand and independent of
 * the engine, which must agree with it (see `agreement`).
 *
 * A factor is its start and what was added to it: z0 = γ[A₀ Z] and b0 = γ[B₀] stay, the moved parts are the state,
 * zM = max(zM, c_A + d + g_A) and bM = max(bM, c_B + g_B). B₀ is random in dZ's direction (Bᵀ₀ dZ sums as n^(1/2)), the
 * moved part lies along it (n^1). For sign and Adam g = 0 wherever there is a gradient; for gradient descent it is the
 * gradient's size. A sum over the rank r = n^ρ of B₀ with A₀ gives n^(ρ/2); of B₀ with the moved A, which lies along
 * sign(Bᵀ₀ dZ), the larger of that and of n^(ρ − 1/2); all others n^ρ.
 *
 * @throws InputError for a scheme with several layers, of a transformer's block, with other optimisers, clipped gradients,
 * frozen factors, a subtracted start, spaces of its own beside the toy's, or a domain with a strict inequality.
 */
export function recurrenceOf({ definition, program, start, rates, sizes, domain }: Scheme): RecurrenceJson {
  const { network, model, subtractStart = false, spaces } = definition
  const optimiser = optimiserText(definition)
  const [rate] = rates
  const isToy = spaces?.output === "one" && spaces.input !== "one"
  const refuse = (given: string, allowed: string): never => {
    throw new InputError({ field: `${definition.name}, to be proven`, given, allowed, example: "--scheme init-a" })
  }
  if (definition.adapter !== undefined && definition.adapter !== "lora")
    refuse(`adapter ${definition.adapter}`, "LoRA's two factors")
  if (network !== undefined) refuse("several layers", "one adapted layer")
  if (model !== undefined && model.kind !== "teacher-student") refuse(`model ${model.kind}`, "one adapted layer")
  if (!["adam", "sign", "sgd"].includes(optimiser) || sizes.epsilon !== null)
    refuse(`optimiser ${optimiser}`, "adam with negligible ε, sign or sgd")
  if (sizes.clip !== null) refuse("gradient clipping", "gradients that are not clipped")
  if (definition.weightDecay) refuse("weight decay", "no weight decay")
  const starts = [definition.start.A, definition.start.B]
  if (starts.some((own) => own !== "zero" && own.along === "gradient"))
    refuse("a start along the gradient", "a start that is random or zero")
  if (sizes.share.key !== Form.ZERO.key) refuse("an expert's share of the tokens", "all tokens")
  if (subtractStart) refuse("a subtracted start", "a start that is kept")
  if (spaces !== undefined && !isToy) refuse("an adapter of other spaces", "a hidden layer's or the toy's")
  if (domain.some(({ relation }) => relation === "<")) refuse("a domain with < or >", "a domain of <=, >= and ==")
  if (!rate || rate.A === "frozen" || rate.B === "frozen") return refuse("a frozen factor", "two trained factors")

  const { A, B } = program.starts[0]!
  const { multiplier: s, readout: o, rank: rho, inputWidth: d, input } = sizes
  const startOf = (node: typeof A, plus: Affine): Term => {
    const deviation = start.get(node)!
    return deviation === "zero" ? NONE : form(deviation.power.plus(plus))
  }
  const scaleFree = (term: Term): Term => (optimiser === "sgd" ? term : unit(term))
  const factorsOfInput = form(optimiser === "sgd" ? input.times(2) : input)
  // The gradients' sizes; w = n^(−o) dZ, and 1 in the toy, whose output is one number.
  const readout = isToy ? number("0") : form(o.negated)
  const z0 = startOf(A, d.times("1/2").plus(input))
  const b0 = startOf(B, Form.ZERO)
  const alongW = (bM: Term) => (isToy ? max(bM, b0) : max(sum(bM, number("1")), sum(b0, number("1/2"))))
  const gradientA = sum(form(s), readout, alongW(of("bM")))
  const gradientB = sum(form(s), readout, max(of("zM"), z0))
  const moveA = sum(form(rate.A), form(d), factorsOfInput, scaleFree(gradientA))
  const moveB = sum(form(rate.B), scaleFree(gradientB))
  const half = form(rho.times("1/2"))
  const spread = max(half, form(rho.minus(Form.constant("1/2"))))
  const applied = ({ b0, bM, z0, zM }: Readonly<Record<"b0" | "bM" | "z0" | "zM", Term>>) => {
    const moved = max(zM, z0)
    return sum(form(s), max(sum(bM, form(rho), moved), sum(b0, spread, zM), sum(b0, half, z0)))
  }
  const after = { b0, bM: next("bM"), z0, zM: next("zM") }
  const before = { b0, bM: of("bM"), z0, zM: of("zM") }
  const zB = applied(after)
  // Stable-LoRA takes a part of A away beside the update.
  const changeA = definition.shrinkage ? max(moveA, of("zM"), z0) : moveA
  const delta1 = applied({ ...before, z0: NONE, zM: changeA })
  const delta2 = applied({ ...before, b0: NONE, bM: moveB })
  const delta3 = applied({ b0: NONE, bM: moveB, z0: NONE, zM: changeA })
  // Bᵀ₀ w lies along the moved A; so does the moved B.
  const output = sum(
    form(s.minus(o)),
    max(
      sum(after.bM, form(rho.plus(Form.constant(1))), max(after.zM, z0)),
      sum(b0, number("1/2"), max(sum(form(rho), after.zM), sum(half, z0))),
    ),
  )
  return {
    start: { zM: NONE, bM: NONE },
    step: { zM: max(of("zM"), moveA), bM: max(of("bM"), moveB) },
    quantities: {
      zA: max(after.zM, z0),
      b: max(after.bM, b0),
      zB,
      delta1,
      delta2,
      delta3,
      deltaZB: max(delta1, delta2, delta3),
      f: isToy ? zB : output,
    },
    domain: domain.flatMap(({ form, relation }) => (relation === "==" ? [form, form.negated] : [form])).map(formJson),
  }
}
