/** Fine-tuning of a pretrained encoder by LoRA: its gradients as a graph, the optimiser's step in float32. */
import type { BertEncoder } from "../../checkpoint/bert.js"
import { InputError } from "../../inputError.js"
import { gradient } from "../../program/gradient.js"
import { type BertProgram, bertProgram } from "../../program/models/bert.js"
import type { Node } from "../../program/node.js"
import { type AdamW, adamwStep, clipNorm, rateAt, type Schedule, type Trained, trained } from "../adamw.js"
import type { Engine } from "./engine.js"
import { COEFFICIENTS, stepGraph } from "./stepGraph.js"

/** Sequences of equal length: tokens by their numbers, a mask that is 1 for a token and 0 for padding, a class each. */
export interface Batch {
  readonly ids: readonly (readonly number[])[]
  readonly mask: readonly (readonly number[])[]
  readonly labels: readonly number[]
}

/** An adapter's factors, row by row: A is rank × input, B output × rank. */
export interface AdapterValues {
  readonly A: Float32Array
  readonly B: Float32Array
}

/** How a fine-tuning goes. */
export interface FineTuning extends Omit<AdamW, "rate">, Schedule {
  /** The last part of the adapted modules' names: query, key, value, dense. */
  readonly sites: readonly string[]
  readonly rank: number
  /** What B A is multiplied by: α / r. */
  readonly scale: number
  readonly classes: number
  /** The joint norm that gradients are clipped to; null for none. */
  readonly clip: number | null
  /** How many batches' mean gradient makes a step. */
  readonly accumulate: number
}

/** What a fine-tuning gives: each step's loss before it, the first gradients before clipping, the adapters at the end. */
export interface FineTuned {
  readonly engine: string
  readonly losses: readonly number[]
  readonly first: ReadonlyMap<string, AdapterValues>
  readonly adapters: ReadonlyMap<string, AdapterValues>
}

/** Added to the score of a key that is padding: softmax gives it nothing. */
const PADDING = -1e9

/**
 * Trains the adapters of an encoder under a frozen classifier.
 *
 * @param classifier its weight, classes × hidden, and its bias.
 * @param start each adapter's factors before the first step.
 * @param batches the batch of step t ≥ 1 and its part from 0.
 * @throws InputError for a token beyond the encoder's tables.
 */
export async function fineTune(
  engine: Engine,
  encoder: BertEncoder,
  classifier: { readonly weight: Float32Array; readonly bias: Float32Array },
  start: (module: string) => AdapterValues | Promise<AdapterValues>,
  batches: (step: number, part: number) => Batch,
  options: FineTuning,
): Promise<FineTuned> {
  const program = bertProgram(encoder.shape, options.sites, options.scale)
  const adapters = [...program.adapters]
  const leaves = adapters.flatMap(([, { A, B }]) => [A, B])
  const { given, fixed } = program
  const shared = new Set<Node>([...program.weights.values(), ...leaves, fixed.ones, fixed.first])
  const graph = stepGraph({
    leaves: [...Object.values(given), ...shared],
    next: new Map(),
    values: [program.loss],
    squares: [],
    shared,
    sums: gradient(program.loss, leaves).map((own) => own!),
  })
  const sizeOf = ({ shape }: Node) =>
    shape.map(({ name, count }) => (name === "rank" ? options.rank : name === "classes" ? options.classes : count))
  const tensor = (leaf: Node, data: Float32Array) =>
    [graph.leaves.get(leaf)!, engine.tensor(data, [1, ...sizeOf(leaf)])] as const
  const frozen = await Promise.all(
    [...program.weights].map(async ([name, leaf]) => {
      if (name === "classifier.weight") return tensor(leaf, classifier.weight)
      if (name === "classifier.bias") return tensor(leaf, classifier.bias)
      return tensor(leaf, await encoder.weight(name, sizeOf(leaf)))
    }),
  )
  // A pretrained model has one width, so no number depends on it or on the step.
  const numbers = graph.coefficients?.({ n: 1 }, 1) ?? new Float32Array()
  frozen.push([COEFFICIENTS, engine.tensor(numbers, [numbers.length])])
  const session = await engine.session(graph.model)
  const starts = await Promise.all(adapters.map(([module]) => start(module)))
  const moving: Trained[] = starts.flatMap(({ A, B }) => [trained(A), trained(B)])
  const losses: number[] = []
  let first: Float32Array[] = []
  for (let step = 1; step <= options.steps; step++) {
    const sums = moving.map(({ value }) => new Float32Array(value.length))
    let loss = 0
    for (let part = 0; part < options.accumulate; part++) {
      const batch = batches(step, part)
      const own = leaves.map((leaf, i) => tensor(leaf, moving[i]!.value))
      const feeds = [...frozen, ...own, ...sequences(engine, program, graph.leaves, encoder, batch, options.classes)]
      const found = await session.run(Object.fromEntries(feeds))
      const share = 1 / (batch.labels.length * options.accumulate)
      for (const value of found[graph.values[0]!]!.data as Float32Array) loss += value * share
      graph.sums.forEach((name, i) => {
        const all = found[name]!.data as Float32Array
        for (let k = 0; k < all.length; k++) sums[i]![k]! += all[k]! * share
      })
    }
    losses.push(loss)
    if (step === 1) first = sums.map((sum) => sum.slice())
    if (options.clip !== null) clipNorm(sums, options.clip)
    const rate = rateAt(step, options)
    moving.forEach((each, i) => {
      adamwStep(each, sums[i]!, step, { ...options, rate })
    })
  }
  const paired = (all: readonly Float32Array[]) =>
    new Map(adapters.map(([module], i) => [module, { A: all[2 * i]!, B: all[2 * i + 1]! }]))
  return { engine: engine.name, losses, first: paired(first), adapters: paired(moving.map(({ value }) => value)) }
}

/** What a batch feeds. */
function sequences(
  engine: Engine,
  { given, fixed }: BertProgram,
  names: ReadonlyMap<Node, string>,
  encoder: BertEncoder,
  { ids, mask, labels }: Batch,
  classes: number,
) {
  const [count, tokens] = [labels.length, ids[0]!.length]
  const padding = new Float32Array(count * tokens * tokens)
  mask.forEach((own, s) => {
    own.forEach((seen, key) => {
      if (seen === 0) padding.fill(PADDING, (s * tokens + key) * tokens, (s * tokens + key + 1) * tokens)
    })
  })
  const label = new Float32Array(count * classes)
  labels.forEach((own, s) => {
    label[s * classes + own] = 1
  })
  const first = new Float32Array(tokens)
  first[0] = 1
  return [
    [names.get(given.embedded)!, engine.tensor(embedded(encoder, ids), [count, encoder.shape.hidden, tokens])],
    [names.get(given.padding)!, engine.tensor(padding, [count, tokens, tokens])],
    [names.get(given.label)!, engine.tensor(label, [count, classes, 1])],
    [names.get(fixed.ones)!, engine.tensor(new Float32Array(tokens).fill(1), [1, 1, tokens])],
    [names.get(fixed.first)!, engine.tensor(first, [1, tokens, 1])],
  ] as const
}

/** The sums of the embeddings of tokens, positions and the first segment: sequences × hidden × tokens. */
function embedded({ shape: { hidden }, tables }: BertEncoder, ids: Batch["ids"]): Float32Array {
  const tokens = ids[0]!.length
  const result = new Float32Array(ids.length * hidden * tokens)
  const [words, positions] = [tables.words.length / hidden, tables.positions.length / hidden]
  ids.forEach((own, s) => {
    own.forEach((id, j) => {
      if (!(id < words && j < positions))
        throw new InputError({
          field: `token ${j} of sequence ${s}`,
          given: id,
          allowed: `tokens below ${words} at positions below ${positions}`,
          example: "101",
        })
      for (let i = 0; i < hidden; i++)
        result[(s * hidden + i) * tokens + j] =
          tables.words[id * hidden + i]! + tables.segments[i]! + tables.positions[j * hidden + i]!
    })
  })
  return result
}
