import { bits, fma, line, RANKS, ROWS, total, zero } from "./vector"

/**
 * Z_B = B Z_A, the ReLU's mask and f += w ReLU(H + Z_B) over a block of rows. Returns Σ Z_B².
 *
 * Four rows by two vectors of samples at a time: eight sums in registers over all rank indices.
 *
 * @param strideB bytes from one rank block of B to the next; B (per rank block ROWS×4), strideZ likewise.
 * @param mask one byte for two vectors, [tile][half][row].
 */
export function forward<T>(
  H: usize, B: usize, strideB: usize, Z: usize, strideZ: usize, rankBlocks: usize,
  w: usize, f: usize, mask: usize, tiles: usize,
): f64 {
  let squares: f64 = 0
  for (let tile: usize = 0; tile < tiles; tile++) {
    for (let at: usize = 0; at < line<T>(); at += 32) {
      const low = f + at
      let f0 = v128.load(low)
      let f1 = v128.load(low, 16)
      let sum = zero()
      for (let row: usize = 0; row < ROWS; row += 4) {
        let s0 = zero(), s1 = zero(), s2 = zero(), s3 = zero()
        let t0 = zero(), t1 = zero(), t2 = zero(), t3 = zero()
        let b = B + row * RANKS * sizeof<T>()
        let z = Z + at
        for (let block: usize = 0; block < rankBlocks; block++) {
          const end = b + RANKS * sizeof<T>()
          let y = z
          for (let c = b; c < end; c += sizeof<T>()) {
            const z0 = v128.load(y)
            const z1 = v128.load(y, 16)
            const b0 = v128.load_splat<T>(c)
            s0 = fma<T>(b0, z0, s0)
            t0 = fma<T>(b0, z1, t0)
            const b1 = v128.load_splat<T>(c, RANKS * sizeof<T>())
            s1 = fma<T>(b1, z0, s1)
            t1 = fma<T>(b1, z1, t1)
            const b2 = v128.load_splat<T>(c, 2 * RANKS * sizeof<T>())
            s2 = fma<T>(b2, z0, s2)
            t2 = fma<T>(b2, z1, t2)
            const b3 = v128.load_splat<T>(c, 3 * RANKS * sizeof<T>())
            s3 = fma<T>(b3, z0, s3)
            t3 = fma<T>(b3, z1, t3)
            y += line<T>()
          }
          b += strideB
          z += strideZ
        }
        // Pairs, so that no sum waits long for the one before.
        const left = v128.add<T>(pair<T>(s0, t0, s0, t0), pair<T>(s1, t1, s1, t1))
        const right = v128.add<T>(pair<T>(s2, t2, s2, t2), pair<T>(s3, t3, s3, t3))
        sum = v128.add<T>(sum, v128.add<T>(left, right))
        const h = H + row * line<T>() + at
        s0 = v128.add<T>(s0, v128.load(h))
        t0 = v128.add<T>(t0, v128.load(h, 16))
        s1 = v128.add<T>(s1, v128.load(h, line<T>()))
        t1 = v128.add<T>(t1, v128.load(h, line<T>() + 16))
        s2 = v128.add<T>(s2, v128.load(h, 2 * line<T>()))
        t2 = v128.add<T>(t2, v128.load(h, 2 * line<T>() + 16))
        s3 = v128.add<T>(s3, v128.load(h, 3 * line<T>()))
        t3 = v128.add<T>(t3, v128.load(h, 3 * line<T>() + 16))
        const m0 = v128.gt<T>(s0, zero())
        const n0 = v128.gt<T>(t0, zero())
        const m1 = v128.gt<T>(s1, zero())
        const n1 = v128.gt<T>(t1, zero())
        const m2 = v128.gt<T>(s2, zero())
        const n2 = v128.gt<T>(t2, zero())
        const m3 = v128.gt<T>(s3, zero())
        const n3 = v128.gt<T>(t3, zero())
        store<u32>(mask, bits<T>(m0, n0) | (bits<T>(m1, n1) << 8) | (bits<T>(m2, n2) << 16) | (bits<T>(m3, n3) << 24))
        mask += 4
        const w0 = v128.load_splat<T>(w + row * sizeof<T>())
        const w1 = v128.load_splat<T>(w + row * sizeof<T>(), sizeof<T>())
        const w2 = v128.load_splat<T>(w + row * sizeof<T>(), 2 * sizeof<T>())
        const w3 = v128.load_splat<T>(w + row * sizeof<T>(), 3 * sizeof<T>())
        f0 = v128.add<T>(f0, pair<T>(w0, w1, v128.and(s0, m0), v128.and(s1, m1)))
        f1 = v128.add<T>(f1, pair<T>(w0, w1, v128.and(t0, n0), v128.and(t1, n1)))
        f0 = v128.add<T>(f0, pair<T>(w2, w3, v128.and(s2, m2), v128.and(s3, m3)))
        f1 = v128.add<T>(f1, pair<T>(w2, w3, v128.and(t2, n2), v128.and(t3, n3)))
      }
      v128.store(low, f0)
      v128.store(low, f1, 16)
      squares += total<T>(sum)
    }
    H += ROWS * line<T>()
    Z += RANKS * line<T>()
    f += line<T>()
  }
  return squares
}

/** a c + b d. */
@inline function pair<T>(a: v128, b: v128, c: v128, d: v128): v128 {
  return fma<T>(a, c, v128.mul<T>(b, d))
}
