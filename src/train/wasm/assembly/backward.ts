import { laneBits, line, maskOf, RANKS, ROWS } from "./vector"

/** G[row, q] = residual[q] where the mask is set, 0 elsewhere, over a block of rows. */
export function masked<T>(residual: usize, mask: usize, tiles: usize, G: usize): void {
  const low = v128.load(laneBits<T>())
  const high = v128.load(laneBits<T>(), 16)
  for (let tile: usize = 0; tile < tiles; tile++)
    for (let at: usize = 0; at < line<T>(); at += 32) {
      const r0 = v128.load(residual + tile * line<T>() + at)
      const r1 = v128.load(residual + tile * line<T>() + at, 16)
      let g = G + tile * ROWS * line<T>() + at
      for (let row: usize = 0; row < ROWS; row++) {
        const bits = v128.load_splat<u8>(mask)
        v128.store(g, v128.and(r0, maskOf<T>(bits, low)))
        v128.store(g, v128.and(r1, maskOf<T>(bits, high)), 16)
        g += line<T>()
        mask++
      }
    }
}

/** to[row] = w[row] from[row], ROWS rows of four. */
export function scaled<T>(from: usize, w: usize, to: usize): void {
  for (let row: usize = 0; row < ROWS; row++) {
    const weight = v128.load_splat<T>(w + row * sizeof<T>())
    for (let at: usize = row * RANKS * sizeof<T>(); at < (row + 1) * RANKS * sizeof<T>(); at += 16)
      v128.store(to + at, v128.mul<T>(weight, v128.load(from + at)))
  }
}
