import { stat } from "node:fs/promises"
import { join } from "node:path"
import { InputError } from "../inputError.js"
import { NAMES } from "../program/models/pretrained.js"
import { ggufModel, type TensorPlaces } from "./ggufModel.js"
import { MalformedFile } from "./malformed.js"
import { openCheckpoint } from "./open.js"
import { configOf, type PretrainedConfig } from "./pretrainedConfig.js"
import { readJson } from "./readJson.js"
import type { StoredTensor, TensorFile } from "./tensorFile.js"

/** A pretrained model, its weights read when they are asked for. */
export interface Pretrained extends PretrainedConfig {
  /** A weight by its name in the whole model, row by row; @throws InputError where it is missing or of another size. */
  weight(name: string, size: readonly number[]): Promise<Float32Array>
  /** The tables that are looked up, a row for each token of the vocabulary, each position and each segment. */
  readonly tables: {
    readonly words: Float32Array
    readonly positions: Float32Array | null
    readonly segments: Float32Array | null
    /** What reads the output, where it is not the words' table; null without one. */
    readonly output: Float32Array | null
  }
}

/**
 * Opens a folder with `config.json` and safetensors, or a GGUF file of a Llama or Qwen2 model.
 *
 * @throws MalformedFile naming the field for a model that is not read; InputError for a weight that is missing.
 */
export async function readPretrained(path: string): Promise<{ readonly model: Pretrained; close(): Promise<void> }> {
  const file = await openCheckpoint(path)
  try {
    const { config, places } = file.format === "gguf" ? ggufModel(file) : await folderModel(path, file)
    return { model: await loaded(file, config, places), close: () => file.close() }
  } catch (error) {
    await file.close()
    throw error
  }
}

/**
 * The sizes of a model alone, as `readPretrained` opens one.
 *
 * @throws MalformedFile naming the field for a model that is not read.
 */
export async function readPretrainedConfig(path: string): Promise<PretrainedConfig> {
  if (!path.endsWith(".gguf")) return folderConfig(path)
  const file = await openCheckpoint(path)
  try {
    if (file.format === "gguf") return ggufModel(file).config
  } finally {
    await file.close()
  }
  return folderConfig(path)
}

async function folderConfig(path: string): Promise<PretrainedConfig> {
  const folder = (await stat(path)).isDirectory() ? path : join(path, "..")
  const place = join(folder, "config.json")
  return configOf(place, await readJson(place, 10_000_000))
}

async function folderModel(path: string, file: TensorFile) {
  const config = await folderConfig(path)
  const { prefix } = NAMES[config.shape.family]
  // A base model's file has no prefix.
  const isBare = ![...file.tensors.keys()].some((name) => name.startsWith(prefix))
  const nameOf = (name: string) => {
    const own = isBare && name.startsWith(prefix) ? name.slice(prefix.length) : name
    return file.tensors.has(own) ? own : null
  }
  const places: TensorPlaces = { nameOf, settled: (_, values) => values }
  return { config, places }
}

async function loaded(
  file: TensorFile,
  config: PretrainedConfig,
  { nameOf, settled }: TensorPlaces,
): Promise<Pretrained> {
  const { shape } = config
  const { prefix, words } = NAMES[shape.family]
  const stored = (name: string): StoredTensor => {
    const found = nameOf(name)
    if (found !== null) return file.tensors.get(found)!
    throw new InputError({
      field: file.path,
      given: `no tensor ${name}`,
      allowed: `every weight of a model of the family ${shape.family}`,
      example: name,
    })
  }
  const weight = async (name: string, size: readonly number[]) => {
    const found = stored(name)
    const wide = (of: readonly number[]) => of.filter((each) => each !== 1).join("×")
    if (wide(found.shape) !== wide(size)) {
      const part = `shape of "${found.name}"`
      throw new MalformedFile({ file: file.path, byte: found.byte, part }, found.shape, size.join("×"), "…")
    }
    return settled(name, await found.read())
  }
  const table = (name: string) => weight(name, [stored(name).shape[0]!, shape.hidden])
  const isEmbedded = shape.rotary === null
  const [positions, segments] = [
    `${prefix}embeddings.position_embeddings.weight`,
    `${prefix}embeddings.token_type_embeddings.weight`,
  ]
  const hasOutput = !isEmbedded && !shape.tied && nameOf("lm_head.weight") !== null
  return {
    ...config,
    weight,
    tables: {
      words: await table(`${prefix}${words}.weight`),
      positions: isEmbedded ? await table(positions) : null,
      segments: isEmbedded ? await table(segments) : null,
      output: hasOutput ? await table("lm_head.weight") : null,
    },
  }
}
