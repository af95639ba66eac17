import { InputError } from "../inputError.js"
import type { BlockKind } from "../program/models/transformer.js"
import { isPair } from "./definition.js"
import type { SchemeDefinition } from "./scheme.js"

/**
 * Models that a scheme of one adapted layer can be put on, by the first part of a name such as teacher-student/init-a.
 */
const MODELS: Readonly<Record<string, (definition: SchemeDefinition) => Partial<SchemeDefinition>>> = {
  "teacher-student": ({ title }) => ({
    title: `${title}; on the paper's teacher-student network`,
    model: { kind: "teacher-student" },
    loss: "squared",
    batch: 4,
  }),
  "llama-block": (definition) => onBlock("llama-block", "Llama", definition),
  "bert-block": (definition) => onBlock("bert-block", "BERT", definition),
}

/**
 * Exponents do not see a rate's constant, finite widths do: at an eighth for B what seven adapters add is about as large
 * as the stream that they add it to, at 1 it is a hundred times that and spreads over seeds by its own size. With a rate
 * for A and one for B more terms lie close to each other: at twice the constants the leading ones show sooner.
 */
function onBlock(kind: BlockKind, name: string, { title, rates }: SchemeDefinition): Partial<SchemeDefinition> {
  const A = isPair(rates) && rates.A !== rates.B ? 2 : 1
  return { title: `${title}; on a block as in ${name}`, model: { kind }, batch: 4, rateConstants: { A, B: A / 8 } }
}

/**
 * A scheme on another model than its own: same start, rates and optimiser.
 *
 * @throws InputError for an unknown model, or a scheme that has a model of its own.
 */
export function onModel(model: string, definition: SchemeDefinition): SchemeDefinition {
  const put = Object.hasOwn(MODELS, model) ? MODELS[model]! : null
  if (put === null)
    throw new InputError({
      field: "model",
      given: model,
      allowed: Object.keys(MODELS).join(", "),
      example: "teacher-student/init-a",
    })
  const { name, network, spaces, model: own } = definition
  if (network !== undefined || spaces !== undefined || own !== undefined)
    throw new InputError({
      field: "scheme",
      given: `${model}/${name}`,
      allowed: "a scheme of one adapted hidden layer: this one has a model of its own",
      example: `${model}/init-a`,
    })
  return { ...definition, ...put(definition), name: `${model}/${name}` }
}
