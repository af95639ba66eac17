/** A scheme's runs in float64, a step as a few loops of WebAssembly: the reference interpreter's numbers, sooner. */
import { grows } from "../../program/dimension.js"
import { inOrder, isNeverFormed, type Node } from "../../program/node.js"
import type { Coefficient } from "../../program/operation.js"
import type { Scheme } from "../../scheme/scheme.js"
import { entriesOf, type SpaceSizes, sizeOf } from "../numbers.js"
import { endsOf, type RunConfig, type RunResult, requireRunnable, sizesOf } from "../run.js"
import { untransposed } from "../schedule.js"
import { measuredNodes, StepRecords } from "../stepRecords.js"
import { Instance } from "./instance.js"
import { longOf, type Plan, planOf } from "./plan.js"

/** What computed a run, in its result. */
export const FUSED = "fused float64"

/**
 * Bytes of a step's tensors and of what may be asked of matrices that are never formed, beyond which none is planned: a
 * kernel's addresses have 32 bits. Most of what may be asked never is, and takes no memory.
 */
const MOST_BYTES = 2 ** 32 - 2 ** 26

/** A scheme's program at a rank, ready for runs of any width. */
export interface FusedProgram {
  /**
   * Trains a scheme's adapter for each seed as `run` does, up to rounding.
   *
   * @returns null at a width at which a long side is odd or memory does not suffice.
   * @throws InputError as `run` does.
   */
  runs(config: Omit<RunConfig, "seed" | "precision">, seeds: readonly number[]): RunResult[] | null
}

/** Plans a scheme's program; null for one that has no plan (see `planOf`). */
export function fusedProgram(scheme: Scheme, rank: number): FusedProgram | null {
  const { program } = scheme
  const roots = endsOf(program)
  const needed = new Set(inOrder(roots))
  const deviations = new Map(program.frozen.map(({ node, deviation }) => [node, deviation] as const))
  const starts = new Map<Node, Coefficient | "zero">([
    ...deviations,
    ...[...program.next.keys()].map((leaf) => [leaf, "zero"] as const),
    ...scheme.start,
  ])
  const leaves = new Set([...starts.keys()].filter((leaf) => needed.has(leaf) || program.next.has(leaf)))
  const next = [...program.next.values()].map((node) => (longOf(node) === null ? node : untransposed(node)))
  if (new Set(next).size < next.length || next.some((node) => leaves.has(node))) return null
  const { loss, residual } = program
  const kept = [loss, ...(residual === null ? [] : [residual]), ...program.next.values()]
  const squares = measuredNodes(program).filter(({ isZero }) => !isZero)
  const plan = planOf(
    { leaves, moving: new Set(program.next.keys()), kept, squares },
    sizesOf(scheme, { width: 1, rank }),
  )
  if (plan === null) return null
  let open: { readonly key: string; readonly instance: Instance } | null = null
  return {
    runs: (config, seeds) => {
      requireRunnable(scheme, { ...config, seed: 0 })
      const sizes = sizesOf(scheme, config)
      if (!fits(plan, sizes, config.steps)) return null
      const key = `${config.width} ${config.steps}`
      if (open?.key !== key) {
        const instance = ifRoom(
          () => new Instance(plan, { leaves, next: program.next, squares, deviations, sizes, steps: config.steps }),
        )
        if (instance === null) return null
        open = { key, instance }
      }
      const { instance } = open
      return seeds.map((seed) => {
        instance.begin(seed)
        for (const leaf of leaves) if (!isNeverFormed(leaf)) instance.start(leaf, starts.get(leaf)!, seed)
        return trained(scheme, instance, sizes, config.steps)
      })
    },
  }
}

/** What is made, or null where the machine has no room for its memory. */
function ifRoom<T>(make: () => T): T | null {
  try {
    return make()
  } catch (error) {
    if (error instanceof RangeError) return null
    throw error
  }
}

function trained({ program }: Scheme, instance: Instance, sizes: SpaceSizes, steps: number): RunResult {
  const records = new StepRecords(program, sizes)
  const { history } = records
  for (let step = 1; step <= steps; step++) {
    instance.step(step)
    records.add({
      loss: instance.view(program.loss)[0]!,
      residual: program.residual && Float64Array.from(instance.view(program.residual)),
      meanSquare: (node) => instance.meanSquare(node),
    })
    if (records.outcome.kind === "diverged") break
    instance.turn()
  }
  return { outcome: records.outcome, history, backend: FUSED }
}

/** Whether every long side is even, and memory suffices. */
function fits({ slots, work }: Plan, sizes: SpaceSizes, steps: number): boolean {
  const nodes = [...slots.keys()]
  const spaces = nodes.flatMap(({ shape }) => shape.filter(grows))
  if (spaces.some((space) => sizeOf(space, sizes) % 2 !== 0)) return false
  const tensors = nodes.reduce((sum, node) => sum + 8 * entriesOf(node, sizes), 0)
  const asked = work.reduce((sum, piece) => {
    if (piece.kind !== "ask") return sum
    const [rows, columns] = piece.matrix.shape.map((space) => sizeOf(space, sizes)) as [number, number]
    return sum + 8 * (rows + columns) * steps * slots.get(piece.of)!.count
  }, 0)
  return tensors + asked <= MOST_BYTES
}
