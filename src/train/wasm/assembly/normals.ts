/**
 * Gaussian numbers, two pairs at a time: the same operations, and so the same bits, as src/train/random.ts. Constants lie
 * in memory, since an engine builds them anew at each use; eight numbers are made side by side, so that none waits for
 * the one before.
 */

/** A row's constant at a place, in both lanes. */
@inline function each(row: usize, place: i32 = 0): v128 {
  return v128.load64_splat(row + 8 * place)
}

@inline function multiplied(x: v128, y: v128): v128 {
  return f64x2.mul(x, y)
}

@inline function sum(x: v128, y: v128): v128 {
  return f64x2.add(x, y)
}

/** a + x b, never fused. */
@inline function plus(a: v128, x: v128, b: v128): v128 {
  return f64x2.add(a, f64x2.mul(x, b))
}

const QUARTER = memory.data<f64>([0.25])
const HALF = memory.data<f64>([0.5])
const ONE = memory.data<f64>([1])
const TWO = memory.data<f64>([2])
const THREE = memory.data<f64>([3])
const FOUR = memory.data<f64>([4])
const MINUS_TWO = memory.data<f64>([-2])
/** 2⁻⁵³. */
const STEP = memory.data<f64>([1.1102230246251565e-16])
const TWO_PI = memory.data<f64>([6.283185307179586])
const SIGN = memory.data<u64>([0x8000000000000000])

/** What is added to a float's bits so that its mantissa lies about 1, and the bits of the least such mantissa. */
const OFFSET = memory.data<u64>([(0x3ff00000 - 0x3fe6a09e) << 32])
const LOWEST = memory.data<u64>([0x3fe6a09e << 32])
const MANTISSA = memory.data<u64>([0x000fffffffffffff])
/** The exponent's bits as the last ones of 2⁵² plus it. */
const LAST_BITS = memory.data<u64>([0x4330000000000000])
const OF_LAST_BITS = memory.data<f64>([4503599627371519.0])
/** ln 2 in two parts, and the polynomial's coefficients from the lowest, as in fdlibm. */
const LN2 = memory.data<f64>([0.6931471803691238, 1.9082149292705877e-10])
const LOGARITHM = memory.data<f64>([
  0.6666666666666735, 0.3999999999940942, 0.2857142874366239, 0.22222198432149784, 0.1818357216161805,
  0.15313837699209373, 0.14798198605116586,
])
const SINE = memory.data<f64>([
  -0.16666666666666632, 0.00833333333332249, -0.0001984126982985795, 0.0000027557313707070068, -2.5050760253406863e-8,
  1.58969099521155e-10,
])
const COSINE = memory.data<f64>([
  0.0416666666666666, -0.001388888888887411, 0.00002480158728947673, -2.7557314351390663e-7, 2.087572321298175e-9,
  -1.1359647557788195e-11,
])

@inline function logarithm(x: v128): v128 {
  const bits = i64x2.add(x, each(OFFSET))
  const exponent = v128.or(i64x2.shr_u(bits, 52), each(LAST_BITS))
  const k = f64x2.sub(exponent, each(OF_LAST_BITS))
  const mantissa = i64x2.add(v128.and(bits, each(MANTISSA)), each(LOWEST))
  const f = f64x2.sub(mantissa, each(ONE))
  const s = f64x2.div(f, f64x2.add(each(TWO), f))
  const z = multiplied(s, s)
  const w = multiplied(z, z)
  const even = multiplied(
    w,
    plus(each(LOGARITHM, 1), w, plus(each(LOGARITHM, 3), w, each(LOGARITHM, 5))),
  )
  const odd = multiplied(
    z,
    plus(each(LOGARITHM, 0), w, plus(each(LOGARITHM, 2), w, plus(each(LOGARITHM, 4), w, each(LOGARITHM, 6)))),
  )
  const half = multiplied(multiplied(each(HALF), f), f)
  const inner = sum(multiplied(s, sum(half, sum(even, odd))), multiplied(k, each(LN2, 1)))
  return f64x2.sub(multiplied(k, each(LN2)), f64x2.sub(f64x2.sub(half, inner), f))
}

@inline function sineNear0(x: v128): v128 {
  const z = multiplied(x, x)
  const w = multiplied(z, z)
  const tail = sum(
    plus(each(SINE, 1), z, plus(each(SINE, 2), z, each(SINE, 3))),
    multiplied(multiplied(z, w), plus(each(SINE, 4), z, each(SINE, 5))),
  )
  return sum(x, multiplied(multiplied(z, x), plus(each(SINE, 0), z, tail)))
}

@inline function cosineNear0(x: v128): v128 {
  const z = multiplied(x, x)
  const w = multiplied(z, z)
  const tail = sum(
    multiplied(z, plus(each(COSINE, 0), z, plus(each(COSINE, 1), z, each(COSINE, 2)))),
    multiplied(multiplied(w, w), plus(each(COSINE, 3), z, plus(each(COSINE, 4), z, each(COSINE, 5)))),
  )
  const half = multiplied(each(HALF), z)
  const near = f64x2.sub(each(ONE), half)
  return sum(near, sum(f64x2.sub(f64x2.sub(each(ONE), near), half), multiplied(z, tail)))
}

/** The mask of the lanes in which x is one of two numbers. */
@inline function isEither(x: v128, a: usize, b: usize): v128 {
  return v128.or(f64x2.eq(x, each(a)), f64x2.eq(x, each(b)))
}

/** Two numbers between 0 and 1 from integers below 2⁵³. */
@inline function uniforms(x: i64, y: i64): v128 {
  const whole = f64x2.replace_lane(f64x2.splat(<f64>x), 1, <f64>y)
  return multiplied(sum(whole, each(HALF)), each(STEP))
}

/** How far from 0 two pairs lie. */
@inline function radiiOf(uniform: v128, deviation: v128): v128 {
  return multiplied(deviation, f64x2.sqrt(multiplied(each(MINUS_TWO), logarithm(uniform))))
}

/** The quarter turn that is nearest to a turn. */
@inline function quarterOf(turns: v128): v128 {
  return f64x2.floor(sum(multiplied(each(FOUR), turns), each(HALF)))
}

@inline function angleFrom(quarter: v128, turns: v128): v128 {
  return multiplied(f64x2.sub(turns, multiplied(quarter, each(QUARTER))), each(TWO_PI))
}

/** Stores two pairs: first numbers in the lanes of the first vector, second ones in those of the other. */
@inline function storePairs(out: usize, radius: v128, quarter: v128, cosine: v128, sine: v128): void {
  const isOdd = isEither(quarter, ONE, THREE)
  const sign = each(SIGN)
  const x = v128.xor(v128.bitselect(sine, cosine, isOdd), v128.and(sign, isEither(quarter, ONE, TWO)))
  const y = v128.xor(v128.bitselect(cosine, sine, isOdd), v128.and(sign, isEither(quarter, TWO, THREE)))
  const first = multiplied(radius, x)
  const second = multiplied(radius, y)
  v128.store(out, v128.shuffle<f64>(first, second, 0, 2))
  v128.store(out, v128.shuffle<f64>(first, second, 1, 3), 16)
}

/** 53 bits of two sums of the state's words. */
@inline function joined(upper: u64, lower: u64): i64 {
  return <i64>((<u64>(<u32>upper >>> 5) << 26) | <u64>(<u32>lower >>> 6))
}

/** The first word of the state after a step of the generator, a being the exclusive or of both. */
@inline function stepped(s0: u64, a: u64): u64 {
  return rotl<u64>(s0, 24) ^ a ^ (a << 16)
}

/** The 53 bits of two steps from a state. What these three share an engine computes once. */
@inline function bits(s0: u64, s1: u64): i64 {
  const a = s0 ^ s1
  return joined(s0 + s1, stepped(s0, a) + rotl<u64>(a, 37))
}

/** The state's words after two steps. */
@inline function later0(s0: u64, s1: u64): u64 {
  const a = s0 ^ s1
  const p = stepped(s0, a)
  return stepped(p, p ^ rotl<u64>(a, 37))
}

@inline function later1(s0: u64, s1: u64): u64 {
  const a = s0 ^ s1
  return rotl<u64>(stepped(s0, a) ^ rotl<u64>(a, 37), 37)
}

/**
 * Writes the first `count` numbers of a stream, rounded up to a multiple of four; the words are those of `streamState`.
 */
export function normals(s01: u32, s00: u32, s11: u32, s10: u32, out: usize, count: i32, deviation: f64): void {
  let a0 = (<u64>s01 << 32) | s00
  let a1 = (<u64>s11 << 32) | s10
  const deviations = f64x2.splat(deviation)
  let i = 0
  for (; i + 4 < count; i += 8) {
    const whole0 = bits(a0, a1)
    const b0 = later0(a0, a1), b1 = later1(a0, a1)
    const whole1 = bits(b0, b1)
    const c0 = later0(b0, b1), c1 = later1(b0, b1)
    const whole2 = bits(c0, c1)
    const d0 = later0(c0, c1), d1 = later1(c0, c1)
    const whole3 = bits(d0, d1)
    const e0 = later0(d0, d1), e1 = later1(d0, d1)
    const whole4 = bits(e0, e1)
    const f0 = later0(e0, e1), f1 = later1(e0, e1)
    const whole5 = bits(f0, f1)
    const g0 = later0(f0, f1), g1 = later1(f0, f1)
    const whole6 = bits(g0, g1)
    const h0 = later0(g0, g1), h1 = later1(g0, g1)
    const whole7 = bits(h0, h1)
    a0 = later0(h0, h1)
    a1 = later1(h0, h1)
    // Side by side and not one after the other: engines keep this order, and take a third longer for the other.
    const turnsA = uniforms(whole1, whole3)
    const turnsB = uniforms(whole5, whole7)
    const radiusA = radiiOf(uniforms(whole0, whole2), deviations)
    const radiusB = radiiOf(uniforms(whole4, whole6), deviations)
    const quarterA = quarterOf(turnsA)
    const quarterB = quarterOf(turnsB)
    const angleA = angleFrom(quarterA, turnsA)
    const angleB = angleFrom(quarterB, turnsB)
    const cosineA = cosineNear0(angleA)
    const cosineB = cosineNear0(angleB)
    const sineA = sineNear0(angleA)
    const sineB = sineNear0(angleB)
    storePairs(out, radiusA, quarterA, cosineA, sineA)
    storePairs(out + 32, radiusB, quarterB, cosineB, sineB)
    out += 64
  }
  if (i < count) {
    const whole0 = bits(a0, a1)
    const b0 = later0(a0, a1), b1 = later1(a0, a1)
    const whole1 = bits(b0, b1)
    const c0 = later0(b0, b1), c1 = later1(b0, b1)
    const whole2 = bits(c0, c1)
    const d0 = later0(c0, c1), d1 = later1(c0, c1)
    const whole3 = bits(d0, d1)
    const turns = uniforms(whole1, whole3)
    const quarter = quarterOf(turns)
    const angle = angleFrom(quarter, turns)
    storePairs(out, radiiOf(uniforms(whole0, whole2), deviations), quarter, cosineNear0(angle), sineNear0(angle))
  }
}
