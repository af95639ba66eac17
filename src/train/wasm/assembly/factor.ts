/**
 * Sums over a factor of r rows, a chunk of terms at a time, in double precision and never fused: the same bits on every
 * machine. A panel is [block of four rows][term][row in block], so that a product reads it front to back.
 */
import { total, zero } from "./vector"

@inline function madd(a: v128, b: v128, c: v128): v128 {
  return f64x2.add(f64x2.mul(a, b), c)
}

/**
 * The panel of a chunk, or with `before` of the change from it; a row's and a term's next entry lie so many bytes on.
 */
export function pack(
  now: usize, before: usize, rows: usize, terms: usize, rowBytes: usize, termBytes: usize, panel: usize,
): void {
  const away = before == 0 ? 0 : before - now
  for (let block: usize = 0; block < rows; block += 4) {
    const count = min<usize>(4, rows - block)
    let first = now + block * rowBytes
    for (let term: usize = 0; term < terms; term++) {
      for (let row: usize = 0; row < 4; row++) {
        const at = first + row * rowBytes
        let value: f64 = 0
        if (row < count) {
          value = <f64>load<f32>(at)
          if (before != 0) value -= <f64>load<f32>(at + away)
        }
        store<f64>(panel + row * 8, value)
      }
      first += termBytes
      panel += 32
    }
  }
}

@inline function addTo(to: usize, a: v128, b: v128): void {
  v128.store(to, f64x2.add(v128.load(to), a))
  v128.store(to, f64x2.add(v128.load(to, 16), b), 16)
}

/** Four rows of one panel by four of another, added to `out`, whose rows have `stride` bytes. */
@inline function tile(left: usize, right: usize, terms: usize, out: usize, stride: usize): void {
  let a0 = zero(), a1 = zero(), b0 = zero(), b1 = zero(), c0 = zero(), c1 = zero(), d0 = zero(), d1 = zero()
  const end = left + terms * 32
  for (; left < end; left += 32, right += 32) {
    const x = v128.load(right)
    const y = v128.load(right, 16)
    const a = v128.load64_splat(left)
    a0 = madd(a, x, a0)
    a1 = madd(a, y, a1)
    const b = v128.load64_splat(left, 8)
    b0 = madd(b, x, b0)
    b1 = madd(b, y, b1)
    const c = v128.load64_splat(left, 16)
    c0 = madd(c, x, c0)
    c1 = madd(c, y, c1)
    const d = v128.load64_splat(left, 24)
    d0 = madd(d, x, d0)
    d1 = madd(d, y, d1)
  }
  addTo(out, a0, a1)
  addTo(out + stride, b0, b1)
  addTo(out + 2 * stride, c0, c1)
  addTo(out + 3 * stride, d0, d1)
}

/** products += X Yᵀ of two panels of `blocks` blocks; of one with itself, blocks on and above the diagonal. */
export function addProducts(X: usize, Y: usize, blocks: usize, terms: usize, products: usize): void {
  const stride = blocks * 32
  for (let row: usize = 0; row < blocks; row++)
    for (let column: usize = X == Y ? row : 0; column < blocks; column++)
      tile(X + row * terms * 32, Y + column * terms * 32, terms, products + row * 4 * stride + column * 32, stride)
}

/**
 * Adds to four numbers at `sums` what `count` entries (a multiple of four) hold: Σ x², Σ x⁴, the largest |x| so far,
 * and how many are no finite number, which count in none of the others.
 */
export function addSizes(values: usize, count: usize, sums: usize): void {
  let second = zero(), fourth = zero(), largest = f32x4.splat(<f32>load<f64>(sums, 16))
  let broken: i32 = 0
  const end = values + count * 4
  for (let at = values; at < end; at += 16) {
    let x = v128.load(at)
    const finite = f32x4.eq(f32x4.sub(x, x), zero())
    const mask = i32x4.bitmask(finite)
    if (mask != 15) {
      broken += 4 - popcnt<i32>(mask)
      x = v128.and(x, finite)
    }
    largest = f32x4.max(largest, f32x4.abs(x))
    const low = f64x2.promote_low_f32x4(x)
    const high = upper(x)
    const p = f64x2.mul(low, low)
    const q = f64x2.mul(high, high)
    second = f64x2.add(second, f64x2.add(p, q))
    fourth = f64x2.add(fourth, f64x2.add(f64x2.mul(p, p), f64x2.mul(q, q)))
  }
  store<f64>(sums, load<f64>(sums) + total<f64>(second))
  store<f64>(sums, load<f64>(sums, 8) + total<f64>(fourth), 8)
  store<f64>(sums, <f64>most(largest), 16)
  store<f64>(sums, load<f64>(sums, 24) + <f64>broken, 24)
}

/** Adds to three numbers at `sums` how many entries are equal in both, the largest |Δx| so far, and Σ Δx². */
export function addMoves(before: usize, now: usize, count: usize, sums: usize): void {
  let second = zero(), largest = f32x4.splat(<f32>load<f64>(sums, 8))
  let same: i32 = 0
  for (let at: usize = 0; at < count * 4; at += 16) {
    const x = v128.load(before + at)
    const y = v128.load(now + at)
    same += popcnt<i32>(i32x4.bitmask(f32x4.eq(x, y)))
    // What is no number is not larger than anything.
    largest = f32x4.pmax(largest, f32x4.abs(f32x4.sub(y, x)))
    const low = f64x2.sub(f64x2.promote_low_f32x4(y), f64x2.promote_low_f32x4(x))
    const high = f64x2.sub(upper(y), upper(x))
    second = f64x2.add(second, f64x2.add(f64x2.mul(low, low), f64x2.mul(high, high)))
  }
  store<f64>(sums, load<f64>(sums) + <f64>same)
  store<f64>(sums, <f64>most(largest), 8)
  store<f64>(sums, load<f64>(sums, 16) + total<f64>(second), 16)
}

/** The upper two lanes in double precision. */
@inline function upper(v: v128): v128 {
  return f64x2.promote_low_f32x4(v128.shuffle<f32>(v, v, 2, 3, 0, 1))
}

/** The largest lane. */
@inline function most(v: v128): f32 {
  return max<f32>(
    max<f32>(f32x4.extract_lane(v, 0), f32x4.extract_lane(v, 1)),
    max<f32>(f32x4.extract_lane(v, 2), f32x4.extract_lane(v, 3)),
  )
}
