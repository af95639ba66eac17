import { Affine } from "../exponent/affine.js"
import type { Constraint } from "../exponent/system.js"
import { InputError } from "../inputError.js"
import type { AdapterForm } from "../program/adapters/form.js"
import { ADAPTERS } from "../program/adapters/forms.js"
import { dimension, SINGLE } from "../program/dimension.js"
import { type Model, onlySite } from "../program/model.js"
import { adapterModel } from "../program/models/adapter.js"
import { stackModel } from "../program/models/stack.js"
import { teacherStudentModel } from "../program/models/teacherStudent.js"
import { HEAD, transformerModel } from "../program/models/transformer.js"
import { inOrder, type Node } from "../program/node.js"
import type { Objective } from "../program/objective.js"
import type { Coefficient } from "../program/operation.js"
import { OPTIMISERS } from "../program/optimiser.js"
import { type Motion, type Program, type StartRule, trainingStep } from "../program/program.js"
import { optimisersOf, optimiserText, type SchemeDefinition, type Start, transformerOf } from "./definition.js"
import { type Exponents, exponentsOf, mapRates, symbolsOf, type TensorRates } from "./exponents.js"

/** Adam's ε, and δ of an inverse, where they are negligible: below every gradient, as the derivation assumes; the libraries' 1e-8 is not. */
const NEGLIGIBLE_EPSILON = 1e-100

/** A scheme ready to be read: its program, the start of every factor, and the symbols that are still free. */
export interface Scheme {
  readonly definition: SchemeDefinition
  readonly program: Program
  /** The start of each trained leaf. */
  readonly start: ReadonlyMap<Node, Coefficient | "zero">
  /** Per site and trained tensor. */
  readonly rates: readonly TensorRates<Affine | "frozen">[]
  readonly sizes: Exponents["sizes"]
  readonly alignments: Exponents["alignments"]
  readonly symbols: readonly string[]
  /** What is assumed of the symbols: ρ ≥ 0, d ≥ 0 and the definition's own. */
  readonly domain: readonly Constraint[]
}

/**
 * The scheme of a definition that was checked, with some symbols set.
 *
 * @param values symbol → exponent text; setting `c` on a scheme with two rates sets both.
 * @param free symbols with a default (`rho`, `s`, `o`, `d`) that stay symbols.
 * @throws InputError for a text outside the grammar, or a value for a symbol that the scheme lacks.
 */
export function checkedScheme(
  definition: SchemeDefinition,
  values: Readonly<Record<string, string>> = {},
  free: readonly string[] = [],
): Scheme {
  const { exponents, domain } = exponentsOf(definition, values, free)
  return schemeOf(definition, exponents, domain)
}

/** The scheme with other exponents of its factors' starts and rates, of whose symbols nothing is assumed. */
export function withExponents(
  { definition, program, start, rates, sizes, alignments }: Scheme,
  other: {
    readonly start: (side: "A" | "B", own: Affine) => Affine
    /** Of each site, by its place. */
    readonly rate: (tensor: string, site: number, own: Affine) => Affine
  },
): Scheme {
  const startOf = (side: "A" | "B") => {
    const own = start.get(program.starts[0]![side])!
    return own === "zero" ? null : other.start(side, own.power)
  }
  const exponents: Exponents = {
    start: { A: startOf("A"), B: startOf("B") },
    rates: rates.map((site, i) =>
      mapRates(site, (own, tensor) => (own === "frozen" ? null : other.rate(tensor, i, own))),
    ),
    sizes,
    alignments,
  }
  return schemeOf(definition, exponents, [])
}

/** The program of a definition at its exponents. */
function schemeOf(definition: SchemeDefinition, exponents: Exponents, domain: readonly Constraint[]): Scheme {
  const { start, rateConstants = {} } = definition
  const rules = Object.entries(optimisersOf(definition))
  const { rates, sizes, alignments } = exponents
  const motion = (power: Affine | null, tensor: string): Motion | "frozen" => {
    if (power === null) return "frozen"
    const { weightDecay = 0, shrinkage = 0 } = definition
    const rate = { constant: (rateConstants as Readonly<Record<string, number>>)[tensor] ?? 1, power }
    return { rate, weightDecay, shrinkage: tensor === "A" ? shrinkage : 0 }
  }
  const objective = objectiveOf(definition, sizes.share)
  const adapter = adapterOf(definition)
  const own = modelOf(definition, sizes, objective)
  const model: Model = {
    ...own,
    adapter,
    ...(adapter.mostBases === undefined ? {} : { mostBases: adapter.mostBases }),
  }
  const program = trainingStep(model, {
    objective,
    optimisers: Object.fromEntries(rules.map(([tensor, rule]) => [tensor, OPTIMISERS[rule]])),
    epsilon: {
      constant: definition.epsilonConstant ?? (sizes.epsilon === null ? NEGLIGIBLE_EPSILON : 1),
      power: sizes.epsilon,
    },
    damping: { constant: sizes.damping === null ? NEGLIGIBLE_EPSILON : 1, power: sizes.damping },
    start: startRule(definition, model),
    motions: rates.map((site) => mapRates(site, motion)),
    clip: sizes.clip && { constant: 1, power: sizes.clip },
  })
  requireRead(definition, program)
  const factor = (side: "A" | "B"): Coefficient | "zero" => {
    const [own, power] = [start[side], exponents.start[side]]
    return own === "zero" || power === null ? "zero" : { constant: own.constant ?? 1, power }
  }
  return {
    definition,
    program,
    sizes,
    start: new Map(
      program.starts.flatMap(({ A, B }) => [
        [A, factor("A")],
        [B, factor("B")],
      ]),
    ),
    rates: rates.map((site) => mapRates(site, (own) => own ?? "frozen")),
    symbols: symbolsOf(exponents),
    alignments,
    domain,
  }
}

/** @throws InputError for an epsilon, or a damping, that no update rule of the program reads. */
function requireRead(definition: SchemeDefinition, program: Program): void {
  const readers = { epsilon: "rootRatio", damping: "precondition" } as const
  const given = Object.entries(readers).filter(([field]) => definition[field as keyof typeof readers] !== undefined)
  if (given.length === 0) return
  const read = new Set(inOrder([...program.next.values()]).map(({ op }) => op))
  const odd = given.find(([, op]) => !read.has(op))
  if (odd === undefined) return
  const [field, op] = odd
  const isEpsilon = op === "rootRatio"
  throw new InputError({
    field: `${definition.name}.${field}`,
    given: definition[field as keyof typeof readers],
    allowed: `none with ${optimiserText(definition)}, which ${isEpsilon ? "divides by no root of a second moment" : "inverts no matrix"}`,
    example: `optimiser: ${isEpsilon ? "adam" : "scaled-sgd"}`,
  })
}

/** The model of a definition. */
function modelOf(
  { name, network, model, adapter = "lora", spaces = { input: "nIn", output: "n" } }: SchemeDefinition,
  sizes: Scheme["sizes"],
  objective: Objective,
): Model {
  const n = dimension("n", Affine.constant(1))
  const rank = dimension("r", sizes.rank)
  if (network !== undefined) return stackModel(network, [n, rank], sizes, objective)
  if (model !== undefined && model.kind !== "teacher-student")
    return transformerModel(transformerOf(model, `${name}.model`), [n, rank], sizes, objective)
  if (model !== undefined) return teacherStudentModel(onlySite(n, n, rank), sizes, objective, model.inputs ?? 5)
  const known = { n, nIn: dimension("nIn", sizes.inputWidth), one: SINGLE }
  const weights = ADAPTERS[adapter].readsWeights ? "named" : "implied"
  return adapterModel(onlySite(known[spaces.input], known[spaces.output], rank), sizes, objective, weights)
}

/**
 * The adapter of a definition;
 * @throws InputError where it stands beside something that is read of LoRA's two factors alone, or of other weights.
 */
function adapterOf({
  name,
  adapter = "lora",
  subtractStart,
  weightDecay,
  network,
  spaces,
  model,
}: SchemeDefinition): AdapterForm {
  const form: AdapterForm = ADAPTERS[adapter]
  const refuse = (field: string, given: unknown, allowed: string, example: string): never => {
    throw new InputError({
      field: `${name}.${field}`,
      given,
      allowed: `${allowed}, beside adapter: ${adapter}`,
      example,
    })
  }
  if (form.extras.length === 0) return form
  if (subtractStart) return refuse("subtractStart", true, "false", "subtractStart: false")
  if (weightDecay)
    return refuse("weightDecay", weightDecay, "0: it would act on what was added to the start", "weightDecay: 0")
  if (form.readsWeights && network !== undefined)
    return refuse(
      "network",
      network,
      "none: a norm of weights is read of rows of norm 1",
      "model: { kind: llama-block }",
    )
  if (form.readsWeights && model !== undefined && "sites" in model && model.sites?.includes(HEAD))
    return refuse("model.sites", HEAD, "layers of a block: the readout is no matrix of rows of norm 1", "sites: [q, v]")
  if (form.readsWeights && spaces !== undefined && (spaces.input === "one" || spaces.output === "one"))
    return refuse("spaces", spaces, "a hidden layer's", "spaces: { input: nIn, output: n }")
  return form
}

/** @throws InputError for a start along the gradient of a model that names no gradient. */
function startRule(
  { name, start, subtractStart = false, weightDecay = 0, shrinkage = 0 }: SchemeDefinition,
  model: Model,
): StartRule {
  const isAlong = (side: Start) => side !== "zero" && side.along === "gradient"
  const along = { A: isAlong(start.A), B: isAlong(start.B) }
  if ((along.A || along.B) && model.gradient === null)
    throw new InputError({
      field: `${name}.start`,
      given: "along the gradient",
      allowed: "a single adapted layer, whose gradient is known before training",
      example: '{ exponent: "-1/2" }',
    })
  if ((along.A || along.B) && !subtractStart && (weightDecay > 0 || shrinkage > 0))
    throw new InputError({
      field: `${name}.${weightDecay > 0 ? "weightDecay" : "shrinkage"}`,
      given: weightDecay || shrinkage,
      allowed: "0 beside a start along the gradient that is kept: it would act on what was added to the start alone",
      example: "weightDecay: 0",
    })
  return { subtracted: subtractStart, along }
}

/** @throws InputError for a batch that is not a positive number of samples, or one of looked-up rows. */
function objectiveOf({ name, loss = "linear", batch = 1, spaces }: SchemeDefinition, share: Affine): Objective {
  const most = spaces?.input === "one" ? 1 : Number.MAX_SAFE_INTEGER
  if (Number.isSafeInteger(batch) && batch >= 1 && batch <= most)
    return { loss, samples: batch, ...(share.key === Affine.ZERO.key ? {} : { share }) }
  throw new InputError({
    field: `${name}.batch`,
    given: batch,
    allowed: most === 1 ? "1: an embedding looks up one row" : "an integer ≥ 1",
    example: "batch: 4",
  })
}
