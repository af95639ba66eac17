import { bits, fma, line, RANKS, ROWS, total, zero } from "./vector"

/**
 * Z_B = B Z_A, the ReLU's mask and f += w ReLU(H + Z_B) over a block of rows, all rank indices in one go where there are
 * four. Returns Σ Z_B².
 *
 * @param strideB bytes from one rank block of B to the next; B (per rank block ROWS×4), strideZ likewise.
 * @param mask one byte for two vectors, [tile][half][row].
 * @param part room for ROWS×N numbers, used where there are more than four rank indices.
 */
export function forward<T>(
  H: usize, B: usize, strideB: usize, Z: usize, strideZ: usize, rankBlocks: usize,
  w: usize, f: usize, mask: usize, part: usize, tiles: usize,
): f64 {
  let squares: f64 = 0
  for (let block: usize = 0; block + 1 < rankBlocks; block++)
    partial<T>(B + block * strideB, Z + block * strideZ, part, tiles, block == 0)
  const last = rankBlocks - 1
  const b = B + last * strideB
  let z = Z + last * strideZ
  if (last == 0) {
    for (let tile: usize = 0; tile < tiles; tile++)
      for (let at: usize = 0; at < line<T>(); at += 32) {
        const cell = tile * ROWS * line<T>() + at
        squares += finish<T>(H + cell, b, z + tile * RANKS * line<T>() + at, w, f + tile * line<T>() + at, mask, 0)
        mask += ROWS
      }
  } else {
    for (let tile: usize = 0; tile < tiles; tile++)
      for (let at: usize = 0; at < line<T>(); at += 32) {
        const cell = tile * ROWS * line<T>() + at
        squares += finish<T>(H + cell, b, z + tile * RANKS * line<T>() + at, w, f + tile * line<T>() + at, mask, part + cell)
        mask += ROWS
      }
  }
  return squares
}

/** Two vectors of samples, all rows of the block; `part` is 0 where nothing has been summed before. */
@inline function finish<T>(H: usize, B: usize, Z: usize, w: usize, f: usize, mask: usize, part: usize): f64 {
  const z0 = v128.load(Z)
  const y0 = v128.load(Z, 16)
  const z1 = v128.load(Z, line<T>())
  const y1 = v128.load(Z, line<T>() + 16)
  const z2 = v128.load(Z, 2 * line<T>())
  const y2 = v128.load(Z, 2 * line<T>() + 16)
  const z3 = v128.load(Z, 3 * line<T>())
  const y3 = v128.load(Z, 3 * line<T>() + 16)
  let f0 = v128.load(f)
  let f1 = v128.load(f, 16)
  let squares = zero()
  for (let row: usize = 0; row < ROWS; row++) {
    const b0 = v128.load_splat<T>(B)
    let s = part == 0 ? v128.mul<T>(b0, z0) : fma<T>(b0, z0, v128.load(part))
    let t = part == 0 ? v128.mul<T>(b0, y0) : fma<T>(b0, y0, v128.load(part, 16))
    const b1 = v128.load_splat<T>(B, sizeof<T>())
    s = fma<T>(b1, z1, s)
    t = fma<T>(b1, y1, t)
    const b2 = v128.load_splat<T>(B, 2 * sizeof<T>())
    s = fma<T>(b2, z2, s)
    t = fma<T>(b2, y2, t)
    const b3 = v128.load_splat<T>(B, 3 * sizeof<T>())
    s = fma<T>(b3, z3, s)
    t = fma<T>(b3, y3, t)
    squares = fma<T>(s, s, squares)
    squares = fma<T>(t, t, squares)
    s = v128.add<T>(s, v128.load(H))
    t = v128.add<T>(t, v128.load(H, 16))
    const low = v128.gt<T>(s, zero())
    const high = v128.gt<T>(t, zero())
    store<u8>(mask, <u8>bits<T>(low, high))
    const weight = v128.load_splat<T>(w)
    f0 = fma<T>(weight, v128.and(s, low), f0)
    f1 = fma<T>(weight, v128.and(t, high), f1)
    B += RANKS * sizeof<T>()
    H += line<T>()
    if (part != 0) part += line<T>()
    w += sizeof<T>()
    mask++
  }
  v128.store(f, f0)
  v128.store(f, f1, 16)
  return total<T>(squares)
}

/** part (ROWS×N) = or += B Z over four rank indices. */
function partial<T>(B: usize, Z: usize, part: usize, tiles: usize, fresh: bool): void {
  for (let tile: usize = 0; tile < tiles; tile++) {
    for (let at: usize = 0; at < line<T>(); at += 16) {
      const z = Z + tile * RANKS * line<T>() + at
      const z0 = v128.load(z)
      const z1 = v128.load(z, line<T>())
      const z2 = v128.load(z, 2 * line<T>())
      const z3 = v128.load(z, 3 * line<T>())
      let b = B
      let p = part + tile * ROWS * line<T>() + at
      for (let row: usize = 0; row < ROWS; row++) {
        let s = fresh ? zero() : v128.load(p)
        s = fma<T>(v128.load_splat<T>(b), z0, s)
        s = fma<T>(v128.load_splat<T>(b, sizeof<T>()), z1, s)
        s = fma<T>(v128.load_splat<T>(b, 2 * sizeof<T>()), z2, s)
        s = fma<T>(v128.load_splat<T>(b, 3 * sizeof<T>()), z3, s)
        v128.store(p, s)
        b += RANKS * sizeof<T>()
        p += line<T>()
      }
    }
  }
}
