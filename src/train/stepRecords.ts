/** What is kept of a run step by step, whichever backend reads the program. */
import type { Node } from "../program/node.js"
import type { Program } from "../program/program.js"
import { type SpaceSizes, sizeOf } from "./numbers.js"

/** One step's quantities: the mean over entries of the squared value, and the loss before the step. */
export interface StepRecord {
  readonly step: number
  readonly loss: number
  /**
   * The share of samples whose residual f − y has another sign than before the last step; 0 where no step can turn it.
   */
  readonly flipped: number
  readonly meanSquares: Readonly<Record<string, number>>
  /**
   * The mean square of what each saturating function's argument has changed by, over that of the scale where it
   * saturates; absent where the program has no such function.
   */
  readonly saturations?: Readonly<Record<string, number>>
}

/** How a run ended; a run that leaves the finite numbers stops there and says so. */
export type RunOutcome = { readonly kind: "finished" } | { readonly kind: "diverged"; readonly step: number }

/** What a backend read of a step. */
export interface StepValues {
  readonly loss: number
  /** f − y before the step; null where the gradient does not depend on it. */
  readonly residual: Float64Array | null
  /** The mean over a node's entries of the squared value, for each of {@link measuredNodes}. */
  readonly meanSquare: (node: Node) => number
}

const measured = new WeakMap<Program, readonly Node[]>()

/**
 * The nodes whose mean squares are recorded: the quantities, the sums over a width with both their factors, and what
 * saturating functions are given.
 */
export function measuredNodes(program: Program): readonly Node[] {
  const known = measured.get(program)
  if (known !== undefined) return known
  const sums = Object.values(program.alignments).flatMap(({ product, left, right }) => [product, left, right])
  const given = Object.values(program.saturations).flatMap(({ change, scale }) =>
    scale === null ? [change] : [change, scale],
  )
  const nodes = [...new Set([...Object.values(program.quantities), ...sums, ...given])]
  measured.set(program, nodes)
  return nodes
}

/** The records of one run, in the order of its steps. */
export class StepRecords {
  readonly history: StepRecord[] = []
  private readonly program: Program
  private readonly sizes: SpaceSizes
  private readonly measured: readonly Node[]
  private residual: Float64Array | null = null
  private last: RunOutcome = { kind: "finished" }

  constructor(program: Program, sizes: SpaceSizes) {
    this.program = program
    this.sizes = sizes
    this.measured = measuredNodes(program)
  }

  /** Diverged once a number of the last step is not finite; else finished, should no step follow. */
  get outcome(): RunOutcome {
    return this.last
  }

  /** Adds the next step. */
  add({ loss, residual, meanSquare }: StepValues): void {
    const step = this.history.length + 1
    const size = new Map(this.measured.map((node) => [node, meanSquare(node)]))
    const meanSquares = meanSquaresOf(this.program, (node) => size.get(node)!, this.sizes)
    const saturations = saturationsOf(this.program, (node) => size.get(node)!)
    this.history.push({ step, loss, flipped: signChanges(this.residual, residual), meanSquares, ...saturations })
    this.residual = residual
    if (![loss, ...Object.values(meanSquares)].every(Number.isFinite)) this.last = { kind: "diverged", step }
  }
}

/** The quantities' mean squares and, for those that are a sum over a width, how aligned the factors are. */
function meanSquaresOf(
  { quantities, alignments }: Program,
  size: (node: Node) => number,
  sizes: SpaceSizes,
): Record<string, number> {
  const aligned = Object.entries(alignments).map(([name, { product, left, right }]) => {
    const [of, most] = [size(product), size(left) * size(right) * sizeOf(left.shape[1], sizes) ** 2]
    return [name, of === 0 ? 0 : of / most] as const
  })
  return Object.fromEntries([...Object.entries(quantities).map(([name, node]) => [name, size(node)]), ...aligned])
}

function saturationsOf({ saturations }: Program, size: (node: Node) => number): Pick<StepRecord, "saturations"> | null {
  const all = Object.entries(saturations)
  if (all.length === 0) return null
  const reached = all.map(([name, { change, scale }]) => [name, size(change) / (scale === null ? 1 : size(scale))])
  return { saturations: Object.fromEntries(reached) }
}

/** The share of entries whose signs differ; 0 where there is nothing to compare. */
function signChanges(before: Float64Array | null, after: Float64Array | null): number {
  if (before === null || after === null) return 0
  return before.filter((x, i) => x * after[i]! < 0).length / before.length
}
