import fc from "fast-check"
import { expect, test } from "vitest"
import { Affine } from "../../src/exponent/affine.js"
import { InputError } from "../../src/inputError.js"
import { type Dimension, dimension, SINGLE } from "../../src/program/dimension.js"
import { gradient } from "../../src/program/gradient.js"
import { type Model, onlySite } from "../../src/program/model.js"
import { adapterModel } from "../../src/program/models/adapter.js"
import { stackModel } from "../../src/program/models/stack.js"
import { teacherStudentModel } from "../../src/program/models/teacherStudent.js"
import { inOrder, Node } from "../../src/program/node.js"
import type { Objective } from "../../src/program/objective.js"
import { OPTIMISERS } from "../../src/program/optimiser.js"
import { trainingStep } from "../../src/program/program.js"
import type { Matrix } from "../../src/train/matrix.js"
import type { SpaceSizes } from "../../src/train/numbers.js"
import { gaussians } from "../../src/train/random.js"
import { evaluate, zeros } from "../../src/train/reference.js"

const [n, nIn, r] = ["n", "nIn", "r"].map((name) => dimension(name)) as [Dimension, Dimension, Dimension]
const A = Node.leaf("A", "trained", [r, n])
const B = Node.leaf("B", "trained", [n, r])

/** Compares reverse mode with central differences at random values. */
function checkGradients(model: Model, objective: Objective, sizes: SpaceSizes, seed: number): void {
  const motion = { rate: { constant: 1, power: Affine.ZERO }, weightDecay: 0, shrinkage: 0 }
  const { loss } = trainingStep(model, {
    objective,
    optimisers: { A: OPTIMISERS.sgd, B: OPTIMISERS.sgd },
    epsilon: { constant: 0, power: null },
    damping: { constant: 0, power: null },
    start: { subtracted: false, along: { A: false, B: false } },
    motions: model.sites.map(() => ({ A: motion, B: motion })),
    clip: null,
  })
  const leaves = new Map<Node, Matrix>(
    inOrder([loss])
      .filter((node) => node.is("leaf"))
      .map((node, i) => {
        const shape = zeros(node, sizes)
        return [node, { ...shape, data: gaussians(seed, String(i), shape.data.length) }]
      }),
  )
  const trained = [...leaves.keys()].filter((node) => node.is("leaf") && node.attributes.role === "trained")
  checkDifferences(
    loss,
    trained,
    gradient(loss, trained).map((node) => node!),
    leaves,
    sizes,
  )
}

/** Compares gradients with central differences at given values. */
function checkDifferences(
  loss: Node,
  trained: readonly Node[],
  gradients: readonly Node[],
  leaves: ReadonlyMap<Node, Matrix>,
  sizes: SpaceSizes,
): void {
  const exact = evaluate(gradients, leaves, sizes, 1)
  trained.forEach((leaf, which) => {
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

const exponents = { multiplier: Affine.ZERO, readout: Affine.constant("1/2"), input: Affine.ZERO }

test("reverse mode agrees with differences on the adapter layer, for either loss and any batch", () => {
  fc.assert(
    fc.property(shape, target, ({ n: width, r: rank, seed }, objective) => {
      const sizes = { n: width, nIn: width + 1, r: rank, samples: objective.samples, one: 1 }
      checkGradients(adapterModel(onlySite(nIn, n, r), exponents, objective), objective, sizes, seed)
    }),
    { numRuns: 20 },
  )
})

test("reverse mode agrees with differences on the teacher-student network", () => {
  const objective = { loss: "squared", samples: 3 } as const
  fc.assert(
    fc.property(shape, ({ n: width, r: rank, seed }) => {
      const sizes = { n: width, r: rank, samples: 3, inputs: 2, one: 1 }
      checkGradients(teacherStudentModel(onlySite(n, n, r), exponents, objective, 2), objective, sizes, seed)
    }),
    { numRuns: 20 },
  )
})

test("reverse mode agrees with differences on stacks, in the change of the output as in the output", () => {
  const architecture = fc.record({
    layers: fc.integer({ min: 1, max: 3 }),
    activation: fc.constantFrom("relu", "tanh"),
    residual: fc.boolean(),
  })
  fc.assert(
    fc.property(architecture, shape, target, (given, { n: width, r: rank, seed }, objective) => {
      const sizes = { n: width, r: rank, samples: objective.samples, one: 1 }
      checkGradients(stackModel(given, [n, r], exponents, objective), objective, sizes, seed)
    }),
    { numRuns: 20 },
  )
})

test("reverse mode agrees with differences on every operation of a forward pass", () => {
  const half = dimension("half")
  const sizes = { n: 6, m: 3, r: 2, half: 3, one: 1 }
  const m = dimension("m")
  const [x, y] = [Node.leaf("x", "trained", [n, m]), Node.leaf("y", "trained", [n, m])]
  const weights = Node.leaf("weights", "frozen", [n, m])
  const scores = x.transpose().times(y)
  const parts = [0, 1].map((index) => ({ index, of: 2 }))
  const forms: Record<string, Node> = {
    silu: x.activate("silu").multiply(y),
    gelu: x.activate("gelu"),
    softmax: y.times(scores.softmax({ causal: false })),
    causal: y.times(scores.softmax({ causal: true })),
    rms: x.scaleColumns(x.columnDots(x).inverseRoot(0.1)),
    layer: x.centre().scaleColumns(x.centre().columnDots(x.centre()).inverseRoot(0.1)),
    dots: y.scaleColumns(x.columnDots(y)),
    logSumExp: y.scaleColumns(x.logSumExp()),
    rotate: x.rotate().multiply(y.rotate({ back: true })),
    parts: parts
      .map((part) => y.rowPart({ ...part, space: half }).multiply(x.rowPart({ ...part, space: half })))
      .map((tensor, i) => tensor.placeRows({ ...parts[1 - i]!, space: n }))
      .reduce((p, q) => p.plus(q.activate("tanh"))),
  }
  const draw = (leaf: Node, seed: number) => {
    const shape = zeros(leaf, sizes)
    return { ...shape, data: gaussians(seed, String(leaf.shape), shape.data.length) }
  }
  fc.assert(
    fc.property(fc.constantFrom(...Object.keys(forms)), fc.nat(1000), (name, seed) => {
      const output = forms[name]!
      const ones = Node.leaf("ones", "frozen", [SINGLE, m])
      const loss = output.columnDots(weights).times(ones.transpose())
      const leaves = new Map([x, y, weights].map((leaf, i) => [leaf as Node, draw(leaf, 3 * seed + i)]))
      leaves.set(ones, { rows: 1, columns: 3, data: new Float64Array(3).fill(1) })
      const found = gradient(loss, [x, y])
      const trained = [x, y].filter((_, i) => found[i] !== null)
      const gradients = found.filter((node) => node !== null)
      checkDifferences(loss, trained, gradients, leaves, sizes)
    }),
    { numRuns: 60 },
  )
})

test("what belongs to updates is refused by name", () => {
  const loss = B.transpose().times(B)
  const scalar = Node.leaf("v", "trained", [n, SINGLE])
  const square = scalar.transpose().times(scalar)
  expect(() => gradient(square.clip(Node.norm([loss]), { constant: 1, power: Affine.ZERO }), [scalar])).toThrow(/clip/)
  expect(() => gradient(Node.norm([scalar]), [scalar])).toThrow(/norm/)
})

test("shapes that do not fit are refused", () => {
  expect(() => A.clip(B, { constant: 1, power: Affine.ZERO })).toThrow(InputError)
  expect(() => A.times(A)).toThrow(InputError)
  expect(() => A.plus(B)).toThrow(InputError)
})

test("zeros, the scalar 1 and double transposes leave no trace in a program", () => {
  const zero = Node.zero(A.shape)
  expect(A.plus(zero)).toBe(A)
  expect(zero.plus(A)).toBe(A)
  expect(B.times(zero).isZero).toBe(true)
  expect(zero.transpose().isZero).toBe(true)
  expect(A.multiply(zero).isZero).toBe(true)
  expect(A.transpose().transpose()).toBe(A)
  expect(() => zero.plus(B)).toThrow(InputError)
})
