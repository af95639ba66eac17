/** Gaussian numbers, two pairs at a time: the same operations, and so the same bits, as src/train/random.ts. */

@inline function each(x: f64): v128 {
  return f64x2.splat(x)
}

@inline function multiplied(x: v128, y: v128): v128 {
  return f64x2.mul(x, y)
}

@inline function sum(x: v128, y: v128): v128 {
  return f64x2.add(x, y)
}

/** a + x b, never fused. */
@inline function plus(a: f64, x: v128, b: v128): v128 {
  return f64x2.add(each(a), f64x2.mul(x, b))
}

const OFFSET: i64 = (0x3ff00000 - 0x3fe6a09e) << 32
const LOWEST: i64 = (<i64>0x3fe6a09e) << 32

@inline function logarithm(x: v128): v128 {
  const bits = i64x2.add(x, i64x2.splat(OFFSET))
  // The exponent's bits as the last ones of 2⁵² plus it.
  const exponent = v128.or(i64x2.shr_u(bits, 52), i64x2.splat(0x4330000000000000))
  const k = f64x2.sub(exponent, each(4503599627370496.0 + 1023.0))
  const mantissa = i64x2.add(v128.and(bits, i64x2.splat(0x000fffffffffffff)), i64x2.splat(LOWEST))
  const f = f64x2.sub(mantissa, each(1))
  const s = f64x2.div(f, f64x2.add(each(2), f))
  const z = multiplied(s, s)
  const w = multiplied(z, z)
  const even = multiplied(w, plus(0.3999999999940942, w, plus(0.22222198432149784, w, each(0.15313837699209373))))
  const odd = multiplied(
    z,
    plus(0.6666666666666735, w, plus(0.2857142874366239, w, plus(0.1818357216161805, w, each(0.14798198605116586)))),
  )
  const half = multiplied(multiplied(each(0.5), f), f)
  const inner = sum(multiplied(s, sum(half, sum(even, odd))), multiplied(k, each(1.9082149292705877e-10)))
  return f64x2.sub(multiplied(k, each(0.6931471803691238)), f64x2.sub(f64x2.sub(half, inner), f))
}

@inline function sineNear0(x: v128): v128 {
  const z = multiplied(x, x)
  const w = multiplied(z, z)
  const tail = sum(
    plus(0.00833333333332249, z, plus(-0.0001984126982985795, z, each(0.0000027557313707070068))),
    multiplied(multiplied(z, w), plus(-2.5050760253406863e-8, z, each(1.58969099521155e-10))),
  )
  return sum(x, multiplied(multiplied(z, x), plus(-0.16666666666666632, z, tail)))
}

@inline function cosineNear0(x: v128): v128 {
  const z = multiplied(x, x)
  const w = multiplied(z, z)
  const tail = sum(
    multiplied(z, plus(0.0416666666666666, z, plus(-0.001388888888887411, z, each(0.00002480158728947673)))),
    multiplied(
      multiplied(w, w),
      plus(-2.7557314351390663e-7, z, plus(2.087572321298175e-9, z, each(-1.1359647557788195e-11))),
    ),
  )
  const half = multiplied(each(0.5), z)
  const near = f64x2.sub(each(1), half)
  return sum(near, sum(f64x2.sub(f64x2.sub(each(1), near), half), multiplied(z, tail)))
}

/** The mask of the lanes in which x is one of two numbers. */
@inline function isEither(x: v128, a: f64, b: f64): v128 {
  return v128.or(f64x2.eq(x, each(a)), f64x2.eq(x, each(b)))
}

/** Two pairs from their uniforms: first numbers in the lanes of the first vector, second ones in those of the other. */
@inline function storePairs(out: usize, radii: v128, turns: v128, deviation: f64): void {
  const radius = multiplied(each(deviation), f64x2.sqrt(multiplied(each(-2), logarithm(radii))))
  const quarter = f64x2.floor(sum(multiplied(each(4), turns), each(0.5)))
  const angle = multiplied(f64x2.sub(turns, multiplied(quarter, each(0.25))), each(6.283185307179586))
  const cosine = cosineNear0(angle)
  const sine = sineNear0(angle)
  const isOdd = isEither(quarter, 1, 3)
  const sign = i64x2.splat(0x8000000000000000)
  const x = v128.xor(v128.bitselect(sine, cosine, isOdd), v128.and(sign, isEither(quarter, 1, 2)))
  const y = v128.xor(v128.bitselect(cosine, sine, isOdd), v128.and(sign, isEither(quarter, 2, 3)))
  const first = multiplied(radius, x)
  const second = multiplied(radius, y)
  v128.store(out, v128.shuffle<f64>(first, second, 0, 2))
  v128.store(out, v128.shuffle<f64>(first, second, 1, 3), 16)
}

/**
 * Writes the first `count` numbers of a stream, rounded up to a multiple of four; the words are those of `streamState`.
 */
export function normals(s01: u32, s00: u32, s11: u32, s10: u32, out: usize, count: i32, deviation: f64): void {
  let s0 = (<u64>s01 << 32) | s00
  let s1 = (<u64>s11 << 32) | s10
  let made0: f64 = 0
  let made1: f64 = 0
  let made2: f64 = 0
  let made3: f64 = 0
  for (let i = 0; i < count; i += 4) {
    for (let k = 0; k < 4; k++) {
      const upper = <u32>(s0 + s1)
      let a = s0 ^ s1
      s0 = rotl<u64>(s0, 24) ^ a ^ (a << 16)
      s1 = rotl<u64>(a, 37)
      const lower = <u32>(s0 + s1)
      a = s0 ^ s1
      s0 = rotl<u64>(s0, 24) ^ a ^ (a << 16)
      s1 = rotl<u64>(a, 37)
      const made = (<f64>((<i64>(upper >>> 5) << 26) | <i64>(lower >>> 6)) + 0.5) * 1.1102230246251565e-16
      if (k == 0) made0 = made
      else if (k == 1) made1 = made
      else if (k == 2) made2 = made
      else made3 = made
    }
    const radii = f64x2.replace_lane(f64x2.splat(made0), 1, made2)
    const turns = f64x2.replace_lane(f64x2.splat(made1), 1, made3)
    storePairs(out, radii, turns, deviation)
    out += 32
  }
}
