import { Affine } from "../exponent/affine.js"
import type { Constraint } from "../exponent/system.js"
import { InputError } from "../inputError.js"
import { dimension, SINGLE } from "../program/dimension.js"
import { type Model, onlySite } from "../program/model.js"
import { adapterModel } from "../program/models/adapter.js"
import { stackModel } from "../program/models/stack.js"
import { teacherStudentModel } from "../program/models/teacherStudent.js"
import { transformerModel } from "../program/models/transformer.js"
import type { Node } from "../program/node.js"
import type { Objective } from "../program/objective.js"
import type { Coefficient } from "../program/operation.js"
import { OPTIMISERS } from "../program/optimiser.js"
import { type Motion, type Program, type StartRule, trainingStep } from "../program/program.js"
import {
  type Alignment,
  checkedDefinition,
  optimisersOf,
  type Rates,
  type SchemeDefinition,
  type Start,
  transformerOf,
} from "./definition.js"
import { type Exponents, exponentsOf, symbolsOf } from "./exponents.js"

export type { Alignment, Rates, SchemeDefinition }

/** Adam's ε, and δ of an inverse, where they are negligible: below every gradient, as the derivation assumes; the libraries' 1e-8 is not. */
const NEGLIGIBLE_EPSILON = 1e-100

/** A scheme ready to be read: its program, the start of every factor, and the symbols that are still free. */
export interface Scheme {
  readonly definition: SchemeDefinition
  readonly program: Program
  /** The start of each trained leaf. */
  readonly start: ReadonlyMap<Node, Coefficient | "zero">
  /** Per site. */
  readonly rates: readonly Readonly<Record<"A" | "B", Affine | "frozen">>[]
  readonly sizes: Exponents["sizes"]
  readonly alignments: Exponents["alignments"]
  readonly symbols: readonly string[]
  /** What is assumed of the symbols: ρ ≥ 0, d ≥ 0 and the definition's own. */
  readonly domain: readonly Constraint[]
}

/**
 * The scheme of a definition, with some symbols set.
 *
 * @param values symbol → exponent text; setting `c` on a scheme with two rates sets both.
 * @param free symbols with a default (`rho`, `s`, `o`, `d`) that stay symbols.
 * @throws InputError as `checkedDefinition`; for a text outside the grammar, or a value for a symbol that the scheme
 * lacks.
 */
export function scheme(
  given: SchemeDefinition,
  values: Readonly<Record<string, string>> = {},
  free: readonly string[] = [],
): Scheme {
  const definition = checkedDefinition(given)
  const { exponents, domain } = exponentsOf(definition, values, free)
  return schemeOf(definition, exponents, domain)
}

/** The scheme with other exponents of its factors' starts and rates, of whose symbols nothing is assumed. */
export function withExponents(
  { definition, program, start, rates, sizes, alignments }: Scheme,
  other: {
    readonly start: (side: "A" | "B", own: Affine) => Affine
    /** Of each site, by its place. */
    readonly rate: (side: "A" | "B", site: number, own: Affine) => Affine
  },
): Scheme {
  const startOf = (side: "A" | "B") => {
    const own = start.get(program.starts[0]![side])!
    return own === "zero" ? null : other.start(side, own.power)
  }
  const exponents: Exponents = {
    start: { A: startOf("A"), B: startOf("B") },
    rates: rates.map(({ A, B }, i) => ({
      A: A === "frozen" ? null : other.rate("A", i, A),
      B: B === "frozen" ? null : other.rate("B", i, B),
    })),
    sizes,
    alignments,
  }
  return schemeOf(definition, exponents, [])
}

/** The program of a definition at its exponents. */
function schemeOf(definition: SchemeDefinition, exponents: Exponents, domain: readonly Constraint[]): Scheme {
  const { start, rateConstants = { A: 1, B: 1 } } = definition
  const optimisers = optimisersOf(definition)
  const { rates, sizes, alignments } = exponents
  const motion = (side: "A" | "B", power: Affine | null): Motion | "frozen" => {
    if (power === null) return "frozen"
    const { weightDecay = 0, shrinkage = 0 } = definition
    const rate = { constant: rateConstants[side], power }
    return { rate, weightDecay, shrinkage: side === "A" ? shrinkage : 0 }
  }
  const objective = objectiveOf(definition)
  const model = modelOf(definition, sizes, objective)
  const program = trainingStep(model, {
    objective,
    optimisers: { A: OPTIMISERS[optimisers.A], B: OPTIMISERS[optimisers.B] },
    epsilon: {
      constant: definition.epsilonConstant ?? (sizes.epsilon === null ? NEGLIGIBLE_EPSILON : 1),
      power: sizes.epsilon,
    },
    damping: { constant: sizes.damping === null ? NEGLIGIBLE_EPSILON : 1, power: sizes.damping },
    start: startRule(definition, model),
    motions: rates.map(({ A, B }) => ({ A: motion("A", A), B: motion("B", B) })),
    clip: sizes.clip && { constant: 1, power: sizes.clip },
  })
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
    rates: rates.map(({ A, B }) => ({ A: A ?? "frozen", B: B ?? "frozen" })),
    symbols: symbolsOf(exponents),
    alignments,
    domain,
  }
}

/** The model of a definition. */
function modelOf(
  { name, network, model, spaces = { input: "nIn", output: "n" } }: SchemeDefinition,
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
  return adapterModel(onlySite(known[spaces.input], known[spaces.output], rank), sizes, objective)
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
