/** What a fine-tuning trains: names, sizes and starts, from a model's sizes alone. */
import type { PretrainedConfig } from "../../checkpoint/pretrainedConfig.js"
import type { WrittenTensor } from "../../checkpoint/writeSafetensors.js"
import { InputError } from "../../inputError.js"
import { type PretrainedProgram, type PretrainedShape, pretrainedProgram } from "../../program/models/pretrained.js"
import type { Node } from "../../program/node.js"
import { gaussians } from "../random.js"

/** A tensor that is trained. */
export interface TrainedTensor {
  /** As in a PEFT adapter's file, without "base_model.model.": "….query.lora_A.weight", or a weight's own name. */
  readonly name: string
  readonly shape: readonly [number, number]
}

/** The sizes that a model leaves open. */
export interface OpenSizes {
  readonly rank: number
  readonly classes: number | null
}

/** The factors of each adapted module, A before B, and the layer that classifies. */
export function trainedTensors(
  { adapters, head, weights }: PretrainedProgram,
  { rank, classes }: OpenSizes,
): { readonly adapters: readonly TrainedTensor[]; readonly head: readonly TrainedTensor[] } {
  const open: Readonly<Record<string, number>> = { rank, classes: classes ?? 1 }
  const sizeOf = ({ shape: [rows, columns] }: Node): [number, number] => [
    open[rows.name] ?? rows.count,
    open[columns.name] ?? columns.count,
  ]
  return {
    adapters: [...adapters].flatMap(([module, { A, B }]) => [
      { name: `${module}.lora_A.weight`, shape: sizeOf(A) },
      { name: `${module}.lora_B.weight`, shape: sizeOf(B) },
    ]),
    head: [...head].map((name) => ({ name, shape: sizeOf(weights.get(name)!) })),
  }
}

/** The factor that a trained tensor is; null for one of the layer that classifies. */
export function sideOf(name: string): "A" | "B" | null {
  const side = /\.lora_([AB])\.weight$/.exec(name)?.[1]
  return side === undefined ? null : (side as "A" | "B")
}

/**
 * The deviation of the entries of a layer that classifies, at its start; its bias starts at zero (as BERT's in
 * transformers).
 */
const HEAD_DEVIATION = 0.02

/**
 * Draws the start of each trained tensor: Gaussian entries, of the seed and the tensor's name alone.
 *
 * @param deviation of a factor's entries, n the width of its module's input; 0 for a factor of zeros.
 */
export function drawStart(
  tensors: readonly TrainedTensor[],
  seed: number,
  deviation: (side: "A" | "B", n: number) => number,
): WrittenTensor[] {
  const inputs = new Map(
    tensors.flatMap(({ name, shape }) => (sideOf(name) === "A" ? [[moduleOf(name), shape[1]] as const] : [])),
  )
  return tensors.map(({ name, shape: [rows, columns] }) => {
    const side = sideOf(name)
    const isBias = name.endsWith(".bias")
    const own = side !== null ? deviation(side, inputs.get(moduleOf(name))!) : isBias ? 0 : HEAD_DEVIATION
    const count = rows * columns
    return {
      name,
      shape: isBias ? [rows] : [rows, columns],
      values: own === 0 ? new Float32Array(count) : Float32Array.from(gaussians(seed, name, count, own)),
    }
  })
}

function moduleOf(name: string): string {
  return name.replace(/\.lora_[AB]\.weight$/, "")
}

/** Which modules of a model are adapted. */
export interface AdaptedModules {
  /** The last part of their names, as PEFT's `target_modules`: query, value, q_proj, …. */
  readonly sites: readonly string[]
  /**
   * The blocks that they stand in, as PEFT's `layers_to_transform`, from 0; if left out all blocks, and modules outside
   * of blocks.
   */
  readonly layers?: readonly number[] | undefined
}

/** The blocks with adapted modules; null for all. @throws InputError for one that the model lacks. */
export function blocksOf(
  { family, layers: count }: PretrainedShape,
  layers: AdaptedModules["layers"],
): ReadonlySet<number> | null {
  if (layers === undefined) return null
  const isBlock = (l: number) => Number.isInteger(l) && l >= 0 && l < count
  if (layers.length > 0 && layers.every(isBlock)) return new Set(layers)
  throw new InputError({
    field: "layers",
    given: layers.join(", "),
    allowed: `blocks of a ${family} of ${count}: numbers from 0 to ${count - 1}, one at least`,
    example: `[${count - 1}]`,
  })
}

/** What is trained of a model. @throws InputError for sites or blocks that it lacks, said with those that it has. */
export function trainedOf(
  { shape }: PretrainedConfig,
  { sites, layers, rank, classes }: OpenSizes & AdaptedModules,
): TrainedTensor[] {
  const kind = classes === null ? "causal" : "classification"
  const program = pretrainedProgram(shape, kind, sites, 1, false, blocksOf(shape, layers))
  const adapted = new Set([...program.adapters.keys()].map(lastPart))
  const missing = sites.find((site) => !adapted.has(site))
  if (missing !== undefined) {
    const known = [...program.weights.keys()].filter((name) => /\.\d+\./.test(name) && !/norm/i.test(name))
    const names = new Set(known.map((name) => lastPart(name.replace(/\.(weight|bias)$/, ""))))
    throw new InputError({
      field: "sites",
      given: missing,
      allowed: `layers of a ${shape.family}: ${[...names].join(", ")}`,
      example: `[${[...names].slice(0, 2).join(", ")}]`,
    })
  }
  const { adapters, head } = trainedTensors(program, { rank, classes })
  return [...adapters, ...head]
}

function lastPart(module: string): string {
  return module.split(".").at(-1)!
}
