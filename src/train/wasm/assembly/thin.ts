/**
 * Products of a few long vectors in double precision, never fused. Vectors of `length` numbers, an even number, lie one
 * after the other.
 */
import { total, zero } from "./vector"

@inline function product(x: usize, y: usize): v128 {
  return f64x2.mul(v128.load(x), v128.load(y))
}

@inline function addTotal(to: usize, v: v128): void {
  store<f64>(to, load<f64>(to) + total<f64>(v))
}

/** One vector with four others, over a piece of `bytes`; sums go where `out` says, `apart` bytes from each other. */
@inline function four(x: usize, y: usize, stride: usize, bytes: usize, out: usize, apart: usize): void {
  let a = zero(), b = zero(), c = zero(), d = zero()
  for (let at: usize = 0; at < bytes; at += 16) {
    const own = v128.load(x + at)
    const other = y + at
    a = f64x2.add(a, f64x2.mul(own, v128.load(other)))
    b = f64x2.add(b, f64x2.mul(own, v128.load(other + stride)))
    c = f64x2.add(c, f64x2.mul(own, v128.load(other + 2 * stride)))
    d = f64x2.add(d, f64x2.mul(own, v128.load(other + 3 * stride)))
  }
  addTotal(out, a)
  addTotal(out + apart, b)
  addTotal(out + 2 * apart, c)
  addTotal(out + 3 * apart, d)
}

@inline function one(x: usize, y: usize, bytes: usize, out: usize): void {
  let a = zero(), b = zero()
  let at: usize = 0
  for (; at + 32 <= bytes; at += 32) {
    a = f64x2.add(a, product(x + at, y + at))
    b = f64x2.add(b, product(x + at + 16, y + at + 16))
  }
  if (at < bytes) a = f64x2.add(a, product(x + at, y + at))
  addTotal(out, f64x2.add(a, b))
}

/** Bytes of the pieces that are worked on one after the other: as long as all vectors' pieces stay in the cache. */
const PIECE: usize = 2048

@inline function least(x: usize, y: usize): usize {
  return x < y ? x : y
}

/** out[i, j] = ⟨qᵢ, xⱼ⟩, row by row. */
export function dots(q: usize, count: usize, x: usize, columns: usize, length: usize, out: usize): void {
  const stride = length * 8
  memory.fill(out, 0, count * columns * 8)
  for (let from: usize = 0; from < stride; from += PIECE) {
    const bytes = least(PIECE, stride - from)
    for (let i: usize = 0; i < count; ) {
      const own = q + i * stride + from
      const sums = out + i * columns * 8
      if (columns < 4 && i + 4 <= count) {
        for (let j: usize = 0; j < columns; j++) four(x + j * stride + from, own, stride, bytes, sums + j * 8, columns * 8)
        i += 4
        continue
      }
      let j: usize = 0
      for (; j + 4 <= columns; j += 4) four(own, x + j * stride + from, stride, bytes, sums + j * 8, 8)
      for (; j < columns; j++) one(own, x + j * stride + from, bytes, sums + j * 8)
      i++
    }
  }
}

/** yⱼ += sign Σᵢ c[i, j] qᵢ. */
export function combine(
  y: usize, columns: usize, q: usize, count: usize, c: usize, sign: f64, length: usize,
): void {
  const stride = length * 8
  const row = columns * 8
  for (let from: usize = 0; from < stride; from += PIECE) {
    const bytes = least(PIECE, stride - from)
    let i: usize = 0
    for (; i + 4 <= count; i += 4) {
      const own = q + i * stride + from
      for (let j: usize = 0; j < columns; j++) {
        const to = y + j * stride + from
        const factor = c + i * row + j * 8
        const a = f64x2.splat(sign * load<f64>(factor))
        const b = f64x2.splat(sign * load<f64>(factor + row))
        const d = f64x2.splat(sign * load<f64>(factor + 2 * row))
        const e = f64x2.splat(sign * load<f64>(factor + 3 * row))
        for (let at: usize = 0; at < bytes; at += 16) {
          const here = own + at
          const first = f64x2.add(f64x2.mul(a, v128.load(here)), f64x2.mul(b, v128.load(here + stride)))
          const last = f64x2.add(
            f64x2.mul(d, v128.load(here + 2 * stride)),
            f64x2.mul(e, v128.load(here + 3 * stride)),
          )
          v128.store(to + at, f64x2.add(v128.load(to + at), f64x2.add(first, last)))
        }
      }
    }
    for (; i < count; i++) {
      const own = q + i * stride + from
      for (let j: usize = 0; j < columns; j++) {
        const to = y + j * stride + from
        const a = f64x2.splat(sign * load<f64>(c + i * row + j * 8))
        for (let at: usize = 0; at < bytes; at += 16)
          v128.store(to + at, f64x2.add(v128.load(to + at), f64x2.mul(a, v128.load(own + at))))
      }
    }
  }
}

/** Zeros. */
export function clear(to: usize, length: usize): void {
  memory.fill(to, 0, length * 8)
}

/** to = x, which lie apart. */
export function copy(to: usize, x: usize, length: usize): void {
  memory.copy(to, x, length * 8)
}

/** to = factor x; may be the same vector. */
export function scaledTo(to: usize, x: usize, factor: f64, length: usize): void {
  const a = f64x2.splat(factor)
  const bytes = length * 8
  for (let at: usize = 0; at < bytes; at += 16) v128.store(to + at, f64x2.mul(a, v128.load(x + at)))
}
