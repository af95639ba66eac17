import fc from "fast-check"
import { xoroshiro128plusFromState } from "pure-rand/generator/xoroshiro128plus"
import { expect, test } from "vitest"
import type { VectorKernels } from "../../../src/train/fused/gaussianVectors.js"
import { gaussians, streamState } from "../../../src/train/random.js"
import { vectorModule } from "../../../src/train/wasm/kernelModule.js"

const START = 512

test("the kernel draws the bits that gaussians draws", () => {
  const memory = new WebAssembly.Memory({ initial: 1, maximum: 1, shared: true })
  const { exports } = new WebAssembly.Instance(vectorModule(), { env: { memory } })
  const { normals } = exports as unknown as VectorKernels
  const deviation = fc.double({ min: 1e-300, max: 1e300, noNaN: true })
  fc.assert(
    fc.property(fc.nat(), fc.string(), fc.integer({ min: 1, max: 4000 }), deviation, (seed, stream, count, size) => {
      normals(...streamState(seed, stream), START, count, size)
      expect(new Float64Array(memory.buffer, START, count)).toEqual(gaussians(seed, stream, count, size))
    }),
    { numRuns: 200 },
  )
})

test("logarithm, sine and cosine are those of Math to a few units in the last place", () => {
  const generator = xoroshiro128plusFromState([...streamState(5, "functions")])
  const uniform = () => ((generator.next() >>> 5) * 2 ** 26 + (generator.next() >>> 6) + 0.5) / 2 ** 53
  const drawn = gaussians(5, "functions", 20_000)
  for (let i = 0; i < drawn.length; i += 2) {
    const [radius, angle] = [Math.sqrt(-2 * Math.log(uniform())), 2 * Math.PI * uniform()]
    // The angle itself is rounded: by up to 4e-16 of a number that may be near a zero of the sine.
    expect(Math.abs(drawn[i]! - radius * Math.cos(angle))).toBeLessThan(2e-15 * radius)
    expect(Math.abs(drawn[i + 1]! - radius * Math.sin(angle))).toBeLessThan(2e-15 * radius)
  }
})
