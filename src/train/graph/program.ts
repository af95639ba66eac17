/** A scheme's program as a graph: the runs of many seeds side by side, in float32. */
import { inOrder, isNeverFormed, type Node } from "../../program/node.js"
import type { Coefficient } from "../../program/operation.js"
import type { Scheme } from "../../scheme/scheme.js"
import { entriesOf, type SpaceSizes, shapeOf } from "../numbers.js"
import {
  drawn,
  endsOf,
  meanSquaresOf,
  type RunConfig,
  type RunResult,
  requireRunnable,
  type StepRecord,
  signChanges,
  sizesOf,
} from "../run.js"
import { type Engine, GraphFailure } from "./engine.js"
import { COEFFICIENTS, SQUARES, stepGraph, unwritable } from "./stepGraph.js"

/** Bytes that a run's frozen n×n matrices may take: the reference interpreter never forms them. */
const MOST_BYTES = 2 ** 24

/**
 * Trains a scheme's adapter for each seed, from the same start as the reference interpreter; a frozen n×n matrix, which that
 * never forms, is drawn here as a whole.
 *
 * @throws InputError as `run` does; GraphFailure if the program has an operation without an ONNX form or a run's frozen
 * matrices would take more than 16 MiB.
 */
export async function runProgram(
  engine: Engine,
  scheme: Scheme,
  config: Omit<RunConfig, "seed" | "precision">,
  seeds: readonly number[],
): Promise<RunResult[]> {
  requireRunnable(scheme, { ...config, seed: 0 })
  const { program } = scheme
  const sizes = sizesOf(scheme, config)
  const frozen = new Map(program.frozen.map(({ node, deviation }) => [node, deviation]))
  const known = new Set<Node>([...frozen.keys(), ...program.next.keys(), ...scheme.start.keys()])
  const roots = endsOf(program)
  const missing = unwritable(roots, known)
  if (missing !== null) throw new GraphFailure(`${missing} has no ONNX form`)
  const read = new Set(inOrder(roots).filter((node) => known.has(node)))
  const formed = [...read].filter(isNeverFormed).reduce((bytes, node) => bytes + 4 * entriesOf(node, sizes), 0)
  if (formed > MOST_BYTES)
    throw new GraphFailure(`frozen n×n matrices of ${mebibytes(formed)} a run, more than ${mebibytes(MOST_BYTES)}`)
  const atOnce = formed === 0 ? seeds.length : Math.max(1, Math.floor(MOST_BYTES / formed))
  const results: RunResult[] = []
  const batch = async (own: readonly number[]) => {
    const start = (node: Node): Float32Array => {
      const deviation = frozen.get(node) ?? scheme.start.get(node) ?? "zero"
      return startOf(node, deviation, sizes, config.width, own)
    }
    return runBatch(engine, scheme, sizes, config.steps, own.length, [...read], start)
  }
  for (let first = 0; first < seeds.length; first += atOnce)
    results.push(...(await batch(seeds.slice(first, first + atOnce))))
  return results
}

/** A leaf's start for each of the seeds, one after the other. */
function startOf(
  node: Node,
  deviation: Coefficient | "zero",
  sizes: SpaceSizes,
  width: number,
  seeds: readonly number[],
): Float32Array {
  const entries = entriesOf(node, sizes)
  const all = new Float32Array(entries * seeds.length)
  if (deviation !== "zero")
    seeds.forEach((seed, i) => {
      all.set(drawn(node, deviation, sizes, { seed, width }).data, i * entries)
    })
  return all
}

async function runBatch(
  engine: Engine,
  { program }: Scheme,
  sizes: SpaceSizes,
  steps: number,
  runs: number,
  leaves: readonly Node[],
  start: (leaf: Node) => Float32Array,
): Promise<RunResult[]> {
  const { loss, residual, next, quantities, alignments } = program
  const factors = Object.values(alignments).flatMap(({ product, left, right }) => [product, left, right])
  const squares = [...new Set([...Object.values(quantities), ...factors])].filter(({ isZero }) => !isZero)
  const values = [loss, ...(residual === null ? [] : [residual])]
  const graph = stepGraph({ leaves, next, values, squares })
  const session = await engine.session(graph.model)
  const moving = new Map(leaves.map((leaf) => [leaf, engine.tensor(start(leaf), [runs, ...shapeOf(leaf, sizes)])]))
  const histories: StepRecord[][] = Array.from({ length: runs }, () => [])
  const ended = new Map<number, number>()
  let before: Float32Array | null = null
  for (let step = 1; step <= steps && ended.size < runs; step++) {
    const feeds = Object.fromEntries([...graph.leaves].map(([leaf, name]) => [name, moving.get(leaf)!]))
    if (graph.coefficients !== null) {
      const numbers = graph.coefficients(sizes, step)
      feeds[COEFFICIENTS] = engine.tensor(numbers, [numbers.length])
    }
    const found = await session.run(feeds)
    const numbersOf = (name: string) => found[name]!.data as Float32Array
    const sums = found[SQUARES]?.data as Float64Array | undefined
    const after = residual === null ? null : numbersOf(graph.values[1]!)
    for (let i = 0; i < runs; i++) {
      if (ended.has(i)) continue
      const of = (node: Node) =>
        node.isZero ? 0 : sums![i * squares.length + squares.indexOf(node)]! / entriesOf(node, sizes)
      const own = (all: Float32Array | null) => {
        const count = all === null ? 0 : all.length / runs
        return all === null ? null : Float64Array.from(all.subarray(i * count, (i + 1) * count))
      }
      const [lossBefore] = own(numbersOf(graph.values[0]!))!
      const meanSquares = meanSquaresOf(program, of, sizes)
      const flipped = signChanges(own(before) ?? undefined, own(after))
      histories[i]!.push({ step, loss: lossBefore!, flipped, meanSquares })
      if (![lossBefore!, ...Object.values(meanSquares)].every(Number.isFinite)) ended.set(i, step)
    }
    before = after
    for (const [leaf, name] of graph.next) moving.set(leaf, found[name]!)
  }
  return histories.map((history, i) => {
    const step = ended.get(i)
    return { outcome: step === undefined ? { kind: "finished" } : { kind: "diverged", step }, history }
  })
}

function mebibytes(bytes: number): string {
  return `${Math.ceil(bytes / 2 ** 20)} MiB`
}
