/** Dense products in double precision, never fused: data must not depend on the binary. Rows have `stride` bytes. */
import { zero } from "./vector"

@inline function madd(a: v128, b: v128, c: v128): v128 {
  return f64x2.add(f64x2.mul(a, b), c)
}

@inline function addTo(to: usize, a: v128, b: v128): void {
  v128.store(to, f64x2.add(v128.load(to), a))
  v128.store(to, f64x2.add(v128.load(to, 16), b), 16)
}

/** Four rows by four columns of a sum over `count` terms of left[term, row] right[term, column], added to `to`. */
@inline function tile(
  left: usize, leftRow: usize, leftTerm: usize, right: usize, stride: usize, count: usize, to: usize,
): void {
  let a0 = zero(), a1 = zero(), b0 = zero(), b1 = zero(), c0 = zero(), c1 = zero(), d0 = zero(), d1 = zero()
  for (let term: usize = 0; term < count; term++) {
    const x = v128.load(right)
    const y = v128.load(right, 16)
    const a = v128.load64_splat(left)
    a0 = madd(a, x, a0)
    a1 = madd(a, y, a1)
    const b = v128.load64_splat(left + leftRow)
    b0 = madd(b, x, b0)
    b1 = madd(b, y, b1)
    const c = v128.load64_splat(left + 2 * leftRow)
    c0 = madd(c, x, c0)
    c1 = madd(c, y, c1)
    const d = v128.load64_splat(left + 3 * leftRow)
    d0 = madd(d, x, d0)
    d1 = madd(d, y, d1)
    left += leftTerm
    right += stride
  }
  addTo(to, a0, a1)
  addTo(to + stride, b0, b1)
  addTo(to + 2 * stride, c0, c1)
  addTo(to + 3 * stride, d0, d1)
}

/** out = left right, left rows×inner, right inner×columns; rows and columns are multiples of four. */
export function multiply(left: usize, right: usize, rows: usize, inner: usize, columns: usize, out: usize): void {
  const stride = columns * 8
  memory.fill(out, 0, rows * stride)
  for (let column: usize = 0; column < stride; column += 32)
    for (let row: usize = 0; row < rows; row += 4)
      tile(left + row * inner * 8, inner * 8, 8, right + column, stride, inner, out + row * stride + column)
}

/** gram += XᵀX on and above the diagonal (in blocks of four), X rows×columns, columns a multiple of four. */
export function addGram(X: usize, rows: usize, columns: usize, gram: usize): void {
  const stride = columns * 8
  for (let row: usize = 0; row < columns; row += 4)
    for (let column: usize = row; column < columns; column += 4)
      tile(X + row * 8, 8, stride, X + column * 8, stride, rows, gram + row * stride + column * 8)
}
