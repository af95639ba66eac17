/** Vectors of 128 bits over T = f32 or f64, and the two layouts of the kernel. */

/** Rows of a frozen activation that lie together. */
export const ROWS: usize = 16
/** Samples that lie together: one cache line of f32. */
export const TILE: usize = 16
/** Rank indices that lie together. */
export const RANKS: usize = 4

/** Bytes of one row's samples in a tile. */
@inline export function line<T>(): usize {
  return TILE * sizeof<T>()
}

/** a b + c, in one rounding where the binary is the relaxed one and the machine fuses. */
@inline export function fma<T>(a: v128, b: v128, c: v128): v128 {
  if (ASC_FEATURE_RELAXED_SIMD) return v128.relaxed_madd<T>(a, b, c)
  return v128.add<T>(v128.mul<T>(a, b), c)
}

@inline export function zero(): v128 {
  return i32x4.splat(0)
}

/** The sum of the lanes, in double precision. */
@inline export function total<T>(v: v128): f64 {
  if (sizeof<T>() == 8) return f64x2.extract_lane(v, 0) + f64x2.extract_lane(v, 1)
  const pairs = f64x2.add(f64x2.promote_low_f32x4(v), f64x2.promote_low_f32x4(v128.shuffle<f32>(v, v, 2, 3, 0, 1)))
  return f64x2.extract_lane(pairs, 0) + f64x2.extract_lane(pairs, 1)
}

/** Stores the sums of the lanes of four vectors side by side. */
@inline export function storeTotals<T>(to: usize, a: v128, b: v128, c: v128, d: v128): void {
  if (sizeof<T>() == 8) {
    v128.store(to, f64x2.add(v128.shuffle<f64>(a, b, 0, 2), v128.shuffle<f64>(a, b, 1, 3)))
    v128.store(to, f64x2.add(v128.shuffle<f64>(c, d, 0, 2), v128.shuffle<f64>(c, d, 1, 3)), 16)
  } else {
    const ab = f32x4.add(v128.shuffle<f32>(a, b, 0, 4, 1, 5), v128.shuffle<f32>(a, b, 2, 6, 3, 7))
    const cd = f32x4.add(v128.shuffle<f32>(c, d, 0, 4, 1, 5), v128.shuffle<f32>(c, d, 2, 6, 3, 7))
    v128.store(to, f32x4.add(v128.shuffle<f32>(ab, cd, 0, 1, 4, 5), v128.shuffle<f32>(ab, cd, 2, 3, 6, 7)))
  }
}

/** One bit a lane of two masks. */
@inline export function bits<T>(low: v128, high: v128): i32 {
  if (sizeof<T>() == 8) return v128.bitmask<i64>(low) | (v128.bitmask<i64>(high) << 2)
  return v128.bitmask<i32>(low) | (v128.bitmask<i32>(high) << 4)
}

/** A lane's bit in the packing of `bits`: as vectors in memory, since an engine builds a constant anew at each use. */
const BITS32 = memory.data<u32>([1, 2, 4, 8, 16, 32, 64, 128], 16)
const BITS64 = memory.data<u64>([1, 2, 4, 8], 16)

/** The bits of the lanes of the first vector, and 16 bytes on of the second. */
@inline export function laneBits<T>(): usize {
  return sizeof<T>() == 8 ? BITS64 : BITS32
}

/** The mask of the lanes whose bit is set. */
@inline export function maskOf<T>(splat: v128, each: v128): v128 {
  if (sizeof<T>() == 8) return v128.eq<i64>(v128.and(splat, each), each)
  return v128.eq<i32>(v128.and(splat, each), each)
}
