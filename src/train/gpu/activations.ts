/**
 * How the frozen activations P and H lie on a device: as float32, or as float16, half the bytes to hold and to read.
 *
 * Two halves lie in a word and are read by `unpack2x16float`, which every WGSL has; arithmetic is float32 either way,
 * so the feature shader-f16 is not needed.
 */
import { FORMATS, nearest } from "../precision.js"
import type { Activations } from "../teacherStudent.js"
import { GpuFailure } from "./device.js"

/** Bytes of an activation. */
export const ACTIVATION_BYTES: Readonly<Record<Activations, number>> = { float32: 4, float16: 2 }

/** In WGSL: the type of four activations that lie together, and their value as a vec4f. */
export const QUADS: Readonly<Record<Activations, { readonly type: string; readonly value: (text: string) => string }>> =
  {
    float32: { type: "vec4f", value: (text) => text },
    float16: { type: "vec2u", value: (text) => `unpackQuad(${text})` },
  }

/** What kernels that read activations of float16 call. */
export const UNPACK_QUAD =
  "fn unpackQuad(x: vec2u) -> vec4f { return vec4f(unpack2x16float(x.x), unpack2x16float(x.y)); }"

const { float16 } = FORMATS
const toNearest = nearest(float16)
const LEAST_NORMAL = 2 ** float16.least

/**
 * The number that float16 storage holds for x: the nearest, a tie to the even one.
 *
 * What rounds to less than 2⁻¹⁴ becomes zero: WGSL lets an adapter flush float16's subnormal numbers, and results are
 * not to depend on whether it does.
 */
export function asFloat16(x: number): number {
  const rounded = toNearest(x)
  return Math.abs(rounded) < LEAST_NORMAL ? 0 : rounded
}

/**
 * The numbers as float16, two a word, the first in the low half.
 *
 * @param numbers an even number of them.
 * @throws GpuFailure for one beyond float16's largest, 65504, or NaN: kernels may assume that there is none.
 */
export function packFloat16(numbers: Float32Array): Uint32Array<ArrayBuffer> {
  const rounded = numbers.map(asFloat16)
  const bits = new Uint32Array(rounded.buffer)
  const packed = new Uint32Array(numbers.length / 2)
  for (let i = 0; i < numbers.length; i++) {
    const x = rounded[i]!
    if (!Number.isFinite(x)) throw new GpuFailure("unsupported", `an activation of ${numbers[i]} as float16`)
    packed[i >> 1]! |= x === 0 ? 0 : halfOf(bits[i]!) << (16 * (i & 1))
  }
  return packed
}

/** The bits of a normal float16 from those of the same number in float32: another bias, thirteen digits less. */
function halfOf(bits: number): number {
  return ((bits >>> 16) & 0x8000) | (((bits & 0x7fffffff) - (112 << 23)) >>> 13)
}
