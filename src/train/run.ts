import { InputError } from "../inputError.js"
import type { Node } from "../program/node.js"
import type { Scheme } from "../scheme/scheme.js"
import { GaussianMatrix } from "./gaussianMatrix.js"
import type { Matrix } from "./matrix.js"
import { gaussians } from "./random.js"
import { coefficientValue, evaluate, type LeafValue, type Sizes, zeros } from "./reference.js"

/** What a single run of a scheme's program needs besides the scheme. */
export interface RunConfig {
  /** The width n ≥ 1. */
  readonly width: number
  /** The rank r ≥ 1 at width 1: a scheme whose rank grows as n^ρ has rank · n^ρ at width n. */
  readonly rank: number
  readonly steps: number
  readonly seed: number
}

/** One step's quantities: the mean over entries of the squared value, and the loss before the step. */
export interface StepRecord {
  readonly step: number
  readonly loss: number
  /** The share of samples whose residual f − y has another sign than before the last step; 0 where no step can turn it. */
  readonly flipped: number
  readonly meanSquares: Readonly<Record<string, number>>
}

/** How a run ended; a run that leaves the finite numbers stops there and says so. */
export type Outcome = { readonly kind: "finished" } | { readonly kind: "diverged"; readonly step: number }

/** A run's record. */
export interface RunResult {
  readonly outcome: Outcome
  readonly history: readonly StepRecord[]
}

/**
 * Trains a scheme's adapter as real numbers in float64 by the reference interpreter.
 *
 * The same scheme, configuration and seed give the same bits.
 *
 * @throws InputError if the scheme has a free symbol or a size is not a positive integer.
 */
export function run(scheme: Scheme, config: RunConfig): RunResult {
  requireRunnable(scheme, config)
  const { program } = scheme
  const sizes: Sizes = {
    n: config.width,
    nIn: inputWidthAt(scheme, config),
    r: rankAt(scheme, config),
    samples: scheme.definition.batch ?? 1,
    one: 1,
  }
  const draw = (node: Node, name: string, deviation: number): Matrix => {
    const shape = zeros(node, sizes)
    return { ...shape, data: gaussians(config.seed, `${name} n=${config.width}`, shape.data.length, deviation) }
  }
  const frozen = program.layer.frozen.map(({ node, deviation }): [Node, LeafValue] => {
    const size = coefficientValue(deviation, config.width, 0)
    const isSquare = node.shape[0] === "n" && node.shape[1] === "n"
    if (!isSquare) return [node, draw(node, leafName(node), size)]
    const stream = `${leafName(node)} n=${config.width}`
    return [node, new GaussianMatrix(config.width, config.width, config.seed, stream, size)]
  })
  let state = new Map<Node, Matrix>([...program.next.keys()].map((leaf) => [leaf, zeros(leaf, sizes)]))
  for (const [leaf, deviation] of scheme.start)
    state.set(
      leaf,
      deviation === "zero"
        ? zeros(leaf, sizes)
        : draw(leaf, leafName(leaf), coefficientValue(deviation, config.width, 0)),
    )
  const names = Object.keys(program.quantities)
  const watched = names.map((name) => program.quantities[name]!)
  const factors = Object.values(program.alignments).flatMap(({ left, right }) => [left, right])
  const history: StepRecord[] = []
  let residualBefore: Matrix | undefined
  for (let step = 1; step <= config.steps; step++) {
    const { residual } = program
    const nodes = [program.loss, ...(residual ? [residual] : []), ...program.next.values(), ...watched, ...factors]
    const values = evaluate(nodes, new Map([...frozen, ...state]), sizes, step)
    const size = (node: Node) => meanSquare(values.get(node)!)
    const alignments = Object.entries(program.alignments).map(([name, { product, left, right }]) => {
      const [of, most] = [size(product), size(left) * size(right) * values.get(left)!.columns ** 2]
      return [name, of === 0 ? 0 : of / most] as const
    })
    const meanSquares = Object.fromEntries([...names.map((name, i) => [name, size(watched[i]!)]), ...alignments])
    const loss = values.get(program.loss)!.data[0]!
    const residualNow = residual ? values.get(residual) : undefined
    history.push({ step, loss, flipped: signChanges(residualBefore, residualNow), meanSquares })
    residualBefore = residualNow
    if (![loss, ...Object.values(meanSquares)].every(Number.isFinite))
      return { outcome: { kind: "diverged", step }, history }
    state = new Map([...state].map(([leaf, value]) => [leaf, values.get(program.next.get(leaf) ?? leaf) ?? value]))
  }
  return { outcome: { kind: "finished" }, history }
}

/** The share of entries whose signs differ. */
function signChanges(before: Matrix | undefined, after: Matrix | undefined): number {
  if (before === undefined || after === undefined) return 0
  return before.data.filter((x, i) => x * after.data[i]! < 0).length / before.data.length
}

/** The input width n^d, rounded. */
function inputWidthAt({ sizes }: Scheme, { width }: RunConfig): number {
  return Math.max(1, Math.round(width ** sizes.inputWidth.constant.valueOf()))
}

/** The rank at the configured width: rank · n^ρ, rounded. */
function rankAt({ sizes }: Scheme, { rank, width }: RunConfig): number {
  return Math.max(1, Math.round(rank * width ** sizes.rank.constant.valueOf()))
}

function leafName({ operation }: Node): string {
  if (operation.op !== "leaf") throw new Error("only leaves are drawn")
  return operation.name
}

function meanSquare({ data }: Matrix): number {
  let sum = 0
  for (const x of data) sum += x * x
  return sum / data.length
}

function requireRunnable({ definition, symbols }: Scheme, config: RunConfig): void {
  if (symbols.length > 0)
    throw new InputError({
      field: "--set",
      given: `free symbols ${symbols.join(", ")} of ${definition.name}`,
      allowed: "a number for every symbol of a scheme that is to be trained",
      example: symbols.map((symbol) => `--set ${symbol}=-1/2`).join(" "),
    })
  for (const field of ["width", "rank", "steps"] as const) {
    const given = config[field]
    if (!Number.isInteger(given) || given < 1)
      throw new InputError({ field: `--${field}`, given, allowed: "an integer ≥ 1", example: `--${field} 4` })
  }
}
