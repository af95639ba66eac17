import fc from "fast-check"
import { expect, test } from "vitest"
import { ACTIVATIONS as NUMBERS } from "../../../src/train/activations.js"
import { ACTIVATIONS } from "../../../src/train/fused/activations.js"
import { LoopCode, loopModule, type Value } from "../../../src/train/fused/loopCode.js"
import { below } from "../../../src/train/fused/normal.js"

/** A function of two numbers as a loop, its two entries given. */
function looped(write: (code: LoopCode, x: Value, y: Value) => Value) {
  const code = new LoopCode()
  const [x, y, out] = [code.address(), code.address(), code.address()]
  code.store(out, write(code, code.load(x), code.load(y)))
  const memory = new WebAssembly.Memory({ initial: 1, maximum: 1, shared: true })
  const module = new WebAssembly.Module(loopModule([code]))
  const loop = new WebAssembly.Instance(module, { env: { memory } }).exports["0"] as (...numbers: number[]) => void
  const view = new Float64Array(memory.buffer)
  return (x: number, y: number) => {
    view.set([x, x, y, y])
    loop(16, 0, 16, 32)
    return view[4]!
  }
}

/** Values of the normal distribution to 15 digits (Abramowitz and Stegun, tables 26.1 and 26.2; 10 and 30 by mpmath). */
test("the normal distribution, also far out", () => {
  const at = looped(below)
  const known = [
    [0, 0.5],
    [1, 0.841344746068543],
    [-1, 0.158655253931457],
    [2, 0.97724986805182],
    [-5, 2.86651571879194e-7],
    [-10, 7.61985302416053e-24],
    [-30, 4.90671392714819e-198],
    [40, 1],
  ] as const
  for (const [x, expected] of known) expect(Math.abs(at(x, 0) / expected - 1)).toBeLessThan(1e-13)
  expect(at(Number.NaN, 0)).toBeNaN()
})

/** Beside the largest of the terms that a value is the sum of; e^(−x²/2) has x² units in the last place, x to 30 here. */
const CLOSE = 1e-12
/** Numbers below the least normal ones have fewer digits. */
const LEAST = 1e-300

for (const name of ["relu", "tanh", "silu", "gelu"] as const) {
  const { value, slope, change } = ACTIVATIONS[name]
  const numbers = NUMBERS[name]
  const place = fc.oneof(fc.double({ min: -4, max: 4, noNaN: true }), fc.double({ min: -30, max: 30, noNaN: true }))
  const length = fc.oneof(
    place,
    fc.integer({ min: -40, max: 0 }).map((k) => 2 ** k),
  )

  test(`${name} and its slope are those of the reference interpreter`, () => {
    const [own, steep] = [looped(value), looped(slope)]
    fc.assert(
      fc.property(place, (x) => {
        expect(Math.abs(own(x, 0) - numbers.value(x))).toBeLessThanOrEqual(
          CLOSE * Math.max(Math.abs(numbers.value(x)), LEAST),
        )
        const expected = numbers.slope(x)
        expect(Math.abs(steep(x, 0) - expected)).toBeLessThanOrEqual(CLOSE * Math.max(Math.abs(expected), 1e-3))
      }),
      { numRuns: 500 },
    )
  })

  test(`${name}'s change is that of the reference interpreter, however small`, () => {
    const own = looped(change)
    fc.assert(
      fc.property(length, place, (by, at) => {
        const expected = numbers.change(by, at)
        // Of a gate the two terms may cancel where the function is level.
        const scale = Math.max(Math.abs(expected), 1e-3 * Math.abs(by), LEAST)
        expect(Math.abs(own(by, at) - expected)).toBeLessThanOrEqual(CLOSE * scale)
      }),
      { numRuns: 500 },
    )
  })
}
