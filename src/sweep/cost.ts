import { inOrder, isNeverFormed } from "../program/node.js"
import { scheme } from "../scheme/scheme.js"
import { MOST_KEPT } from "../train/graph/lowerBlocks.js"
import { bytesOfRun } from "../train/memory.js"
import { shapeOf, sizeOf } from "../train/numbers.js"
import { endsOf, sizesOf } from "../train/run.js"
import { untransposed } from "../train/schedule.js"
import { onStudent } from "../train/student.js"
import type { FineTuningTask, Task } from "../train/task.js"
import { torchBytes } from "../train/tuning/cost/estimate.js"
import { stepWork } from "../train/tuning/cost/work.js"
import { memoryNeeded as trainerBytes } from "../train/wasm/cpu.js"

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
    if (task.kind === "synthetic") return teacherStudentCost(task)
    const of = (key: unknown, reckon: () => Cost) => {
      const text = JSON.stringify(key)
      const cost = known.get(text) ?? reckon()
      known.set(text, cost)
      return cost
    }
    if (task.kind === "finetune") {
      const { seed, rates, start, ...shared } = task.config
      return of([shared, task.files], () => fineTuningCost(task))
    }
    const { seeds, ...shared } = task
    const cost = of(shared, () => schemeCost(task))
    return { ...cost, operations: seeds.length * cost.operations }
  }
}

/**
 * One seed after the other. A frozen matrix that is never formed keeps the two vectors of each of its products.
 * Matrix products count two operations a term, other nodes one an entry.
 */
function schemeCost({ definition, values, config }: Extract<Task, { kind: "scheme" }>): Cost {
  const { width, steps } = config
  const ready = scheme(definition, values)
  const run = { ...config, seed: 0 }
  const size = sizesOf(ready, run)
  let [operations, products] = [0, 0]
  for (const node of inOrder(endsOf(ready.program))) {
    const [rows, columns] = shapeOf(node, size)
    const left = node.is("matmul") ? node.operands[0]! : null
    if (left !== null && isNeverFormed(untransposed(left))) products += columns
    else if (!isNeverFormed(untransposed(node)))
      operations += left === null ? rows * columns : 2 * rows * sizeOf(left.shape[1], size) * columns
  }
  const kept = 2 * width * products * steps
  return { bytes: bytesOfRun(ready, run) + 8 * kept, operations: steps * (operations + 2 * products * kept) }
}

/** A step is five products of n×N with rank r and a pass over n×N. */
function teacherStudentCost(task: Extract<Task, { kind: "synthetic" }>): Cost {
  const { precision = "float32", config, scheme: own } = task
  if (own !== undefined) {
    const { width, rank, steps } = config
    const definition = onStudent(own.definition, config)
    const { bytes, operations } = schemeCost({
      kind: "scheme",
      definition,
      values: own.values,
      config: { width, rank, steps },
      seeds: [0],
    })
    return { bytes, operations }
  }
  const { width: n, samples: N, rank: r, steps } = config
  return { bytes: trainerBytes(config, { precision, threads: 1 }), operations: steps * (10 * n * N * r + 3 * n * N) }
}

/**
 * By the engine `graph` the weights are in memory twice, and what a step keeps beside its gradient, as large, and one of
 * them more while it is computed, and what lower blocks gave if it is kept; by `torch` as on a card.
 */
function fineTuningCost({ engine, torch = {}, precision, config, files: { model, classes } }: FineTuningTask): Cost {
  const { steps, size, length, accumulate, sites, layers, rank } = config
  const part = { sites, layers, rank, classes, tokens: length }
  const work = stepWork(model, part)
  const below = work.lower === 0 ? 0 : MOST_KEPT
  const asGraph = 4 * (2 * model.parameters + 3 * size * (work.kept + work.scores)) + below
  return {
    bytes: engine === "graph" ? asGraph : torchBytes({ model, part, precision, size, torch }, work),
    operations:
      steps * accumulate * size * (work.backward + work.forward + (torch.recompute ? work.forward - work.lower : 0)),
  }
}
