import { InputError } from "../inputError.js"
import type { Node } from "../program/node.js"
import type { Scheme } from "../scheme/scheme.js"
import { GaussianMatrix } from "./gaussianMatrix.js"
import type { Matrix } from "./matrix.js"
import { gaussians } from "./random.js"
import { coefficientValue, evaluate, type LeafValue, type Sizes, Spare, zeros } from "./reference.js"

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
    samples: 1,
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
  const spare = new Spare()
  for (let step = 1; step <= config.steps; step++) {
    const nodes = [program.loss, ...program.next.values(), ...watched, ...factors]
    const leaves = new Map([...frozen, ...state])
    const values = evaluate(nodes, leaves, sizes, step, { spare })
    const size = memoised((node: Node) => meanSquare(values.get(node)!))
    const alignments = Object.entries(program.alignments).map(([name, { product, left, right }]) => {
      const [of, most] = [size(product), size(left) * size(right) * values.get(left)!.columns ** 2]
      return [name, of === 0 ? 0 : of / most] as const
    })
    const meanSquares = Object.fromEntries([...names.map((name, i) => [name, size(watched[i]!)]), ...alignments])
    const loss = values.get(program.loss)!.data[0]!
    history.push({ step, loss, meanSquares })
    if (![loss, ...Object.values(meanSquares)].every(Number.isFinite))
      return { outcome: { kind: "diverged", step }, history }
    const before = state
    state = new Map([...state].map(([leaf, value]) => [leaf, values.get(program.next.get(leaf) ?? leaf) ?? value]))
    const kept = new Set([...state.values()])
    for (const value of [
      ...before.values(),
      ...[...values].flatMap(([node, value]) => (leaves.has(node) ? [] : [value])),
    ])
      if (!kept.has(value)) spare.give(value.data)
  }
  return { outcome: { kind: "finished" }, history }
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

/** The function with each argument's value computed once. */
function memoised<X, Y>(f: (x: X) => Y): (x: X) => Y {
  const known = new Map<X, Y>()
  return (x) => {
    if (!known.has(x)) known.set(x, f(x))
    return known.get(x)!
  }
}

function meanSquare({ data }: Matrix): number {
  let sum = 0
  for (let i = 0; i < data.length; i++) sum += data[i]! ** 2
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
