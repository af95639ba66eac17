import { sha256 } from "@noble/hashes/sha2.js"
import { utf8ToBytes } from "@noble/hashes/utils.js"
import { xoroshiro128plusFromState } from "pure-rand/generator/xoroshiro128plus"

/**
 * Independent Gaussian numbers that depend only on the seed and the stream's name, not on what else was drawn.
 *
 * The first k numbers of a longer draw are the k numbers of a shorter one.
 */
export function gaussians(seed: number, stream: string, count: number, standardDeviation = 1): Float64Array {
  return gaussianStream(seed, stream, standardDeviation)(new Float64Array(count))
}

/**
 * The same numbers piece by piece: each call fills an array with the next ones and returns it.
 *
 * Uniforms of 53 bits from xoroshiro128+ (pure-rand), seeded by SHA-256 of (seed, stream), turned by Box–Muller. Logarithm,
 * sine and cosine are computed here, by additions and products alone, so that every machine, and the WebAssembly kernel
 * (assembly/normals.ts), has the same bits.
 */
export function gaussianStream(
  seed: number,
  stream: string,
  standardDeviation: number,
): (target: Float64Array) => Float64Array {
  const generator = xoroshiro128plusFromState([...streamState(seed, stream)])
  const uniform = () => ((generator.next() >>> 5) * 0x4000000 + (generator.next() >>> 6) + 0.5) / 2 ** 53
  let spare = Number.NaN
  return (target) => {
    let i = 0
    if (target.length > 0 && !Number.isNaN(spare)) {
      target[i++] = spare
      spare = Number.NaN
    }
    for (; i < target.length; i += 2) {
      const radius = standardDeviation * Math.sqrt(-2 * logarithm(uniform()))
      const turns = uniform()
      // Of the nearest quarter of a turn the rest is exact, and within an eighth.
      const quarter = Math.floor(4 * turns + 0.5)
      const angle = (turns - quarter / 4) * (2 * Math.PI)
      const cosine = cosineNear0(angle)
      const sine = sineNear0(angle)
      const isOdd = quarter % 2 === 1
      const x = isOdd ? sine : cosine
      const y = isOdd ? cosine : sine
      target[i] = radius * (quarter === 1 || quarter === 2 ? -x : x)
      const second = radius * (quarter === 2 || quarter === 3 ? -y : y)
      if (i + 1 < target.length) target[i + 1] = second
      else spare = second
    }
    return target
  }
}

/** Independent uniform numbers in [0, 1) of 32 bits, that depend only on the seed and the stream's name. */
export function uniforms(seed: number, stream: string): () => number {
  const generator = xoroshiro128plusFromState([...streamState(seed, stream)])
  return () => (generator.next() >>> 0) / 2 ** 32
}

const FRESH = sha256.create()
/** One hash for all texts, which are short: to make another takes as long as to use it. */
const hash = FRESH.clone()
const bytes = new Uint8Array(FRESH.outputLen)
const digest = new DataView(bytes.buffer)

/** The first state of a stream's generator, four words of 32 bits: SHA-256 of (seed, stream). */
export function streamState(seed: number, stream: string): readonly [number, number, number, number] {
  FRESH._cloneInto(hash)
  hash.update(utf8ToBytes(`${seed} ${stream}`)).digestInto(bytes)
  return [digest.getInt32(0, true), digest.getInt32(4, true), digest.getInt32(8, true), digest.getInt32(12, true)]
}

const double = new Float64Array(1)
const words = new Int32Array(double.buffer)

/** ln x of a normal x, by fdlibm's polynomial in f / (2 + f), x = 2ᵏ (1 + f) with 1 + f from √½ to √2. */
function logarithm(x: number): number {
  double[0] = x
  const high = words[1]! + (0x3ff00000 - 0x3fe6a09e)
  const k = (high >> 20) - 1023
  words[1] = (high & 0xfffff) + 0x3fe6a09e
  const f = double[0]! - 1
  const s = f / (2 + f)
  const z = s * s
  const w = z * z
  const even = w * (0.3999999999940942 + w * (0.22222198432149784 + w * 0.15313837699209373))
  const odd = z * (0.6666666666666735 + w * (0.2857142874366239 + w * (0.1818357216161805 + w * 0.14798198605116586)))
  const half = 0.5 * f * f
  return k * 0.6931471803691238 - (half - (s * (half + (even + odd)) + k * 1.9082149292705877e-10) - f)
}

/** sin x for |x| ≤ π/4, by fdlibm's polynomial. */
function sineNear0(x: number): number {
  const z = x * x
  const w = z * z
  const tail =
    0.00833333333332249 +
    z * (-0.0001984126982985795 + z * 0.0000027557313707070068) +
    z * w * (-2.5050760253406863e-8 + z * 1.58969099521155e-10)
  return x + z * x * (-0.16666666666666632 + z * tail)
}

/** cos x for |x| ≤ π/4, by fdlibm's polynomial. */
function cosineNear0(x: number): number {
  const z = x * x
  const w = z * z
  const tail =
    z * (0.0416666666666666 + z * (-0.001388888888887411 + z * 0.00002480158728947673)) +
    w * w * (-2.7557314351390663e-7 + z * (2.087572321298175e-9 + z * -1.1359647557788195e-11))
  const half = 0.5 * z
  const near = 1 - half
  return near + (1 - near - half + z * tail)
}
