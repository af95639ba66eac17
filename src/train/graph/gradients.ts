/** The loss of a pretrained model and its gradients in what is trained, as a graph. */
import type { Pretrained } from "../../checkpoint/pretrained.js"
import { gradient } from "../../program/gradient.js"
import { type Head, type PretrainedProgram, pretrainedProgram } from "../../program/models/pretrained.js"
import { inOrder, type Node } from "../../program/node.js"
import type { Batch } from "../tuning/batch.js"
import { type AdaptedModules, blocksOf, type TrainedTensor, trainedTensors } from "../tuning/trained.js"
import type { Engine, GraphSession, GraphTensor } from "./engine.js"
import { type Fed, fed, type Read, read } from "./feeds.js"
import { LowerBlocks } from "./lowerBlocks.js"
import { COEFFICIENTS, type StepGraph, stepGraph } from "./stepGraph.js"

/** What of a model is trained, and for what. */
export interface Adaptation extends AdaptedModules {
  readonly rank: number
  /** What B A is multiplied by: α / r. */
  readonly scale: number
  /** How many classes a sequence may have; null where the next token is told. */
  readonly classes: number | null
  /** Whether the layer that classifies is trained too, as PEFT does for sequence classification. */
  readonly trainHead: boolean
}

/** What is read of a model without its gradients. */
export interface Forward {
  /** Of each sequence, the loss of what it is told, a sum over its tokens. @throws InputError as `fed`. */
  losses(batch: Batch, values: readonly Float32Array[]): Promise<readonly number[]>
  /**
   * Of each sequence, the logits of the classes, or of the token behind its last. @throws InputError as `read`.
   */
  logits(batch: Omit<Batch, "labels">, values: readonly Float32Array[]): Promise<readonly Float32Array[]>
  /** What each adapted module reads, sequences × entries × tokens. @throws InputError as `read`. */
  inputs(
    batch: Omit<Batch, "labels">,
    values: readonly Float32Array[],
  ): Promise<ReadonlyMap<string, { readonly rows: number; readonly data: Float32Array }>>
}

/** Evaluates loss and gradients at values of what is trained. */
export interface Gradients extends Forward {
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
 * Writes the graph of a model's loss and gradients and reads its frozen weights. What blocks below the first adapted one
 * give is a graph of its own, through which a sequence goes once.
 *
 * @param head values of the layer that classifies, by their names, where it is frozen.
 * @throws InputError for a weight or a block that the model lacks, or sites of which it has none.
 */
export async function openGradients(
  engine: Engine,
  model: Pretrained,
  adaptation: Adaptation,
  frozenHead: ReadonlyMap<string, Float32Array> = new Map(),
): Promise<Gradients> {
  const { sites, layers, rank, scale, classes, trainHead } = adaptation
  const kind: Head = classes === null ? "causal" : "classification"
  const blocks = blocksOf(model.shape, layers)
  const written = (padded: boolean) => pretrainedProgram(model.shape, kind, sites, scale, padded, blocks)
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
  const { adapters, head } = trainedTensors(program, { rank, classes })
  const trained = trainHead ? [...adapters, ...head] : adapters

  const factorsOf = ({ adapters, head, weights }: PretrainedProgram): Node[] => {
    const factors = [...adapters.values()].flatMap(({ A, B }) => [A, B])
    return trainHead ? [...factors, ...[...head].map((name) => weights.get(name)!)] : factors
  }
  const open = async (own: PretrainedProgram, { values, isTrained }: Wanted): Promise<Opened> => {
    const leaves = factorsOf(own)
    const { embedded, label } = own.given
    const lower = own.lower === null ? [] : [own.lower.leaf]
    const given = [...Object.values(own.given).filter((node) => node !== null), ...lower]
    const byColumns = new Set<Node>([embedded, ...lower, ...(classes === null ? [label] : [])])
    const sums = isTrained ? gradient(own.loss, leaves).map((each) => each!) : []
    const read = new Set(inOrder([...values(own), ...sums]))
    const shared = [...own.weights.values(), ...leaves, own.ones]
    const all = new Set<Node>([...given, ...shared].filter((leaf) => read.has(leaf)))
    const graph = stepGraph({
      leaves: all,
      next: new Map(),
      values: values(own),
      squares: [],
      sums,
      byRows: new Set([...all].filter((leaf) => !byColumns.has(leaf))),
    })
    return { program: own, graph, session: await engine.session(graph.model), leaves }
  }
  const opened = new Map<string, Promise<Opened>>()
  const openedFor = (padded: boolean, kind: keyof typeof WANTED) => {
    const key = `${kind} ${padded}`
    const known = opened.get(key) ?? open(padded ? written(true) : program, WANTED[kind])
    opened.set(key, known)
    return known
  }
  const frozen = new Map<string, GraphTensor>()
  for (const [name, leaf] of program.weights)
    if (!isTrained(name)) frozen.set(name, engine.tensor(weights.get(name)!, [1, ...sizeOf(leaf)]))

  const run = async (
    kind: keyof typeof WANTED,
    batch: Omit<Batch, "labels">,
    own: Read & Partial<Fed>,
    values: readonly Float32Array[],
  ) => {
    const found = await outputs(kind, batch, own, values)
    const data = (name: string) => found.tensors[name]!.data as Float32Array
    return { program: found.program, values: found.graph.values.map(data), sums: found.graph.sums.map(data) }
  }
  const below = new LowerBlocks(model.shape.hidden, async (sequences) => {
    const found = await run("lower", sequences, read(model, sequences), [])
    return found.values[0]!
  })
  const outputs = async (
    kind: keyof typeof WANTED,
    batch: Omit<Batch, "labels">,
    own: Read & Partial<Fed>,
    values: readonly Float32Array[],
  ): Promise<Opened & { readonly tensors: Awaited<ReturnType<GraphSession["run"]>> }> => {
    const opened = await openedFor(own.padding !== null, kind)
    const { program, graph, session, leaves } = opened
    const [count, tokens] = [batch.ids.length, batch.ids[0]!.length]
    const feeds: Record<string, GraphTensor> = {}
    // A graph has the leaves that it reads alone.
    const feed = (leaf: Node, tensor: () => GraphTensor) => {
      const name = graph.leaves.get(leaf)
      if (name !== undefined) feeds[name] = tensor()
    }
    for (const [name, leaf] of program.weights) if (!isTrained(name)) feed(leaf, () => frozen.get(name)!)
    leaves.forEach((leaf, i) => {
      feed(leaf, () => engine.tensor(values[i]!, [1, ...sizeOf(leaf)]))
    })
    const { embedded, padding, label, weight, picked } = program.given
    const { hidden } = model.shape
    const [told, weighed] = classes === null ? [[tokens, hidden], tokens] : [[classes, 1], 1]
    feed(embedded, () => engine.tensor(own.embedded, [count, tokens, hidden]))
    if (padding !== null) feed(padding, () => engine.tensor(own.padding!, [count, tokens, 1]))
    feed(label, () => engine.tensor(own.label!, [count, ...told]))
    feed(weight, () => engine.tensor(own.weight!, [count, weighed, 1]))
    feed(picked, () => engine.tensor(own.picked, [count, tokens, 1]))
    feed(program.ones, () => engine.tensor(new Float32Array(tokens).fill(1), [1, 1, tokens]))
    const numbers = graph.coefficients?.({ n: 1 }, 1)
    if (numbers !== undefined) feeds[COEFFICIENTS] = engine.tensor(numbers, [numbers.length])
    if (program.lower !== null && kind !== "lower") {
      const lower = await below.of(batch)
      feed(program.lower.leaf, () => engine.tensor(lower, [count, tokens, hidden]))
    }
    return { ...opened, tensors: await session.run(feeds) }
  }
  return {
    engine: engine.name,
    trained,
    head,
    at: async (batch, values) => {
      const found = await run("gradients", batch, fed(model, batch, classes), values)
      return { loss: found.values[0]!.reduce((sum, each) => sum + each, 0), gradients: found.sums }
    },
    losses: async (batch, values) => {
      const own = fed(model, batch, classes)
      const weight = own.weight.map((each) => (each === 0 ? 0 : 1))
      return [...(await run("losses", batch, { ...own, weight }, values)).values[0]!]
    },
    logits: async (batch, values) => {
      const found = (await run("logits", batch, read(model, batch), values)).values[0]!
      const size = found.length / batch.ids.length
      return batch.ids.map((_, s) => found.subarray(s * size, (s + 1) * size))
    },
    inputs: async (batch, values) => {
      const found = await run("inputs", batch, read(model, batch), values)
      const distinct = inputsOf(found.program)
      return new Map(
        [...found.program.adapters].map(([module, { input }]) => [
          module,
          { rows: sizeOf(input)[0], data: found.values[distinct.indexOf(input)]! },
        ]),
      )
    },
  }
}

/** What a graph is asked for. */
interface Wanted {
  readonly values: (program: PretrainedProgram) => readonly Node[]
  /** Whether gradients are asked for. */
  readonly isTrained: boolean
}

const WANTED = {
  gradients: { values: ({ loss }: PretrainedProgram) => [loss], isTrained: true },
  losses: { values: ({ loss }: PretrainedProgram) => [loss], isTrained: false },
  logits: { values: ({ logits }: PretrainedProgram) => [logits], isTrained: false },
  inputs: { values: inputsOf, isTrained: false },
  lower: { values: ({ lower }: PretrainedProgram) => [lower!.computed], isTrained: false },
} as const satisfies Readonly<Record<string, Wanted>>

/** What adapted modules read; some read the same. */
function inputsOf({ adapters }: PretrainedProgram): Node[] {
  return [...new Set([...adapters.values()].map(({ input }) => input))]
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
