import fc from "fast-check"
import { describe, expect, test } from "vitest"
import { asFloat16, packFloat16 } from "../../../src/train/gpu/activations.js"
import { GpuFailure } from "../../../src/train/gpu/device.js"

/** A float16 by its definition: IEEE 754 binary16 without infinities and NaN. */
const half = (bits: number) => {
  const [exponent, digits] = [(bits >> 10) & 31, bits & 1023]
  const size = exponent === 0 ? 2 ** -24 * digits : 2 ** (exponent - 15) * (1 + digits / 1024)
  return bits >> 15 === 1 ? -size : size
}
/** Its halves in their order. */
const halves = (packed: Uint32Array) => [...packed].flatMap((word) => [word & 0xffff, word >>> 16])

const within = fc.float({ min: -65504, max: 65504, noNaN: true })

describe("activations in float16", () => {
  test("every normal number comes back as it was, every subnormal one as zero", () => {
    const bits = Array.from({ length: 2 ** 16 }, (_, i) => i).filter((i) => ((i >> 10) & 31) !== 31)
    const packed = halves(packFloat16(Float32Array.from(bits, half)))
    expect(packed).toEqual(bits.map((i) => (((i >> 10) & 31) === 0 ? 0 : i)))
  })

  test("any other is the nearest, a tie the even one, the first of two in a word's low half", () => {
    fc.assert(
      fc.property(fc.tuple(within, within), (pair) => {
        halves(packFloat16(Float32Array.from(pair))).forEach((bits, i) => {
          const x = pair[i]!
          expect(half(bits)).toBe(asFloat16(x))
          if (half(bits) === 0) expect(Math.abs(x)).toBeLessThan(2 ** -14)
          else {
            const [own, ...others] = [bits, bits - 1, bits + 1].map((near) => Math.abs(half(near) - x))
            expect(own! <= Math.min(...others)).toBe(true)
            if (others.includes(own!)) expect(bits % 2).toBe(0)
          }
        })
      }),
    )
  })

  test.each([
    [2049, 2048],
    [2051, 2052],
    [-2049, -2048],
    [65519, 65504],
  ])("%d is stored as %d", (x, stored) => expect(asFloat16(x)).toBe(stored))

  test.each([65520, -1e6, Number.NaN, Number.POSITIVE_INFINITY])("%d is refused", (x) => {
    expect(() => packFloat16(Float32Array.of(0, x))).toThrow(GpuFailure)
  })
})
