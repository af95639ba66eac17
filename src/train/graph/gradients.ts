/** The loss of a pretrained model and its gradients in what is trained, as a graph. */
import type { Pretrained } from "../../checkpoint/pretrained.js"
import { gradient } from "../../program/gradient.js"
import { type Head, type PretrainedProgram, pretrainedProgram } from "../../program/models/pretrained.js"
import type { Node } from "../../program/node.js"
import { type Batch, fed } from "./batch.js"
import type { Engine, GraphSession, GraphTensor } from "./engine.js"
import { COEFFICIENTS, type StepGraph, stepGraph } from "./stepGraph.js"

/** What of a model is trained, and for what. */
export interface Adaptation {
  /** The last part of the adapted modules' names, as PEFT's `target_modules`: query, value, q_proj, …. */
  readonly sites: readonly string[]
  readonly rank: number
  /** What B A is multiplied by: α / r. */
  readonly scale: number
  /** How many classes a sequence may have; null where the next token is told. */
  readonly classes: number | null
  /** Whether the layer that classifies is trained too, as PEFT does for sequence classification. */
  readonly trainHead: boolean
}

/** A tensor that is trained. */
export interface TrainedTensor {
  /** As in a PEFT adapter's file, without "base_model.model.": "….query.lora_A.weight", or a weight's own name. */
  readonly name: string
  readonly shape: readonly [number, number]
}

/** Evaluates loss and gradients at values of what is trained. */
export interface Gradients {
  readonly engine: string
  readonly trained: readonly TrainedTensor[]
  /** The names of the layer that classifies, and their sizes. */
  readonly head: readonly TrainedTensor[]
  /**
   * The batch's mean loss and its gradient in each trained tensor, row by row.
   *
   * @param values of the trained tensors, in their order.
   * @throws InputError as `fed`.
   */
  at(
    batch: Batch,
    values: readonly Float32Array[],
  ): Promise<{ readonly loss: number; readonly gradients: readonly Float32Array[] }>
}

/** A graph with its session and the tensors that every step feeds. */
interface Opened {
  readonly program: PretrainedProgram
  readonly graph: StepGraph
  readonly session: GraphSession
  readonly leaves: readonly Node[]
}

/**
 * Writes the graph of a model's loss and gradients and reads its frozen weights.
 *
 * @param head values of the layer that classifies, by their names, where it is frozen.
 * @throws InputError for a weight that the model lacks, or sites of which it has none.
 */
export async function openGradients(
  engine: Engine,
  model: Pretrained,
  adaptation: Adaptation,
  frozenHead: ReadonlyMap<string, Float32Array> = new Map(),
): Promise<Gradients> {
  const { sites, rank, scale, classes, trainHead } = adaptation
  const kind: Head = classes === null ? "causal" : "classification"
  const written = (padded: boolean) => pretrainedProgram(model.shape, kind, sites, scale, padded)
  const program = written(false)
  const sizeOf = ({ shape }: Node, tokens = 1): [number, number] =>
    shape.map(({ name, count }) => {
      const sizes: Readonly<Record<string, number>> = {
        rank,
        classes: classes ?? 1,
        tokens,
        vocabulary: vocabularyOf(model),
      }
      return sizes[name] ?? count
    }) as [number, number]
  const isTrained = (name: string) => trainHead && program.head.has(name)
  const weights = new Map<string, Float32Array>()
  for (const [name, leaf] of program.weights)
    if (!isTrained(name)) weights.set(name, frozenHead.get(name) ?? (await weightOf(model, name, sizeOf(leaf))))
  const trained = [...program.adapters].flatMap(([module, { A, B }]) => [
    { name: `${module}.lora_A.weight`, shape: sizeOf(A) },
    { name: `${module}.lora_B.weight`, shape: sizeOf(B) },
  ])
  const head = [...program.head].map((name) => ({ name, shape: sizeOf(program.weights.get(name)!) }))
  if (trainHead) trained.push(...head)

  const open = async (own: PretrainedProgram): Promise<Opened> => {
    const factors = [...own.adapters.values()].flatMap(({ A, B }) => [A, B])
    const leaves: Node[] = trainHead ? [...factors, ...[...own.head].map((name) => own.weights.get(name)!)] : factors
    const { embedded, label } = own.given
    const given = Object.values(own.given).filter((node) => node !== null)
    const shared = new Set<Node>([...own.weights.values(), ...leaves, own.ones])
    const byColumns = new Set<Node>(classes === null ? [embedded, label] : [embedded])
    const all = new Set<Node>([...given, ...shared])
    const graph = stepGraph({
      leaves: all,
      next: new Map(),
      values: [own.loss],
      squares: [],
      shared,
      sums: gradient(own.loss, leaves).map((each) => each!),
      byRows: new Set([...all].filter((leaf) => !byColumns.has(leaf))),
    })
    return { program: own, graph, session: await engine.session(graph.model), leaves }
  }
  const opened = new Map<boolean, Promise<Opened>>()
  const openedFor = (padded: boolean) => {
    const known = opened.get(padded) ?? open(padded ? written(true) : program)
    opened.set(padded, known)
    return known
  }
  const frozen = new Map<string, GraphTensor>()
  for (const [name, leaf] of program.weights)
    if (!isTrained(name)) frozen.set(name, engine.tensor(weights.get(name)!, [1, ...sizeOf(leaf)]))

  return {
    engine: engine.name,
    trained,
    head,
    at: async (batch, values) => {
      const own = fed(model, batch, classes)
      const { program, graph, session, leaves } = await openedFor(own.padding !== null)
      const [count, tokens] = [batch.ids.length, batch.ids[0]!.length]
      const feeds: Record<string, GraphTensor> = {}
      const feed = (leaf: Node, tensor: GraphTensor) => {
        feeds[graph.leaves.get(leaf)!] = tensor
      }
      for (const [name, leaf] of program.weights) if (!isTrained(name)) feed(leaf, frozen.get(name)!)
      leaves.forEach((leaf, i) => {
        feed(leaf, engine.tensor(values[i]!, [1, ...sizeOf(leaf)]))
      })
      const { embedded, padding, label, weight, picked } = program.given
      const { hidden } = model.shape
      feed(embedded, engine.tensor(own.embedded, [count, tokens, hidden]))
      if (padding !== null) feed(padding, engine.tensor(own.padding!, [count, tokens, 1]))
      feed(label, engine.tensor(own.label, classes === null ? [count, tokens, hidden] : [count, classes, 1]))
      feed(weight, engine.tensor(own.weight, [count, classes === null ? tokens : 1, 1]))
      if (picked !== null) feed(picked, engine.tensor(own.picked!, [count, tokens, 1]))
      feed(program.ones, engine.tensor(new Float32Array(tokens).fill(1), [1, 1, tokens]))
      const numbers = graph.coefficients?.({ n: 1 }, 1)
      if (numbers !== undefined) feeds[COEFFICIENTS] = engine.tensor(numbers, [numbers.length])
      const found = await session.run(feeds)
      const data = (name: string) => found[name]!.data as Float32Array
      const loss = data(graph.values[0]!).reduce((sum, each) => sum + each, 0)
      return { loss, gradients: graph.sums.map(data) }
    },
  }
}

function vocabularyOf({ tables: { output, words }, shape }: Pretrained): number {
  return (output ?? words).length / shape.hidden
}

/** Tables that are in memory are not read again. */
function weightOf(model: Pretrained, name: string, size: readonly number[]): Promise<Float32Array> | Float32Array {
  if (name.endsWith("embed_tokens.weight")) return model.tables.words
  if (name === "lm_head.weight" && model.tables.output !== null) return model.tables.output
  return model.weight(name, size)
}
