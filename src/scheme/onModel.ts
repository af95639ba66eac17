import { InputError } from "../inputError.js"
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
  "llama-block": ({ title }) => ({
    title: `${title}; on a block as in Llama`,
    model: { kind: "llama-block" },
    batch: 4,
  }),
  "bert-block": ({ title }) => ({ title: `${title}; on a block as in BERT`, model: { kind: "bert-block" }, batch: 4 }),
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
