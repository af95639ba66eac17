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
 * Uniforms of 53 bits from xoroshiro128+ (pure-rand), seeded by SHA-256 of (seed, stream), turned by Box–Muller.
 */
export function gaussianStream(
  seed: number,
  stream: string,
  standardDeviation: number,
): (target: Float64Array) => Float64Array {
  const generator = generatorOf(seed, stream)
  const uniform = () => ((generator.next() >>> 5) * 0x4000000 + (generator.next() >>> 6) + 0.5) / 2 ** 53
  let spare = Number.NaN
  return (target) => {
    let i = 0
    if (target.length > 0 && !Number.isNaN(spare)) {
      target[i++] = spare
      spare = Number.NaN
    }
    for (; i < target.length; i += 2) {
      const radius = standardDeviation * Math.sqrt(-2 * Math.log(uniform()))
      const angle = 2 * Math.PI * uniform()
      target[i] = radius * Math.cos(angle)
      const second = radius * Math.sin(angle)
      if (i + 1 < target.length) target[i + 1] = second
      else spare = second
    }
    return target
  }
}

/** Independent uniform numbers in [0, 1) of 32 bits, that depend only on the seed and the stream's name. */
export function uniforms(seed: number, stream: string): () => number {
  const generator = generatorOf(seed, stream)
  return () => (generator.next() >>> 0) / 2 ** 32
}

/** A generator seeded by SHA-256 of (seed, stream). */
function generatorOf(seed: number, stream: string) {
  const digest = new DataView(sha256(utf8ToBytes(`${seed} ${stream}`)).buffer)
  return xoroshiro128plusFromState([0, 4, 8, 12].map((offset) => digest.getInt32(offset, true)))
}
