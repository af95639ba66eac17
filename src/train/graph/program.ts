/** A scheme's program as a graph: the runs of many seeds side by side, in float32. */
import { mebibytes } from "../../mebibytes.js"
import { inOrder, isNeverFormed, type Node } from "../../program/node.js"
import type { Coefficient } from "../../program/operation.js"
import type { Scheme } from "../../scheme/scheme.js"
import type { Matrix } from "../matrix.js"
import { entriesOf, type SpaceSizes, shapeOf } from "../numbers.js"
import { drawn, endsOf, type RunConfig, type RunResult, requireRunnable, sizesOf } from "../run.js"
import { measuredNodes, StepRecords } from "../stepRecords.js"
import { type Engine, GraphFailure } from "./engine.js"
import { COEFFICIENTS, SQUARES, stepGraph, unwritable } from "./stepGraph.js"

/** Bytes that a run's frozen n×n matrices may take: the reference interpreter never forms them. */
const MOST_BYTES = 2 ** 24

/**
 * Trains a scheme's adapter for each seed, from the same start as the reference interpreter; a frozen n×n matrix, which
 * that never forms, is drawn here as a whole.
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

/** A leaf's start for each of the seeds, one after the other, each column by column. */
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
      putByColumns(drawn(node, deviation, sizes, { seed, width }), all.subarray(i * entries, (i + 1) * entries))
    })
  return all
}

function putByColumns({ rows, columns, data }: Matrix, into: Float32Array): void {
  if (rows === 1 || columns === 1) into.set(data)
  else for (let i = 0; i < rows; i++) for (let j = 0; j < columns; j++) into[j * rows + i] = data[i * columns + j]!
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
  const { loss, residual, next } = program
  const squares = measuredNodes(program).filter(({ isZero }) => !isZero)
  const values = [loss, ...(residual === null ? [] : [residual])]
  const graph = stepGraph({ leaves, next, values, squares })
  const session = await engine.session(graph.model)
  const moving = new Map(
    leaves.map((leaf) => [leaf, engine.tensor(start(leaf), [runs, ...[...shapeOf(leaf, sizes)].reverse()])]),
  )
  const records = Array.from({ length: runs }, () => new StepRecords(program, sizes))
  const isGoingOn = ({ outcome }: StepRecords) => outcome.kind === "finished"
  for (let step = 1; step <= steps && records.some(isGoingOn); step++) {
    const feeds = Object.fromEntries([...graph.leaves].map(([leaf, name]) => [name, moving.get(leaf)!]))
    if (graph.coefficients !== null) {
      const numbers = graph.coefficients(sizes, step)
      feeds[COEFFICIENTS] = engine.tensor(numbers, [numbers.length])
    }
    const found = await session.run(feeds)
    const numbersOf = (name: string) => found[name]!.data as Float32Array
    const sums = found[SQUARES]?.data as Float64Array | undefined
    for (const [i, record] of records.entries()) {
      if (!isGoingOn(record)) continue
      const own = (name: string) => {
        const all = numbersOf(name)
        const count = all.length / runs
        return Float64Array.from(all.subarray(i * count, (i + 1) * count))
      }
      record.add({
        loss: own(graph.values[0]!)[0]!,
        residual: residual && own(graph.values[1]!),
        meanSquare: (node) =>
          node.isZero ? 0 : sums![i * squares.length + squares.indexOf(node)]! / entriesOf(node, sizes),
      })
    }
    for (const [leaf, name] of graph.next) moving.set(leaf, found[name]!)
  }
  return records.map(({ outcome, history }) => ({ outcome, history }))
}
