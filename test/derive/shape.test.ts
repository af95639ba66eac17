import fc from "fast-check"
import { expect, test } from "vitest"
import { Parity } from "../../src/derive/parity.js"
import { Shape } from "../../src/derive/shape.js"

const bases = fc.subarray(["A", "B", "Z", "Z′"]).map((names) => names.join())
const parity = fc.tuple(bases, bases).map(([rows, columns]) => Parity.of(rows, columns))
const parities = fc.array(parity, { maxLength: 6 })
const shape = parities.map((of) => Shape.layout(of).shape)

test("every part lies at its own parity; parities are in order, each once; equal shapes are one object", () => {
  fc.assert(
    fc.property(parities, (of) => {
      const layout = Shape.layout(of)
      expect(layout.places.map((place) => layout.shape.parities[place])).toEqual(of)
      expect(layout.shape.parities.map(({ key }) => key)).toEqual([...new Set(of.map(({ key }) => key))].sort())
      expect(Shape.layout([...of].reverse()).shape).toBe(layout.shape)
    }),
  )
})

test("parts of sums and products lie where their parities say, remembered or not", () => {
  fc.assert(
    fc.property(shape, shape, fc.constantFrom(1, 2, Number.POSITIVE_INFINITY), (x, y, most) => {
      const joined = (each: Parity) => each.within(most)
      const pairs = x.parities.flatMap((p) => y.parities.map((q) => joined(p.plus(q))))
      for (const _ of ["read anew", "remembered"]) {
        expect(x.times(y, most)).toEqual(Shape.layout(pairs))
        expect(x.plus(y)).toEqual(Shape.layout([...x.parities, ...y.parities]))
        expect(x.within(most)).toEqual(Shape.layout(x.parities.map(joined)))
        expect(x.transpose()).toEqual(Shape.layout(x.parities.map((p) => p.transpose())))
      }
    }),
  )
})
