import fc from "fast-check"
import { expect, test } from "vitest"
import { Affine } from "../../src/exponent/affine.js"
import { InputError } from "../../src/inputError.js"
import { gradient } from "../../src/program/gradient.js"
import { adapterLayer, type Layer } from "../../src/program/layer.js"
import { networkLayer } from "../../src/program/network.js"
import { Node } from "../../src/program/node.js"
import type { Objective } from "../../src/program/objective.js"
import type { Matrix } from "../../src/train/matrix.js"
import { gaussians } from "../../src/train/random.js"
import { evaluate, type Sizes, zeros } from "../../src/train/reference.js"

const A = Node.leaf("A", "trained", ["r", "n"])
const B = Node.leaf("B", "trained", ["n", "r"])

/** Compares reverse mode with central differences at random values. */
function checkGradients(layer: Layer, sizes: Sizes, seed: number): void {
  const A = Node.leaf("A", "trained", ["r", layer.spaces.input])
  const { loss } = layer.loss([{ A, B }])
  const gradients = gradient(loss, [A, B]).map((node) => node!)
  const leaves = new Map<Node, Matrix>(
    [A, B, ...layer.frozen.map(({ node }) => node)].map((node, i) => {
      const shape = zeros(node, sizes)
      return [node, { ...shape, data: gaussians(seed, String(i), shape.data.length) }]
    }),
  )
  const exact = evaluate(gradients, leaves, sizes, 1)
  ;[A, B].forEach((leaf, which) => {
    const { data } = leaves.get(leaf)!
    const step = 1e-6
    for (let i = 0; i < data.length; i++) {
      const at = (change: number) => {
        const moved = Float64Array.from(data)
        moved[i]! += change
        const value = { ...leaves.get(leaf)!, data: moved }
        return evaluate([loss], new Map([...leaves, [leaf, value]]), sizes, 1).get(loss)!.data[0]!
      }
      const numeric = (at(step) - at(-step)) / (2 * step)
      const derivative = exact.get(gradients[which]!)!.data[i]!
      expect(Math.abs(derivative - numeric)).toBeLessThan(1e-4 * (1 + Math.abs(numeric)))
    }
  })
}

const shape = fc.record({ n: fc.integer({ min: 1, max: 5 }), r: fc.integer({ min: 1, max: 3 }), seed: fc.nat(1000) })

const target = fc.record({
  loss: fc.constantFrom("linear", "squared"),
  samples: fc.integer({ min: 1, max: 3 }),
}) satisfies fc.Arbitrary<Objective>

test("reverse mode agrees with differences on the adapter layer, for either loss and any batch", () => {
  const sizes = { multiplier: Affine.ZERO, readout: Affine.constant("1/2"), input: Affine.ZERO }
  fc.assert(
    fc.property(shape, target, ({ n, r, seed }, objective) =>
      checkGradients(
        adapterLayer(sizes, { input: "nIn", output: "n" }, objective),
        { n, nIn: n + 1, r, samples: objective.samples, one: 1 },
        seed,
      ),
    ),
    { numRuns: 20 },
  )
})

test("reverse mode agrees with differences on the ReLU network", () => {
  fc.assert(
    fc.property(shape, ({ n, r, seed }) => checkGradients(networkLayer(3), { n, nIn: n, r, samples: 3, one: 1 }, seed)),
    { numRuns: 20 },
  )
})

test("what belongs to updates is refused by name", () => {
  const loss = B.transpose().times(B)
  const scalar = Node.leaf("v", "trained", ["n", "one"])
  const square = scalar.transpose().times(scalar)
  expect(() => gradient(square.clip(Node.norm([loss]), { constant: 1, power: Affine.ZERO }), [scalar])).toThrow(/clip/)
  expect(() => gradient(Node.norm([scalar]), [scalar])).toThrow(/norm/)
})

test("shapes that do not fit are refused", () => {
  expect(() => A.clip(B, { constant: 1, power: Affine.ZERO })).toThrow(InputError)
  expect(() => A.times(A)).toThrow(InputError)
  expect(() => A.plus(B)).toThrow(InputError)
})
