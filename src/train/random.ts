import { createHash } from "node:crypto"
import { xoroshiro128plusFromState } from "pure-rand/generator/xoroshiro128plus"

/**
 * Independent Gaussian numbers that depend only on the seed and the stream's name, not on what else was drawn.
 *
 * The first k numbers of a longer draw are the k numbers of a shorter one. Uniforms of 53 bits from xoroshiro128+
 * (pure-rand), seeded by SHA-256 of (seed, stream), turned by Box–Muller.
 */
export function gaussians(seed: number, stream: string, count: number, standardDeviation = 1): Float64Array {
  const generator = generatorOf(seed, stream)
  const uniform = () => ((generator.next() >>> 5) * 0x4000000 + (generator.next() >>> 6) + 0.5) / 2 ** 53
  const result = new Float64Array(count)
  for (let i = 0; i < count; i += 2) {
    const radius = standardDeviation * Math.sqrt(-2 * Math.log(uniform()))
    const angle = 2 * Math.PI * uniform()
    result[i] = radius * Math.cos(angle)
    if (i + 1 < count) result[i + 1] = radius * Math.sin(angle)
  }
  return result
}

/** Independent uniform numbers in [0, 1) of 32 bits, that depend only on the seed and the stream's name. */
export function uniforms(seed: number, stream: string): () => number {
  const generator = generatorOf(seed, stream)
  return () => (generator.next() >>> 0) / 2 ** 32
}

/** A generator seeded by SHA-256 of (seed, stream). */
function generatorOf(seed: number, stream: string) {
  const digest = createHash("sha256").update(`${seed} ${stream}`).digest()
  return xoroshiro128plusFromState([0, 4, 8, 12].map((offset) => digest.readInt32LE(offset)))
}
