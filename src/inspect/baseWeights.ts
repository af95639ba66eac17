/** Where the weight of an adapted module lies in a base model, whose files have names of their own. */
import type { PeftConfig } from "../checkpoint/peftConfig.js"
import type { StoredTensor, TensorFile } from "../checkpoint/tensorFile.js"

/** Endings of a weight's name: plain, by GPTQ and AWQ, by compressed-tensors. The first that is there counts. */
const ENDINGS = [".weight", ".qweight", ".weight_packed"]

/** What kohya's scripts put before a name whose dots are underscores, and diffusers before a plain one. */
const COMPONENT = /^(?:lora_(?:unet|te\d?|transformer)_|lycoris_|(?:unet|text_encoder\w*|transformer)\.)/

/** The part of a pipeline that a module's name says it is of, as "lora_te_"; empty where it says none. */
export function componentOf(module: string): string {
  return COMPONENT.exec(module)?.[0] ?? ""
}

/** Whether a module's name has underscores for dots: which of them are dots, a name alone does not say. */
export const isFlat = (module: string) => /^(?:lora|lycoris)_/.test(module)

/**
 * What finds a module's weight, or null where the base model has none of that name.
 *
 * @param config with `layer_replication` layers are counted in the model that it makes of the base model's.
 */
export function weightsIn(base: TensorFile, config: PeftConfig | null): (module: string) => StoredTensor | null {
  const bare = new Map<string, StoredTensor>()
  for (const ending of ENDINGS)
    for (const tensor of base.tensors.values()) {
      const name = tensor.name.endsWith(ending) ? tensor.name.slice(0, -ending.length) : tensor.name
      if (!bare.has(name)) bare.set(name, tensor)
    }
  const flat = new Map([...bare].map(([name, tensor]) => [name.replaceAll(".", "_"), tensor] as const))
  const tied = [...bare].find(([name]) => /(?:^|\.)(?:embed_tokens|wte|token_embd)$/.test(name))?.[1] ?? null
  const layers = config?.layer_replication?.flatMap(([from, to]) =>
    Array.from({ length: Math.max(0, to - from) }, (_, i) => from + i),
  )
  return (module) => {
    if (isFlat(module)) {
      const name = module.slice(componentOf(module).length)
      return flat.get(name) ?? flat.get(`model_diffusion_model_${name}`) ?? null
    }
    const own = sourceOf(module, layers).replace(/\.processor\.(to_\w+?)_lora\d*$/, (_, to: string) =>
      to === "to_out" ? ".to_out.0" : `.${to}`,
    )
    // A classifier on top puts the model under a name of its own: bert.encoder… is encoder… in the bare model, and the
    // other way.
    const found = bare.get(own) ?? bare.get(own.replace(/^[^.]+\./, "")) ?? bare.get(`model.${own}`) ?? null
    // A head that shares the words' table has no tensor of its own.
    return found ?? (/(?:^|\.)(?:lm_head|output)$/.test(own) ? tied : null)
  }
}

/** The name in the base model of a module in a layer that was repeated. */
function sourceOf(module: string, layers: readonly number[] | undefined): string {
  if (layers === undefined || layers.length === 0) return module
  return module.replace(/(?<=\.)\d+(?=\.)/, (layer) => String(layers[Number(layer)] ?? layer))
}

/** Whether a type holds whole numbers that stand for a weight's values by a rule of their own, several in one or not. */
export const isPacked = (type: string) => /^[IU]\d+$/.test(type)
