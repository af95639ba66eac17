/**
 * The two products that a step is made of, over a block of ROWS rows of X (n×N) and four rank indices.
 *
 * X lies as [row block][tile][row][sample in tile], M (r×N: Z_A, its gradient) as [rank block][tile][rank][sample in
 * tile], so that both are read front to back.
 */
import { fma, line, RANKS, ROWS, storeTotals, zero } from "./vector"

/** result[row] = Σ_q X[row, q] M[·, q]: two rows at a time, eight running sums in registers. */
export function inner<T>(X: usize, M: usize, tiles: usize, result: usize): void {
  const width = line<T>()
  for (let row: usize = 0; row < ROWS; row += 2) {
    let a0 = zero(), a1 = zero(), a2 = zero(), a3 = zero()
    let b0 = zero(), b1 = zero(), b2 = zero(), b3 = zero()
    let x = X + row * width
    let m = M
    for (let tile: usize = 0; tile < tiles; tile++) {
      for (let at: usize = 0; at < width; at += 16) {
        const p = v128.load(x + at)
        const q = v128.load(x + at, line<T>())
        const m0 = v128.load(m + at)
        const m1 = v128.load(m + at, line<T>())
        const m2 = v128.load(m + at, 2 * line<T>())
        const m3 = v128.load(m + at, 3 * line<T>())
        a0 = fma<T>(p, m0, a0)
        a1 = fma<T>(p, m1, a1)
        a2 = fma<T>(p, m2, a2)
        a3 = fma<T>(p, m3, a3)
        b0 = fma<T>(q, m0, b0)
        b1 = fma<T>(q, m1, b1)
        b2 = fma<T>(q, m2, b2)
        b3 = fma<T>(q, m3, b3)
      }
      x += ROWS * width
      m += RANKS * width
    }
    storeTotals<T>(result + row * RANKS * sizeof<T>(), a0, a1, a2, a3)
    storeTotals<T>(result + (row + 1) * RANKS * sizeof<T>(), b0, b1, b2, b3)
  }
}

/** M[·, q] += Σ_row F[row] X[row, q], F (ROWS×4): eight sums in registers while the rows go by. */
export function outer<T>(X: usize, F: usize, tiles: usize, M: usize): void {
  const width = line<T>()
  let x = X
  let m = M
  for (let tile: usize = 0; tile < tiles; tile++) {
    for (let at: usize = 0; at < width; at += 32) {
      let a0 = v128.load(m + at)
      let b0 = v128.load(m + at, 16)
      let a1 = v128.load(m + at, line<T>())
      let b1 = v128.load(m + at, line<T>() + 16)
      let a2 = v128.load(m + at, 2 * line<T>())
      let b2 = v128.load(m + at, 2 * line<T>() + 16)
      let a3 = v128.load(m + at, 3 * line<T>())
      let b3 = v128.load(m + at, 3 * line<T>() + 16)
      let f = F
      const end = x + at + ROWS * width
      for (let p = x + at; p < end; p += width) {
        const u = v128.load(p)
        const v = v128.load(p, 16)
        const f0 = v128.load_splat<T>(f)
        a0 = fma<T>(f0, u, a0)
        b0 = fma<T>(f0, v, b0)
        const f1 = v128.load_splat<T>(f, sizeof<T>())
        a1 = fma<T>(f1, u, a1)
        b1 = fma<T>(f1, v, b1)
        const f2 = v128.load_splat<T>(f, 2 * sizeof<T>())
        a2 = fma<T>(f2, u, a2)
        b2 = fma<T>(f2, v, b2)
        const f3 = v128.load_splat<T>(f, 3 * sizeof<T>())
        a3 = fma<T>(f3, u, a3)
        b3 = fma<T>(f3, v, b3)
        f += RANKS * sizeof<T>()
      }
      v128.store(m + at, a0)
      v128.store(m + at, b0, 16)
      v128.store(m + at, a1, line<T>())
      v128.store(m + at, b1, line<T>() + 16)
      v128.store(m + at, a2, 2 * line<T>())
      v128.store(m + at, b2, 2 * line<T>() + 16)
      v128.store(m + at, a3, 3 * line<T>())
      v128.store(m + at, b3, 3 * line<T>() + 16)
    }
    x += ROWS * width
    m += RANKS * width
  }
}
