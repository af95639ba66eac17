/**
 * A step of the teacher-student experiment, f = w_outᵀ ReLU(H + B A P), in phases: between two phases all groups of
 * rows must be done. A group is a run of row blocks with sums of its own; groups, not workers, fix the order of
 * summation.
 */
import { adam } from "./adam"
import { masked, scaled } from "./backward"
import { forward as forwardBlock } from "./forward"
import { inner, outer } from "./product"
import { sumParts, sumSquares } from "./reduce"
import { line, RANKS, ROWS, TILE } from "./vector"

/** Sizes and addresses of a run, written by the host: layout.ts has the same fields in the same order. */
@unmanaged
class Plan {
  samples: usize
  tiles: usize
  rowBlocks: usize
  rankBlocks: usize
  groups: usize
  P: usize
  H: usize
  mask: usize
  w: usize
  y: usize
  f0: usize
  A: usize
  meanA: usize
  squareA: usize
  B: usize
  meanB: usize
  squareB: usize
  /** Per group: f (N). */
  partF: usize
  /** Per group: Z_A (r×N). */
  partZ: usize
  /** Per group: the gradient of Z_A. */
  partGradientZ: usize
  /** Per group: Σ Z_B². */
  partSquares: usize
  /** Per worker: room of its own. */
  own: usize
  ownBytes: usize
}

/** A worker's room: residual (N), Z_A (r×N), its gradient (r×N), ROWS×N numbers, ROWS×4 and ROWS×4 numbers, f (N). */
@inline function samplesBytes<T>(plan: Plan): usize {
  return plan.tiles * line<T>()
}
@inline function rankBytes<T>(plan: Plan): usize {
  return plan.tiles * RANKS * line<T>()
}
@inline function residualOf<T>(plan: Plan, worker: usize): usize {
  return plan.own + worker * plan.ownBytes
}
@inline function zOf<T>(plan: Plan, worker: usize): usize {
  return residualOf<T>(plan, worker) + samplesBytes<T>(plan)
}
@inline function gradientZOf<T>(plan: Plan, worker: usize): usize {
  return zOf<T>(plan, worker) + plan.rankBlocks * rankBytes<T>(plan)
}
@inline function blockOf<T>(plan: Plan, worker: usize): usize {
  return gradientZOf<T>(plan, worker) + plan.rankBlocks * rankBytes<T>(plan)
}
@inline function gradientOf<T>(plan: Plan, worker: usize): usize {
  return blockOf<T>(plan, worker) + ROWS * samplesBytes<T>(plan)
}
@inline function weightedOf<T>(plan: Plan, worker: usize): usize {
  return gradientOf<T>(plan, worker) + ROWS * RANKS * sizeof<T>()
}

@inline function outputOf<T>(plan: Plan, worker: usize): usize {
  return weightedOf<T>(plan, worker) + ROWS * RANKS * sizeof<T>()
}

@inline function firstBlock(plan: Plan, group: usize): usize {
  return <usize>((<u64>group * <u64>plan.rowBlocks) / <u64>plan.groups)
}
@inline function factorBytes<T>(plan: Plan): usize {
  return plan.rowBlocks * ROWS * RANKS * sizeof<T>()
}
@inline function partOf<T>(plan: Plan, parts: usize, group: usize): usize {
  return parts + group * plan.rankBlocks * rankBytes<T>(plan)
}

@inline function startZ<T>(plan: Plan, group: usize): void {
  const Z = partOf<T>(plan, plan.partZ, group)
  memory.fill(Z, 0, plan.rankBlocks * rankBytes<T>(plan))
  for (let block = firstBlock(plan, group); block < firstBlock(plan, group + 1); block++)
    for (let rank: usize = 0; rank < plan.rankBlocks; rank++) {
      const factor = rank * factorBytes<T>(plan) + block * ROWS * RANKS * sizeof<T>()
      outer<T>(plan.P + block * ROWS * samplesBytes<T>(plan), plan.A + factor, plan.tiles, Z + rank * rankBytes<T>(plan))
    }
}

@inline function forward<T>(plan: Plan, worker: usize, group: usize): void {
  const f = plan.partF + group * samplesBytes<T>(plan)
  memory.fill(f, 0, samplesBytes<T>(plan))
  let squares: f64 = 0
  for (let block = firstBlock(plan, group); block < firstBlock(plan, group + 1); block++)
    squares += forwardBlock<T>(
      plan.H + block * ROWS * samplesBytes<T>(plan),
      plan.B + block * ROWS * RANKS * sizeof<T>(),
      factorBytes<T>(plan),
      zOf<T>(plan, worker),
      rankBytes<T>(plan),
      plan.rankBlocks,
      plan.w + block * ROWS * sizeof<T>(),
      f,
      plan.mask + block * ROWS * (samplesBytes<T>(plan) / 32),
      plan.tiles,
    )
  store<f64>(plan.partSquares + group * 8, squares)
}

@inline function backward<T>(plan: Plan, worker: usize, group: usize, rate: f64, correction: f64): void {
  const gradientZ = partOf<T>(plan, plan.partGradientZ, group)
  memory.fill(gradientZ, 0, plan.rankBlocks * rankBytes<T>(plan))
  const G = blockOf<T>(plan, worker)
  const gradient = gradientOf<T>(plan, worker)
  const weighted = weightedOf<T>(plan, worker)
  for (let block = firstBlock(plan, group); block < firstBlock(plan, group + 1); block++) {
    masked<T>(residualOf<T>(plan, worker), plan.mask + block * ROWS * (samplesBytes<T>(plan) / 32), plan.tiles, G)
    const w = plan.w + block * ROWS * sizeof<T>()
    for (let rank: usize = 0; rank < plan.rankBlocks; rank++) {
      const factor = rank * factorBytes<T>(plan) + block * ROWS * RANKS * sizeof<T>()
      inner<T>(G, zOf<T>(plan, worker) + rank * rankBytes<T>(plan), plan.tiles, gradient)
      scaled<T>(gradient, w, gradient)
      scaled<T>(plan.B + factor, w, weighted)
      outer<T>(G, weighted, plan.tiles, gradientZ + rank * rankBytes<T>(plan))
      adam<T>(plan.B + factor, plan.meanB + factor, plan.squareB + factor, gradient, rate, correction)
    }
  }
}

@inline function update<T>(plan: Plan, worker: usize, group: usize, rate: f64, correction: f64): void {
  const Z = partOf<T>(plan, plan.partZ, group)
  memory.fill(Z, 0, plan.rankBlocks * rankBytes<T>(plan))
  const gradient = gradientOf<T>(plan, worker)
  for (let block = firstBlock(plan, group); block < firstBlock(plan, group + 1); block++) {
    const P = plan.P + block * ROWS * samplesBytes<T>(plan)
    for (let rank: usize = 0; rank < plan.rankBlocks; rank++) {
      const factor = rank * factorBytes<T>(plan) + block * ROWS * RANKS * sizeof<T>()
      inner<T>(P, gradientZOf<T>(plan, worker) + rank * rankBytes<T>(plan), plan.tiles, gradient)
      adam<T>(plan.A + factor, plan.meanA + factor, plan.squareA + factor, gradient, rate, correction)
      outer<T>(P, plan.A + factor, plan.tiles, Z + rank * rankBytes<T>(plan))
    }
  }
}

/** Residual (f − y)/N of the worker; the loss and the squared change of f since f₀ go to `sizes`. */
@inline function residual<T>(plan: Plan, worker: usize, sizes: usize, isFirst: bool): void {
  const to = residualOf<T>(plan, worker)
  sumParts<T>(plan.partF, samplesBytes<T>(plan), plan.groups, samplesBytes<T>(plan), to)
  if (isFirst) memory.copy(outputOf<T>(plan, worker), to, samplesBytes<T>(plan))
  let loss: f64 = 0
  let change: f64 = 0
  const share = <T>(1 / <f64>plan.samples)
  for (let q: usize = 0; q < plan.samples; q++) {
    const f = load<T>(to + q * sizeof<T>())
    const difference = <T>(f - load<T>(plan.y + q * sizeof<T>()))
    loss += <f64>difference * <f64>difference
    const moved = isFirst ? 0 : <f64>f - <f64>load<T>(plan.f0 + q * sizeof<T>())
    change += moved * moved
    store<T>(to + q * sizeof<T>(), <T>(difference * share))
  }
  for (let q: usize = plan.samples; q < plan.tiles * TILE; q++) store<T>(to + q * sizeof<T>(), <T>0)
  let squares: f64 = 0
  for (let group: usize = 0; group < plan.groups; group++) squares += load<f64>(plan.partSquares + group * 8)
  store<f64>(sizes, loss)
  store<f64>(sizes + 8, change)
  store<f64>(sizes + 16, squares)
}

@inline function keepF0<T>(plan: Plan, worker: usize): void {
  memory.copy(plan.f0, outputOf<T>(plan, worker), samplesBytes<T>(plan))
}

@inline function sumZ<T>(plan: Plan, parts: usize, to: usize): f64 {
  const bytes = plan.rankBlocks * rankBytes<T>(plan)
  sumParts<T>(parts, bytes, plan.groups, bytes, to)
  return sumSquares<T>(to, bytes)
}

export function startZ32(plan: Plan, group: usize): void {
  startZ<f32>(plan, group)
}
export function forward32(plan: Plan, worker: usize, group: usize): void {
  forward<f32>(plan, worker, group)
}
export function residual32(plan: Plan, worker: usize, sizes: usize, isFirst: bool): void {
  residual<f32>(plan, worker, sizes, isFirst)
}
export function keepF032(plan: Plan, worker: usize): void {
  keepF0<f32>(plan, worker)
}
export function backward32(plan: Plan, worker: usize, group: usize, rate: f64, correction: f64): void {
  backward<f32>(plan, worker, group, rate, correction)
}
export function update32(plan: Plan, worker: usize, group: usize, rate: f64, correction: f64): void {
  update<f32>(plan, worker, group, rate, correction)
}
/** The worker's Z_A from the groups'; Σ Z_A². */
export function sumZ32(plan: Plan, worker: usize): f64 {
  return sumZ<f32>(plan, plan.partZ, zOf<f32>(plan, worker))
}
export function sumGradientZ32(plan: Plan, worker: usize): f64 {
  return sumZ<f32>(plan, plan.partGradientZ, gradientZOf<f32>(plan, worker))
}
export function startZ64(plan: Plan, group: usize): void {
  startZ<f64>(plan, group)
}
export function forward64(plan: Plan, worker: usize, group: usize): void {
  forward<f64>(plan, worker, group)
}
export function residual64(plan: Plan, worker: usize, sizes: usize, isFirst: bool): void {
  residual<f64>(plan, worker, sizes, isFirst)
}
export function keepF064(plan: Plan, worker: usize): void {
  keepF0<f64>(plan, worker)
}
export function backward64(plan: Plan, worker: usize, group: usize, rate: f64, correction: f64): void {
  backward<f64>(plan, worker, group, rate, correction)
}
export function update64(plan: Plan, worker: usize, group: usize, rate: f64, correction: f64): void {
  update<f64>(plan, worker, group, rate, correction)
}
export function sumZ64(plan: Plan, worker: usize): f64 {
  return sumZ<f64>(plan, plan.partZ, zOf<f64>(plan, worker))
}
export function sumGradientZ64(plan: Plan, worker: usize): f64 {
  return sumZ<f64>(plan, plan.partGradientZ, gradientZOf<f64>(plan, worker))
}

/** Whether a b + c is rounded once here: (1 + ε)(1 − ε) − 1 is −ε² then, and 0 otherwise. */
export function fuses(): bool {
  if (!ASC_FEATURE_RELAXED_SIMD) return false
  const epsilon: f32 = 1.1920929e-7
  const value = f32x4.relaxed_madd(f32x4.splat(1 + epsilon), f32x4.splat(1 - epsilon), f32x4.splat(-1))
  return f32x4.extract_lane(value, 0) != 0
}
export { addGram, multiply } from "./dense"
export { addMoves, addProducts, addSizes, pack } from "./factor"
