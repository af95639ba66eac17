import { ROWS, RANKS } from "./vector"

/** In double precision: 1 − β₂ of a rounded β₂ would be off by 10⁻⁵. */
const REST1: f64 = 1.0 - 0.9
const REST2: f64 = 1.0 - 0.999

/**
 * Adam on a block of ROWS×4 entries in place, with the constants of program/optimiser.
 *
 * @param rate η / (1 − β₁^t).
 * @param correction 1 / (1 − β₂^t).
 */
export function adam<T>(factor: usize, mean: usize, square: usize, gradient: usize, rate: f64, correction: f64): void {
  const eta = v128.splat<T>(<T>rate)
  const second = v128.splat<T>(<T>correction)
  const beta1 = v128.splat<T>(<T>0.9)
  const rest1 = v128.splat<T>(<T>REST1)
  const beta2 = v128.splat<T>(<T>0.999)
  const rest2 = v128.splat<T>(<T>REST2)
  const epsilon = v128.splat<T>(<T>1e-8)
  for (let at: usize = 0; at < ROWS * RANKS * sizeof<T>(); at += 16) {
    const g = v128.load(gradient + at)
    const m = v128.add<T>(v128.mul<T>(beta1, v128.load(mean + at)), v128.mul<T>(rest1, g))
    const v = v128.add<T>(v128.mul<T>(beta2, v128.load(square + at)), v128.mul<T>(rest2, v128.mul<T>(g, g)))
    v128.store(mean + at, m)
    v128.store(square + at, v)
    const root = v128.add<T>(v128.sqrt<T>(v128.mul<T>(second, v)), epsilon)
    v128.store(factor + at, v128.sub<T>(v128.load(factor + at), v128.div<T>(v128.mul<T>(eta, m), root)))
  }
}
