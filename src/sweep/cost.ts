import { inOrder } from "../program/node.js"
import { scheme } from "../scheme/scheme.js"
import type { SyntheticConfig } from "../train/syntheticConfig.js"
import type { Task } from "../train/task.js"

/** What a task takes. */
export interface Cost {
  /** Bytes alive at once, at most. */
  readonly bytes: number
  /** Floating-point operations of the training, about. */
  readonly operations: number
}

/** A thread's own memory: its engine and the compiled program. */
const BYTES_PER_THREAD = 64 * 2 ** 20

/** The calling thread with the store. */
const BYTES_BESIDE = 448 * 2 ** 20

/** The bytes that runs need on so many threads at once, at most: each with the largest of them, and what is beside. */
export function memoryNeeded(largest: number, workers: number): number {
  return BYTES_BESIDE + Math.max(1, workers) * (BYTES_PER_THREAD + largest)
}

/** The cost of tasks, from their sizes alone: reckoned once for those that differ in nothing but the seed. */
export function costing(): (task: Task) => Cost {
  const known = new Map<string, Cost>()
  return (task) => {
    if (task.kind === "synthetic") return syntheticCost(task.config)
    const { seeds, ...shared } = task
    const key = JSON.stringify(shared)
    const cost = known.get(key) ?? schemeCost(task)
    known.set(key, cost)
    return { ...cost, operations: seeds.length * cost.operations }
  }
}

/**
 * One seed after the other: every value of a step and of the next alive at once in float64; a frozen n×n matrix is never formed, but keeps the two
 * vectors of each of its products. Matrix products count two operations a term, other nodes one an entry.
 */
function schemeCost({ definition, values, config }: Extract<Task, { kind: "scheme" }>): Cost {
  const { width, rank, steps } = config
  const { program, sizes, dimensions } = scheme(definition, values)
  const power = (exponent: { readonly constant: { valueOf(): number } }) => width ** exponent.constant.valueOf()
  const size = { n: width, nIn: power(dimensions.nIn), r: rank * power(sizes.rank), samples: 1, one: 1 }
  const watched = Object.values(program.alignments).flatMap(({ left, right }) => [left, right])
  let [entries, operations, products] = [0, 0, 0]
  for (const { shape, operation } of inOrder([
    program.loss,
    ...program.next.values(),
    ...Object.values(program.quantities),
    ...watched,
  ])) {
    const [rows, columns] = [size[shape[0]], size[shape[1]]]
    const left = operation.op === "matmul" ? operation.left.shape : null
    if (left !== null && isFrozen(left)) products += columns
    else if (!isFrozen(shape)) operations += left === null ? rows * columns : 2 * rows * size[left[1]] * columns
    if (!isFrozen(shape)) entries += rows * columns
  }
  const kept = 2 * width * products * steps
  return { bytes: 8 * (2 * entries + kept), operations: steps * (operations + 2 * products * kept) }
}

/** Whether a shape is that of the frozen matrices, which are never formed. */
const isFrozen = ([rows, columns]: readonly [string, string]) => rows === "n" && columns === "n"

/**
 * Drawing the data has five float64 arrays of n×N alive at once (W_in X before and after φ, its QR factorisation, W_h Q
 * and W_h P), W_h itself for n ≤ N; training then has less: P, H and the mask. The adapter has ten arrays of n×r: factors,
 * gradients and Adam's moments. A step is five products of n×N with rank r and a pass over n×N.
 */
function syntheticCost({ width: n, samples: N, rank: r, steps, teacherWidth: m }: SyntheticConfig): Cost {
  const frozen = n > N ? 0 : n * n
  return {
    bytes: 8 * (6 * n * N + frozen + 10 * n * r + 3 * m * N),
    operations: steps * (10 * n * N * r + 3 * n * N),
  }
}
