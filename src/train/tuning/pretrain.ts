/** A small Llama trained from nothing on running text, all its weights by the graph engine. */
import { configOf } from "../../checkpoint/pretrainedConfig.js"
import type { WrittenTensor } from "../../checkpoint/writeSafetensors.js"
import { gradient } from "../../program/gradient.js"
import { NAMES, pretrainedProgram } from "../../program/models/pretrained.js"
import type { Node } from "../../program/node.js"
import { type AdamW, adamwStep, clipNorm, rateAt, type Schedule, trained } from "../adamw.js"
import type { Engine, GraphTensor } from "../graph/engine.js"
import { fed } from "../graph/feeds.js"
import { COEFFICIENTS, stepGraph } from "../graph/stepGraph.js"
import { gaussians } from "../random.js"
import type { Batch } from "./batch.js"

/** How a model is trained from nothing. */
export interface Pretraining extends Omit<AdamW, "rate">, Schedule {
  readonly clip: number
  readonly seed: number
  /** The width at which all tensors have the schedule's rate; matrices have it times base / n (arXiv 2203.03466). */
  readonly baseWidth: number
}

/** A step of it. */
export interface PretrainingStep {
  readonly step: number
  /** The mean loss before the step. */
  readonly loss: number
}

/** A model under way: steps as they are trained, and its weights as they are now, by their names in a checkpoint. */
export interface PretrainingRun {
  readonly steps: AsyncIterable<PretrainingStep>
  weights(): WrittenTensor[]
}

/**
 * Trains a Llama whose output's table is its own. Words have entries N(0, 1), matrices N(0, 1 / inputs), gains 1, the
 * output's table 0: the first loss is that of equal odds.
 *
 * @param config the model's config.json, with vocab_size.
 * @param batch the batch of step t ≥ 1.
 * @throws MalformedFile as `configOf`.
 */
export async function pretrain(
  engine: Engine,
  config: Readonly<Record<string, unknown>> & { readonly vocab_size: number },
  options: Pretraining,
  batch: (step: number) => Batch,
): Promise<PretrainingRun> {
  const { shape, padding } = configOf("config.json", config)
  const { hidden } = shape
  const vocabulary = config.vocab_size
  const program = pretrainedProgram(shape, "causal", [], 1, false)
  const sizeOf = ({ shape: own }: Node) =>
    own.map(({ name, count }) => (name === "vocabulary" ? vocabulary : count)) as [number, number]
  const { prefix, words } = NAMES[shape.family]
  const tensors = new Map<string, WrittenTensor>()
  for (const [name, leaf] of program.weights) {
    const [rows, columns] = sizeOf(leaf)
    const isGain = columns === 1
    const values = isGain
      ? new Float32Array(rows).fill(1)
      : name === OUTPUT
        ? new Float32Array(rows * columns)
        : Float32Array.from(gaussians(options.seed, name, rows * columns, columns ** -0.5))
    tensors.set(name, { name, shape: isGain ? [rows] : [rows, columns], values })
  }
  const table = `${prefix}${words}.weight`
  const drawn = Float32Array.from(gaussians(options.seed, table, vocabulary * hidden))
  tensors.set(table, { name: table, shape: [vocabulary, hidden], values: drawn })
  const moving = new Map([...tensors].map(([name, { values }]) => [name, trained(values)]))
  const valuesOf = (name: string) => moving.get(name)!.value

  const leaves = [...program.weights.values()]
  const { embedded, label, weight, picked } = program.given
  const given = [embedded, label, weight, picked]
  const found = gradient(program.loss, [...leaves, embedded, label])
  const byColumns = new Set<Node>([embedded, label])
  const all = [...given, ...leaves, program.ones]
  const graph = stepGraph({
    leaves: all,
    next: new Map(),
    values: [program.loss, found[leaves.length]!, found[leaves.length + 1]!],
    squares: [],
    sums: leaves.map((_, i) => found[i]!),
    byRows: new Set(all.filter((leaf) => !byColumns.has(leaf))),
  })
  const session = await engine.session(graph.model)
  const tables = { words: valuesOf(table), positions: null, segments: null, output: valuesOf(OUTPUT) }
  const model = { shape, padding, tables, weight: async (name: string) => valuesOf(name) }

  const gradientsAt = async (own: Batch) => {
    const [count, tokens] = [own.ids.length, own.ids[0]!.length]
    const numbers = fed(model, own, null)
    const feeds: Record<string, GraphTensor> = {}
    const feed = (leaf: Node, data: Float32Array, ...size: number[]) => {
      feeds[graph.leaves.get(leaf)!] = engine.tensor(data, size)
    }
    for (const [name, leaf] of program.weights) feed(leaf, valuesOf(name), 1, ...sizeOf(leaf))
    feed(embedded, numbers.embedded, count, tokens, hidden)
    feed(label, numbers.label, count, tokens, hidden)
    feed(weight, numbers.weight, count, tokens, 1)
    feed(picked, numbers.picked, count, tokens, 1)
    feed(program.ones, new Float32Array(tokens).fill(1), 1, 1, tokens)
    const coefficients = graph.coefficients?.({ n: 1 }, 1)
    if (coefficients !== undefined) feeds[COEFFICIENTS] = engine.tensor(coefficients, [coefficients.length])
    const results = await session.run(feeds)
    const data = (name: string) => results[name]!.data as Float32Array
    const [losses, ofEmbedded, ofLabel] = graph.values.map(data) as [Float32Array, Float32Array, Float32Array]
    const gradients = new Map([...program.weights.keys()].map((name, i) => [name, data(graph.sums[i]!).slice()]))
    const ofTable = new Float32Array(vocabulary * hidden)
    // Runs × rows × tokens: each token's column goes to its row of the table, and to that of the one behind it.
    const scatter = (to: Float32Array, from: Float32Array, tokenOf: (s: number, j: number) => number | undefined) => {
      for (let s = 0; s < count; s++)
        for (let j = 0; j < tokens; j++) {
          const row = tokenOf(s, j)
          if (row === undefined) continue
          for (let i = 0; i < hidden; i++) to[row * hidden + i]! += from[(s * hidden + i) * tokens + j]!
        }
    }
    scatter(ofTable, ofEmbedded, (s, j) => own.ids[s]![j])
    scatter(gradients.get(OUTPUT)!, ofLabel, (s, j) => own.ids[s]![j + 1])
    gradients.set(table, ofTable)
    return { loss: losses.reduce((sum, each) => sum + each, 0), gradients }
  }
  async function* steps() {
    for (let step = 1; step <= options.steps; step++) {
      const { loss, gradients } = await gradientsAt(batch(step))
      clipNorm([...gradients.values()], options.clip)
      const rate = rateAt(step, options)
      for (const [name, own] of moving) {
        const isMatrix = tensors.get(name)!.shape.length === 2 && name !== table
        const factor = isMatrix ? options.baseWidth / hidden : 1
        adamwStep(own, gradients.get(name)!, step, { ...options, rate: rate * factor })
      }
      yield { step, loss }
    }
  }
  return {
    steps: steps(),
    weights: () => [...tensors.values()].map((tensor) => ({ ...tensor, values: valuesOf(tensor.name).slice() })),
  }
}

const OUTPUT = "lm_head.weight"
