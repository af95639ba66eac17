import { InputError } from "../inputError.js"
import { inOrder, isNeverFormed, leafName, type Node } from "../program/node.js"
import type { Coefficient } from "../program/operation.js"
import type { Program } from "../program/program.js"
import { transformerOf } from "../scheme/definition.js"
import type { Scheme } from "../scheme/scheme.js"
import { GaussianMatrix } from "./gaussianMatrix.js"
import type { Matrix } from "./matrix.js"
import { coefficientValue, type LeafValue, type SpaceSizes, shapeOf } from "./numbers.js"
import { PreciseStep, type PrecisionRecord } from "./preciseStep.js"
import type { PrecisionConfig } from "./precisionConfig.js"
import { gaussians } from "./random.js"
import { evaluate, zeros } from "./reference.js"
import { Spare } from "./spare.js"
import { measuredNodes, type RunOutcome, type StepRecord, StepRecords } from "./stepRecords.js"

/** What a single run of a scheme's program needs besides the scheme. */
export interface RunConfig {
  /** The width n ≥ 1. */
  readonly width: number
  /** The rank r ≥ 1 at width 1: a scheme whose rank grows as n^ρ has rank · n^ρ at width n. */
  readonly rank: number
  readonly steps: number
  readonly seed: number
  /** The formats in which the program is read, with a record of what rounding does; by default float64 without one. */
  readonly precision?: PrecisionConfig
}

/** A run's record. */
export interface RunResult {
  /** In a precision, a tensor may become infinite or NaN by rounding: the run ends and the first one is named. */
  readonly outcome: RunOutcome | { readonly kind: "overflowed"; readonly step: number; readonly tensor: string }
  readonly history: readonly StepRecord[]
  /** Where the configuration has a precision. */
  readonly precision?: PrecisionRecord
  /** What computed it, if not the reference interpreter for want of another. */
  readonly backend?: string
  /** Half the spacing of its numbers at 1, where they are coarser than float64. */
  readonly rounding?: number
  /** What failed before, on the GPU, in its order: the run was then part of a smaller batch, or went to the CPU. */
  readonly failed?: readonly string[]
}

/** What a run may be given, and who looks at its steps. */
export interface RunOptions {
  /** Values of tensors that are neither drawn nor computed: what only they depend on is not drawn either. */
  readonly given?: ReadonlyMap<Node, Matrix>
  /** Called in each step with the values that it ends with (see `endsOf`). */
  readonly observe?: (step: number, values: ReadonlyMap<Node, Matrix>) => void
}

/**
 * Trains a scheme's adapter as real numbers by the reference interpreter, in float64 or in the configuration's
 * precision.
 *
 * The same scheme, configuration and seed give the same bits.
 *
 * @throws InputError if the scheme has a free symbol, a size is not a positive integer, or the precision names a tensor
 * that the program lacks.
 */
export function run(
  scheme: Scheme,
  config: RunConfig,
  { given = new Map(), observe = () => {} }: RunOptions = {},
): RunResult {
  requireRunnable(scheme, config)
  const { program } = scheme
  const sizes = sizesOf(scheme, config)
  const precise = config.precision && new PreciseStep(program, config.precision, config.seed)
  const draw = (node: Node, deviation: Coefficient): Matrix => {
    const value = drawn(node, deviation, sizes, config)
    precise?.draw(node, value)
    return value
  }
  const nodes = endsOf(program)
  const needed = new Set(inOrder(nodes, given))
  const drawnLeaves = program.frozen.filter(({ node }) => needed.has(node))
  const frozen = drawnLeaves.map(({ node, deviation }): [Node, LeafValue] => {
    return [node, isNeverFormed(node) ? neverFormed(node, deviation, sizes, config) : draw(node, deviation)]
  })
  let state = new Map<Node, Matrix>()
  for (const leaf of program.next.keys()) if (!scheme.start.has(leaf)) state.set(leaf, zeros(leaf, sizes))
  for (const [leaf, deviation] of scheme.start)
    state.set(leaf, deviation === "zero" ? zeros(leaf, sizes) : draw(leaf, deviation))
  const records = new StepRecords(program, sizes)
  const { history } = records
  const spare = new Spare()
  const ended = (outcome: RunResult["outcome"]): RunResult =>
    precise ? { outcome, history, precision: precise.record } : { outcome, history }
  const atStart = precise?.overflowed ?? null
  if (atStart !== null) return ended({ kind: "overflowed", step: 0, tensor: atStart })
  for (let step = 1; step <= config.steps; step++) {
    const leaves = new Map<Node, LeafValue>([...frozen, ...given, ...state])
    const values = precise
      ? precise.evaluate(nodes, leaves, sizes, step, spare)
      : evaluate(nodes, leaves, sizes, step, { spare })
    observe(step, values)
    records.add({
      loss: values.get(program.loss)!.data[0]!,
      residual: program.residual && values.get(program.residual)!.data.slice(),
      meanSquare: (node) => meanSquare(values.get(node)!),
    })
    const tensor = precise?.overflowed ?? null
    if (tensor !== null) return ended({ kind: "overflowed", step, tensor })
    if (records.outcome.kind === "diverged") return ended(records.outcome)
    const before = state
    state = new Map([...state].map(([leaf, value]) => [leaf, values.get(program.next.get(leaf) ?? leaf) ?? value]))
    const kept = new Set([...state.values()])
    for (const value of [
      ...before.values(),
      ...[...values].flatMap(([node, value]) => (leaves.has(node) ? [] : [value])),
    ])
      if (!kept.has(value)) spare.give(value.data)
  }
  return ended({ kind: "finished" })
}

/** A frozen matrix of Gaussian entries of which only products are drawn: of the seed, its name and the width alone. */
export function neverFormed(
  node: Node,
  deviation: Coefficient,
  sizes: SpaceSizes,
  { seed, width }: Pick<RunConfig, "seed" | "width">,
): GaussianMatrix {
  const [rows, columns] = shapeOf(node, sizes)
  return new GaussianMatrix(rows, columns, seed, `${leafName(node)} n=${width}`, coefficientValue(deviation, width, 0))
}

/** The Gaussian entries that a leaf starts with: of the seed, its name and the width alone. */
export function drawn(
  node: Node,
  deviation: Coefficient,
  sizes: SpaceSizes,
  { seed, width }: Pick<RunConfig, "seed" | "width">,
): Matrix {
  const [rows, columns] = shapeOf(node, sizes)
  const stream = `${leafName(node)} n=${width}`
  return { rows, columns, data: gaussians(seed, stream, rows * columns, coefficientValue(deviation, width, 0)) }
}

/** The sizes of a run's index spaces: count · n^exponent, rounded; of a rank, the configured one at n = 1. */
export function sizesOf({ program }: Scheme, { width, rank }: Pick<RunConfig, "width" | "rank">): SpaceSizes {
  const ranks = new Set(program.model.sites.map((site) => site.rank.name))
  const spaces = new Map(
    inOrder(endsOf(program)).flatMap(({ shape }) => shape.map((space) => [space.name, space] as const)),
  )
  const sizes = [...spaces.values()].map(({ name, count, exponent }) => {
    const first = ranks.has(name) ? rank * count : count
    return [name, Math.max(1, Math.round(first * width ** exponent.constant.valueOf()))] as const
  })
  return { n: width, ...Object.fromEntries(sizes) }
}

/** The nodes whose values a step ends with: loss, residual, next values, and what is measured. */
export function endsOf(program: Program): Node[] {
  const { loss, residual, next } = program
  return [loss, ...(residual ? [residual] : []), ...next.values(), ...measuredNodes(program)]
}

function meanSquare({ data }: Matrix): number {
  let sum = 0
  for (let i = 0; i < data.length; i++) sum += data[i]! ** 2
  return sum / data.length
}

/** @throws InputError as `run` does. */
export function requireRunnable({ definition, symbols }: Scheme, config: RunConfig): void {
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
  const { name, model } = definition
  if (model === undefined || model.kind === "teacher-student") return
  const { heads } = transformerOf(model, `${name}.model`)
  if (config.width % heads !== 0)
    throw new InputError({
      field: "--width",
      given: config.width,
      allowed: `a multiple of the ${heads} heads, which share it equally`,
      example: `--width ${32 * heads}`,
    })
}
