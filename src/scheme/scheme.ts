import { Affine } from "../exponent/affine.js"
import { formatAffine, parseAffine, parseCondition } from "../exponent/grammar.js"
import type { Constraint } from "../exponent/system.js"
import { InputError } from "../inputError.js"
import { nearest } from "../nearest.js"
import { dimension, SINGLE } from "../program/dimension.js"
import { type Model, type ModelExponents, onlySite } from "../program/model.js"
import { adapterModel } from "../program/models/adapter.js"
import { stackModel } from "../program/models/stack.js"
import { teacherStudentModel } from "../program/models/teacherStudent.js"
import { BLOCK_SITES, transformerModel } from "../program/models/transformer.js"
import type { Node } from "../program/node.js"
import type { Objective } from "../program/objective.js"
import type { Coefficient } from "../program/operation.js"
import { OPTIMISERS } from "../program/optimiser.js"
import { type Motion, type Program, type StartRule, trainingStep } from "../program/program.js"
import {
  type Alignment,
  checkedDefinition,
  isPair,
  type Rates,
  type SchemeDefinition,
  type Start,
  transformerOf,
} from "./definition.js"

export type { Alignment, Rates, SchemeDefinition }

/** Adam's ε where it is negligible: below every gradient, as the derivation assumes; the libraries' 1e-8 is not. */
const NEGLIGIBLE_EPSILON = 1e-100

/** The symbol that stands for a field that a definition leaves out, and its value unless set or left free. */
const DEFAULTS = {
  rank: { symbol: "rho", value: "0" },
  multiplier: { symbol: "s", value: "0" },
  readout: { symbol: "o", value: "1/2" },
  inputWidth: { symbol: "d", value: "1" },
} as const

/** A scheme ready to be read: its program, the start of every factor, and the symbols that are still free. */
export interface Scheme {
  readonly definition: SchemeDefinition
  readonly program: Program
  /** The start of each trained leaf. */
  readonly start: ReadonlyMap<Node, Coefficient | "zero">
  /** Per site. */
  readonly rates: readonly Readonly<Record<"A" | "B", Affine | "frozen">>[]
  /** The exponents of multiplier, readout and rank, of Adam's ε where it is not negligible, and of the bound on the gradients' norm. */
  readonly sizes: {
    readonly multiplier: Affine
    readonly readout: Affine
    readonly input: Affine
    readonly inputWidth: Affine
    readonly rank: Affine
    readonly epsilon: Affine | null
    readonly clip: Affine | null
  }
  readonly alignments: readonly { readonly between: readonly [string, string]; readonly exponent: Affine }[]
  readonly symbols: readonly string[]
  /** What is assumed of the symbols: ρ ≥ 0, d ≥ 0 and the definition's own. */
  readonly domain: readonly Constraint[]
}

/**
 * The scheme of a definition, with some symbols set.
 *
 * @param values symbol → exponent text; setting `c` on a scheme with two rates sets both.
 * @param free symbols with a default (`rho`, `s`, `o`, `d`) that stay symbols.
 * @throws InputError as `checkedDefinition`; for a text outside the grammar, or a value for a symbol that the scheme lacks.
 */
export function scheme(
  given: SchemeDefinition,
  values: Readonly<Record<string, string>> = {},
  free: readonly string[] = [],
): Scheme {
  const definition = checkedDefinition(given)
  const { name, start, rateConstants = { A: 1, B: 1 }, optimiser = "adam" } = definition
  const affine = (text: string, field: string) => parseAffine(text, `${name}.${field}`)
  const rates = ratesOf(definition).map(({ A, B }, i) => ({
    A: A === "frozen" ? null : affine(A, `rates[${i}].A`),
    B: B === "frozen" ? null : affine(B, `rates[${i}].B`),
  }))
  const alignments = (definition.alignments ?? []).map(({ between, exponent }) => ({
    between,
    exponent: affine(exponent, `alignments ${between.join(", ")}`),
  }))
  const raw = {
    multiplier: affine(definition.multiplier ?? DEFAULTS.multiplier.symbol, "multiplier"),
    rank: affine(definition.rank ?? DEFAULTS.rank.symbol, "rank"),
    readout: affine(definition.readout ?? DEFAULTS.readout.symbol, "readout"),
    epsilon: definition.epsilon === undefined ? null : affine(definition.epsilon, "epsilon"),
    clip: definition.clip === undefined ? null : affine(definition.clip, "clip"),
    inputWidth: affine(definition.inputWidth ?? DEFAULTS.inputWidth.symbol, "inputWidth"),
    input: affine(definition.input ?? "0", "input"),
    startA: start.A === "zero" ? null : affine(start.A.exponent, "start.A"),
    startB: start.B === "zero" ? null : affine(start.B.exponent, "start.B"),
  }
  const forms = [
    ...rates.flatMap(({ A, B }) => [A, B]),
    ...alignments.map(({ exponent }) => exponent),
    ...Object.values(raw),
  ]
  const known = symbolsOf(forms)
  const settings = readSettings(values, known)
  requireKnown(free, known)
  for (const field of ["rank", "multiplier", "readout", "inputWidth"] as const) {
    const { symbol, value } = DEFAULTS[field]
    const isOpen = definition[field] === undefined && !settings.has(symbol) && !free.includes(symbol)
    if (isOpen) settings.set(symbol, parseAffine(value))
  }
  const set = (form: Affine) => form.substitute(settings)
  const rank = set(raw.rank)
  const sizes = { multiplier: set(raw.multiplier), readout: set(raw.readout), input: set(raw.input) }
  const epsilon = raw.epsilon && set(raw.epsilon)
  const clip = raw.clip && set(raw.clip)
  const motion = (side: "A" | "B", form: Affine | null): Motion | "frozen" => {
    if (form === null) return "frozen"
    const { weightDecay = 0, shrinkage = 0 } = definition
    const rate = { constant: rateConstants[side], power: set(form) }
    return { rate, weightDecay, shrinkage: side === "A" ? shrinkage : 0 }
  }
  const objective = objectiveOf(definition)
  const inputWidth = set(raw.inputWidth)
  const model = modelOf(definition, sizes, { inputWidth, rank }, objective)
  const program = trainingStep(model, {
    objective,
    optimiser: OPTIMISERS[optimiser],
    epsilon: {
      constant: definition.epsilonConstant ?? (raw.epsilon === null ? NEGLIGIBLE_EPSILON : 1),
      power: epsilon,
    },
    start: startRule(definition, model),
    motions: rates.map(({ A, B }) => ({ A: motion("A", A), B: motion("B", B) })),
    clip: clip && { constant: 1, power: clip },
  })
  const factor = (side: Start, form: Affine | null): Coefficient | "zero" =>
    side === "zero" || form === null ? "zero" : { constant: side.constant ?? 1, power: set(form) }
  return {
    definition,
    program,
    sizes: { ...sizes, inputWidth, rank, epsilon, clip },
    start: new Map(
      program.starts.flatMap(({ A, B }) => [
        [A, factor(start.A, raw.startA)],
        [B, factor(start.B, raw.startB)],
      ]),
    ),
    rates: rates.map(({ A, B }) => ({ A: A ? set(A) : "frozen", B: B ? set(B) : "frozen" })),
    symbols: symbolsOf(forms.map((form) => form && set(form))),
    alignments: alignments.map(({ between, exponent }) => ({ between, exponent: withinHalf(set(exponent), name) })),
    domain: domainOf(definition, [rank, inputWidth, ...alignments.flatMap(bounds)], set),
  }
}

/** The model of a definition. */
function modelOf(
  { name, network, model, spaces = { input: "nIn", output: "n" } }: SchemeDefinition,
  exponents: ModelExponents,
  sizes: { readonly inputWidth: Affine; readonly rank: Affine },
  objective: Objective,
): Model {
  const n = dimension("n", Affine.constant(1))
  const rank = dimension("r", sizes.rank)
  if (network !== undefined) return stackModel(network, [n, rank], exponents, objective)
  if (model !== undefined && model.kind !== "teacher-student")
    return transformerModel(transformerOf(model, `${name}.model`), [n, rank], exponents, objective)
  if (model !== undefined) return teacherStudentModel(onlySite(n, n, rank), exponents, objective, model.inputs ?? 5)
  const known = { n, nIn: dimension("nIn", sizes.inputWidth), one: SINGLE }
  return adapterModel(onlySite(known[spaces.input], known[spaces.output], rank), exponents, objective)
}

/** @throws InputError for a start along the gradient that is not subtracted, or of a model that names no gradient. */
function startRule({ name, start, subtractStart = false }: SchemeDefinition, model: Model): StartRule {
  const isAlong = (side: Start) => side !== "zero" && side.along === "gradient"
  const along = { A: isAlong(start.A), B: isAlong(start.B) }
  if ((along.A || along.B) && !(subtractStart && model.gradient !== null))
    throw new InputError({
      field: `${name}.start`,
      given: "along the gradient",
      allowed: "a single adapted layer whose start is subtracted",
      example: "subtractStart: true",
    })
  return { subtracted: subtractStart, along }
}

/** @throws InputError for a batch that is not a positive number of samples, or one of looked-up rows. */
function objectiveOf({ name, loss = "linear", batch = 1, spaces }: SchemeDefinition): Objective {
  const most = spaces?.input === "one" ? 1 : Number.MAX_SAFE_INTEGER
  if (Number.isSafeInteger(batch) && batch >= 1 && batch <= most) return { loss, samples: batch }
  throw new InputError({
    field: `${name}.batch`,
    given: batch,
    allowed: most === 1 ? "1: an embedding looks up one row" : "an integer ≥ 1",
    example: "batch: 4",
  })
}

/** The names of a definition's sites in the order of its model's. */
function siteNames({ name, network, model }: SchemeDefinition): readonly string[] {
  if (network !== undefined) return Array.from({ length: network.layers }, (_, l) => `hidden${l + 1}`)
  if (model === undefined || model.kind === "teacher-student") return ["adapter"]
  const { kind, blocks, sites } = transformerOf(model, `${name}.model`)
  const own = BLOCK_SITES[kind].filter((site) => sites.includes(site))
  return Array.from({ length: blocks }, () => own).flat()
}

/** The rates of each site; @throws InputError for pairs of other sites than the model's, or another number of them. */
function ratesOf(definition: SchemeDefinition): readonly Rates[] {
  const { name, rates } = definition
  const names = siteNames(definition)
  if (isPair(rates)) return names.map(() => rates)
  const given = Array.isArray(rates) ? rates : names.map((site) => (rates as Readonly<Record<string, Rates>>)[site])
  const isKnown = Array.isArray(rates) || Object.keys(rates).every((site) => names.includes(site))
  if (isKnown && given.length === names.length && given.every((pair) => pair !== undefined)) return given
  throw new InputError({
    field: `${name}.rates`,
    given: Array.isArray(rates) ? `${rates.length} pairs` : `pairs for ${Object.keys(rates).join(", ")}`,
    allowed: `one pair for all adapters, or ${names.length}, one for each of ${names.join(", ")}`,
    example: '{ A: "c", B: "c" }',
  })
}

/** The forms that are ≥ 0 for an alignment's exponent in [1/2, 1]. */
function bounds({ exponent }: { readonly exponent: Affine }): Affine[] {
  return [exponent.minus(Affine.constant("1/2")), Affine.constant(1).minus(exponent)]
}

/** @throws InputError for a number outside [1/2, 1]. */
function withinHalf(exponent: Affine, name: string): Affine {
  if (!exponent.isConstant || bounds({ exponent }).every((form) => form.constant.compare(0) >= 0)) return exponent
  throw new InputError({
    field: `${name}.alignments`,
    given: formatAffine(exponent),
    allowed: "an exponent in [1/2, 1], or a symbol",
    example: "Aᵀ,Z=3/4",
  })
}

function domainOf(
  { domain, name }: SchemeDefinition,
  sizes: readonly Affine[],
  set: (form: Affine) => Affine,
): Constraint[] {
  const [given = []] = domain === undefined ? [] : parseCondition(domain, `${name}.domain`).pieces
  const constraints = [...given, ...sizes.map((size) => ({ form: size.negated, relation: "<=" }) as const)]
  return constraints.map(({ form, relation }) => ({ form: set(form), relation })).filter(({ form }) => !form.isConstant)
}

function symbolsOf(forms: readonly (Affine | null)[]): string[] {
  return [...new Set(forms.flatMap((form) => form?.symbols ?? []))].sort()
}

function requireKnown(free: readonly string[], known: readonly string[]): void {
  for (const symbol of free)
    if (!known.includes(symbol))
      throw new InputError({
        field: "--free",
        given: symbol,
        allowed: `a symbol of the scheme: ${known.join(", ")}`,
        nearest: nearest(symbol, known),
        example: `--free ${known[0] ?? "o"}`,
      })
}

function readSettings(values: Readonly<Record<string, string>>, known: readonly string[]): Map<string, Affine> {
  const settings = new Map<string, Affine>()
  for (const [symbol, text] of Object.entries(values)) {
    const both = symbol === "c" && !known.includes("c") && known.includes("cA") && known.includes("cB")
    if (!both && !known.includes(symbol))
      throw new InputError({
        field: "--set",
        given: `${symbol}=${text}`,
        allowed: known.length > 0 ? `a value for ${known.join(", ")}` : "nothing: this scheme has no free symbol",
        nearest: nearest(symbol, known),
        example: `--set ${known[0] ?? "c"}=-1/2`,
      })
    const value = parseAffine(text, `--set ${symbol}`)
    for (const name of both ? ["cA", "cB"] : [symbol]) settings.set(name, value)
  }
  const cyclic = [...settings].find(([, form]) => form.symbols.some((s) => settings.has(s)))
  if (cyclic !== undefined)
    throw new InputError({
      field: "--set",
      given: `${cyclic[0]}=${formatAffine(cyclic[1])}`,
      allowed: "a value in symbols that are not set themselves",
      example: "--set cA=-1",
    })
  return settings
}
