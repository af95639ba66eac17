/** Adapters as folders that PEFT reads and writes: adapter_config.json and adapter_model.safetensors. */
import { mkdir, writeFile } from "node:fs/promises"
import { join } from "node:path"
import { InputError } from "../inputError.js"
import { MalformedFile } from "./malformed.js"
import { readPeftConfig } from "./peftConfig.js"
import { openSafetensors } from "./safetensors.js"
import { type WrittenTensor, writeSafetensors } from "./writeSafetensors.js"

/** Before a tensor's name in PEFT's file. */
const PREFIX = "base_model.model."

/** What PEFT is told of an adapter besides its tensors. */
export interface PeftSettings {
  readonly rank: number
  /** α; B A is multiplied by α / r, or by α / √r with `rankStabilised`. */
  readonly alpha: number
  readonly rankStabilised: boolean
  /** PEFT's `target_modules`. */
  readonly sites: readonly string[]
  /** PEFT's `layers_to_transform`; all blocks if left out. */
  readonly layers?: readonly number[] | undefined
  /** PEFT's `task_type`; null for none. */
  readonly task: "SEQ_CLS" | "CAUSAL_LM" | null
  /** The name or path of the base model; null where it has none. */
  readonly base: string | null
}

/** Writes a folder that `PeftModel.from_pretrained` loads; names as in `Gradients.trained`. */
export async function writePeftFolder(
  folder: string,
  { rank, alpha, rankStabilised, sites, layers, task, base }: PeftSettings,
  tensors: readonly WrittenTensor[],
): Promise<void> {
  await mkdir(folder, { recursive: true })
  const config = {
    peft_type: "LORA",
    task_type: task,
    base_model_name_or_path: base,
    r: rank,
    lora_alpha: alpha,
    lora_dropout: 0,
    use_rslora: rankStabilised,
    target_modules: sites,
    ...(layers === undefined ? {} : { layers_to_transform: layers }),
    bias: "none",
    inference_mode: true,
  }
  const named = tensors.map((tensor) => ({ ...tensor, name: `${PREFIX}${tensor.name}` }))
  await writeSafetensors(join(folder, "adapter_model.safetensors"), named)
  await writeFile(join(folder, "adapter_config.json"), `${JSON.stringify(config, null, 2)}\n`)
}

/**
 * Reads the tensors of a PEFT folder in the given order.
 *
 * @throws MalformedFile for a tensor of another shape; InputError for one that is missing, or one that nobody asked
 * for.
 */
export async function readPeftFolder(
  folder: string,
  wanted: readonly Pick<WrittenTensor, "name" | "shape">[],
): Promise<{ readonly alpha: number; readonly rankStabilised: boolean; readonly values: Float32Array[] }> {
  const { lora_alpha: alpha, use_rslora } = await readPeftConfig(join(folder, "adapter_config.json"))
  const file = await openSafetensors(join(folder, "adapter_model.safetensors"))
  try {
    const names = new Set(wanted.map(({ name }) => `${PREFIX}${name}`))
    const other = [...file.tensors.keys()].find((name) => !names.has(name))
    const refuse = (given: string, allowed: string) =>
      new InputError({ field: file.path, given, allowed, example: [...names][0] ?? "" })
    if (other !== undefined) throw refuse(`a tensor ${other}`, "the adapters of the model alone")
    const values: Float32Array[] = []
    for (const { name, shape } of wanted) {
      const stored = file.tensors.get(`${PREFIX}${name}`)
      if (stored === undefined) throw refuse(`no tensor ${PREFIX}${name}`, "every adapter of the model")
      if (columnless(stored.shape).join() !== columnless(shape).join()) {
        const part = `shape of ${JSON.stringify(stored.name)}`
        throw new MalformedFile({ file: file.path, byte: stored.byte, part }, stored.shape, shape.join("×"), "…")
      }
      values.push(await stored.read())
    }
    return { alpha, rankStabilised: use_rslora === true, values }
  } finally {
    await file.close()
  }
}

/** A column and a list are the same: a bias is either. */
function columnless(shape: readonly number[]): readonly number[] {
  return shape.length === 2 && shape[1] === 1 ? [shape[0]!] : shape
}
