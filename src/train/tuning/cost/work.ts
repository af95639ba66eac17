/**
 * What a step of LoRA fine-tuning takes, read off the same program that is trained: a fourth reading of it, in counts.
 */
import { gradient } from "../../../program/gradient.js"
import {
  type Head,
  type PretrainedProgram,
  type PretrainedShape,
  pretrainedProgram,
} from "../../../program/models/pretrained.js"
import { inOrder, type Node } from "../../../program/node.js"
import { type AdaptedModules, blocksOf } from "../trained.js"

/** A model's sizes; nothing of its weights' values. */
export interface ModelSizes {
  readonly shape: PretrainedShape
  /** How many numbers its weights are, with the tables that are looked up and without a layer that classifies. */
  readonly parameters: number
}

/** What is trained of a model, on sequences of which length. */
export interface TunedPart extends AdaptedModules {
  readonly rank: number
  /** How many classes a sequence may have; null where the next token is told. */
  readonly classes: number | null
  /** Tokens of a sequence. */
  readonly tokens: number
}

/** What one sequence takes in a step, and what the model and its trained part are. */
export interface StepWork {
  /** Floating-point operations of matrix products, forward and backward; a product's term counts two. */
  readonly forward: number
  readonly backward: number
  /** Of the forward pass, the blocks below the first adapted one, which nothing is kept of. */
  readonly lower: number
  /** Numbers that the backward pass reads and the forward pass has made, attention's tokens × tokens left out. */
  readonly kept: number
  /** Of these, numbers of attention: heads × tokens × tokens in each layer. */
  readonly scores: number
  /** Of those that are kept, the numbers of a block, and of how many blocks they are. */
  readonly block: number
  readonly blocks: number
  /** Numbers that are trained. */
  readonly trained: number
}

/**
 * The work of one sequence. Blocks are alike, so that two are read and the others counted by their difference.
 *
 * @throws InputError for blocks that the model lacks.
 */
export function stepWork(model: ModelSizes, part: TunedPart): StepWork {
  const { layers } = model.shape
  const vocabulary = vocabularyOf(model)
  const [one, two] = [1, 2].map((count) =>
    workOf({ ...model.shape, layers: count }, vocabulary, { ...part, layers: undefined }),
  ) as [StepWork, StepWork]
  const block = two.kept - one.kept
  if (part.layers !== undefined) {
    const own = workOf(model.shape, vocabulary, part)
    return { ...own, block: (own.kept - (one.kept - block)) / own.blocks }
  }
  if (layers === 1) return one
  const whole = (name: keyof StepWork) => one[name] + (layers - 1) * (two[name] - one[name])
  return {
    forward: whole("forward"),
    backward: whole("backward"),
    lower: 0,
    kept: whole("kept"),
    scores: whole("scores"),
    block,
    blocks: layers,
    trained: whole("trained"),
  }
}

/** Rows of the table of words: what the other weights leave; an encoder's tables of positions are taken for words. */
export function vocabularyOf({ shape, parameters }: ModelSizes): number {
  const { weights } = pretrainedProgram(shape, "causal", [], 1, false)
  const others = [...weights.values()].filter((node) => node.shape.every(({ name }) => name !== "vocabulary"))
  const known = others.reduce((sum, { shape: [rows, columns] }) => sum + rows.count * columns.count, 0)
  const tables = shape.rotary === null || shape.tied ? 1 : 2
  return Math.max(1, Math.round((parameters - known) / (tables * shape.hidden)))
}

function workOf(shape: PretrainedShape, vocabulary: number, part: TunedPart): StepWork {
  const { sites, layers, rank, classes, tokens } = part
  const head: Head = classes === null ? "causal" : "classification"
  const blocks = blocksOf(shape, layers)
  const program = pretrainedProgram(shape, head, sites, 1, false, blocks)
  const sizes: Readonly<Record<string, number>> = { rank, tokens, vocabulary, classes: classes ?? 1 }
  const lengths = (node: Node) => node.shape.map(({ name, count }) => sizes[name] ?? count) as [number, number]
  const entries = (nodes: Iterable<Node>) => [...nodes].reduce((sum, node) => sum + area(lengths(node)), 0)
  const operations = (nodes: readonly Node[]) =>
    nodes.reduce((sum, node) => {
      if (!node.is("matmul")) return sum
      const [[rows, inner], [, columns]] = node.operands.map(lengths) as [[number, number], [number, number]]
      // A column times a row of ones repeats it.
      return inner === 1 ? sum : sum + 2 * rows * inner * columns
    }, 0)
  const trained = trainedOf(program)
  const forward = inOrder([program.loss])
  const made = new Set(forward)
  const gradients = gradient(program.loss, trained).filter((node) => node !== null)
  const backward = inOrder(gradients, made)
  const below = program.lower === null ? [] : [program.lower.leaf]
  const given = new Set<Node>([...Object.values(program.given).filter((node) => node !== null), ...below])
  const read = new Set(
    backward
      .flatMap(({ operands }) => operands.map(viewed))
      .filter((node) => made.has(node) && (!node.is("leaf") || given.has(node))),
  )
  const kept = [...read]
  const lower = program.lower === null ? 0 : operations(inOrder([program.lower.computed]))
  const isScores = (node: Node) => node.shape.every(({ name }) => name === "tokens")
  return {
    forward: lower + operations(forward),
    backward: operations(backward),
    lower,
    kept: entries(kept.filter((node) => !isScores(node))),
    scores: entries(kept.filter(isScores)),
    // Of a model of one block all that is kept is taken for it.
    block: entries(kept.filter((node) => !isScores(node))),
    blocks: shape.layers - (blocks === null ? 0 : Math.min(...blocks)),
    trained: entries(trained),
  }
}

function trainedOf({ adapters, weights, head }: PretrainedProgram): Node[] {
  const factors = [...adapters.values()].flatMap(({ A, B }) => [A, B])
  return [...factors, ...[...head].map((name) => weights.get(name)!)]
}

/** The tensor whose numbers a part or a transpose shows in another order. */
function viewed(node: Node): Node {
  return node.is("transpose") || node.is("rowPart") || node.is("placeRows") ? viewed(node.operands[0]!) : node
}

function area([rows, columns]: readonly [number, number]): number {
  return rows * columns
}
