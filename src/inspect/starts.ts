/** Which start a module had, told from its factors. */

import type { MeasuredModule, MeasuredRun } from "./measureRun.js"
import type { FactorMeasures } from "./measures.js"

/** What a factor was before the first step: all zeros, drawn at random, or not to be told. */
export type Origin = "zero" | "random" | "unknown"

/** A start that libraries draw: its entries' root mean square for a factor with so many columns (fan-in) and rank. */
interface Draw {
  readonly name: string
  readonly rms: (fanIn: number, rank: number) => number
  readonly kurtosis: number
}

/** Sources: PEFT's `reset_lora_parameters`, kohya's `lora.py`, arXiv 2406.08447. */
const DRAWS: readonly Draw[] = [
  { name: "N(0, 1/fan-in)", rms: (n) => 1 / Math.sqrt(n), kurtosis: 3 },
  { name: "U(±1/√fan-in), the default of PEFT", rms: (n) => 1 / Math.sqrt(3 * n), kurtosis: 9 / 5 },
  { name: "N(0, 1/r²), PEFT's gaussian", rms: (_, r) => 1 / r, kurtosis: 3 },
]

/** A factor's size may differ by this from a draw's: a share, as training adds to it. */
const NEAR = 0.1

/** The draw that a factor's entries look like, by size and kurtosis; null for none. */
export function drawOf(factor: FactorMeasures, fanIn: number, rank: number): string | null {
  const fits = DRAWS.filter(
    ({ rms, kurtosis }) =>
      Math.abs(Math.log(factor.rms / rms(fanIn, rank))) < NEAR && Math.abs(factor.kurtosis - kurtosis) < 0.6,
  )
  return fits[0]?.name ?? null
}

/**
 * The largest over the smallest singular value that a random r × n factor has: (√n + √r) / (√n − √r), the edges of
 * Marchenko and Pastur, widened by the share that training may add.
 */
function randomSpread(rank: number, size: number): number {
  return rank >= size
    ? Number.POSITIVE_INFINITY
    : ((Math.sqrt(size) + Math.sqrt(rank)) / (Math.sqrt(size) - Math.sqrt(rank))) * 1.3
}

/** The start of each factor of a module, and how it was told. */
export interface ModuleStart {
  readonly a: Origin
  readonly b: Origin
  readonly how: string
}

/**
 * Whether PEFT's configuration says that both factors start nonzero: from the weights, or at random (`false`). A size
 * below every draw's then does not mean that a factor has grown from zero.
 */
export function isSaidNonzero({ run: { checkpoints } }: MeasuredRun): boolean {
  const said = checkpoints.at(-1)!.config?.init_lora_weights
  return said === false || (typeof said === "string" && /^(pissa|olora|corda|loftq|lora_ga|orthogonal)/.test(said))
}

/** Both factors of a module at the run's start. */
export function startOf(measured: MeasuredRun, module: MeasuredModule): ModuleStart {
  const { checkpoints } = measured.run
  const first = module.points[0]!
  if (checkpoints[0]!.step === 0) {
    const origin = ({ norm }: FactorMeasures): Origin => (norm === 0 ? "zero" : "random")
    return { a: origin(first.a), b: origin(first.b), how: "the checkpoint at step 0" }
  }
  const nonzero = isSaidNonzero(measured)
  const originOf = (factor: FactorMeasures, fanIn: number, size: number): Origin => {
    const origin = originBySize(factor, fanIn, module.rank, size)
    return origin === "zero" && nonzero && factor.norm > 0 ? "unknown" : origin
  }
  const a = originOf(first.a, module.input, module.input)
  const b = originOf(first.b, module.rank, module.output)
  // Two zero factors have no gradient: where one has grown from zero, the other was there.
  if (a === "zero" && b === "unknown") return { a, b: "random", how: "A has grown from zero, so B was not zero" }
  if (b === "zero" && a === "unknown") return { a: "random", b, how: "B has grown from zero, so A was not zero" }
  return { a, b, how: "size, distribution and spectrum of the entries" }
}

/**
 * Sizes of a factor that has grown from zero lie below every draw's by this factor, or its spectrum is far from a
 * random one.
 */
const SMALL = 1 / 4
const UNEVEN = 3

/** What a factor was at the start, from what it is now: `size` rows or columns beside its rank. */
export function originBySize(factor: FactorMeasures, fanIn: number, rank: number, size: number): Origin {
  if (factor.norm === 0) return "zero"
  const spread = factor.spectrum[0]! / factor.spectrum.at(-1)!
  const even = randomSpread(rank, size)
  if (drawOf(factor, fanIn, rank) !== null && spread <= even) return "random"
  const least = Math.min(...DRAWS.map(({ rms }) => rms(fanIn, rank)))
  if (factor.rms < SMALL * least || (rank > 1 && spread > UNEVEN * even)) return "zero"
  return "unknown"
}

/** How far a factor is from its start (Frobenius), and how that is known; null where it is not. */
export interface Distance {
  /** The distance, or null where only a bound is known. */
  readonly value: number | null
  readonly atMost: number | null
  readonly how: string
}

/** Deviations of a sum of squares that chance is given: one start in 370 lies outside. */
const CHANCE = 3

/**
 * How far a factor is from its start at the last checkpoint: measured where step 0 was kept, its norm where it started
 * at zero; else what its norm has beyond its draw's, Σ x² = r n σ² ± σ² √(r n (κ − 1)) for a kurtosis κ, if the change
 * is uncorrelated with the draw.
 */
export function distanceFromStart(measured: MeasuredRun, module: MeasuredModule, factor: "a" | "b"): Distance | null {
  const last = module.points.at(-1)!
  if (measured.run.checkpoints[0]!.step === 0)
    return { value: last.distance[factor], atMost: null, how: "the checkpoint at step 0" }
  const origin = startOf(measured, module)[factor]
  const norm = last[factor].norm
  if (origin === "zero") return { value: norm, atMost: null, how: "it started at zero" }
  const [fanIn, size] = factor === "a" ? [module.input, module.input] : [module.rank, module.output]
  const name = origin === "random" ? drawOf(module.points[0]![factor], fanIn, module.rank) : null
  const draw = DRAWS.find((one) => one.name === name)
  if (draw === undefined) return null
  const count = module.rank * size
  const square = draw.rms(fanIn, module.rank) ** 2
  const excess = norm ** 2 - count * square
  const noise = CHANCE * square * Math.sqrt(count * (draw.kurtosis - 1))
  const how = `its norm beside that of ${draw.name}`
  return excess > noise
    ? { value: Math.sqrt(excess), atMost: null, how }
    : { value: null, atMost: Math.sqrt(Math.max(0, excess) + noise), how }
}
