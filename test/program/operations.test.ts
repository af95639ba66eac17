import fc from "fast-check"
import { describe, expect, test } from "vitest"
import { Affine } from "../../src/exponent/affine.js"
import { change } from "../../src/program/change.js"
import type { Changed } from "../../src/program/changed.js"
import { type Dimension, dimension, SINGLE } from "../../src/program/dimension.js"
import { gradient } from "../../src/program/gradient.js"
import { inOrder, Node } from "../../src/program/node.js"
import type { Activation, Op } from "../../src/program/operation.js"
import { OPERATIONS } from "../../src/program/operations/table.js"
import type { Matrix } from "../../src/train/matrix.js"
import { gaussians } from "../../src/train/random.js"
import { evaluate } from "../../src/train/reference.js"

const [n, m, half] = ["n", "m", "half"].map((name) => dimension(name)) as [Dimension, Dimension, Dimension]
const sizes = { n: 4, m: 3, half: 2, one: 1 }
const [x, y, z] = ["x", "y", "z"].map((name) => Node.leaf(name, "frozen", [n, m])) as [Node, Node, Node]

type Forms = readonly [Node, ...Node[]]

const ACTIVATIONS: readonly Activation[] = ["relu", "tanh", "silu", "gelu"]
const part = { index: 1, of: 2 }
const causal = { causal: true }
const square = x.transpose().times(y)
const at = z.transpose().times(z)
const positive = z.multiply(z)

/** Forms in x and y, and z which does not move, that a loss may have; none for what only gradients and updates have. */
const FORMS: Readonly<Record<Op, Forms | null>> = {
  leaf: [x],
  one: [
    x
      .columnDots(y)
      .times(z.transpose().times(Node.leaf("w", "frozen", [n, SINGLE])))
      .times(Node.ONE),
  ],
  zero: [x.plus(Node.zero(x.shape))],
  matmul: [square, x.times(square)],
  transpose: [x.transpose()],
  add: [x.plus(y)],
  multiply: [x.multiply(y), x.multiply(x)],
  scale: [x.scale({ constant: -1.5, power: Affine.ZERO })],
  detach: null,
  sign: null,
  activate: ACTIVATIONS.map((by) => x.activate(by)) as unknown as Forms,
  slope: null,
  activationChange: ACTIVATIONS.map((by) => x.activationChange(z, by)) as unknown as Forms,
  columnDots: [x.columnDots(y), x.columnDots(x)],
  scaleColumns: [x.scaleColumns(y.columnDots(z)), z.scaleColumns(x.columnDots(y))],
  centre: [x.centre()],
  inverseRoot: [x.multiply(x).inverseRoot(0.1)],
  inverseRootChange: [Node.of("inverseRootChange", [x.multiply(x), positive], { epsilon: 0.1 })],
  softmax: [square.softmax(causal), square.softmax({ causal: false })],
  softmaxSlope: null,
  softmaxChange: [Node.of("softmaxChange", [square, at], causal)],
  logSumExp: [x.logSumExp()],
  logSumExpChange: [Node.of("logSumExpChange", [x, z], {})],
  rowPart: [x.rowPart({ ...part, space: half })],
  placeRows: [x.rowPart({ ...part, space: half }).placeRows({ index: 0, of: 2, space: n })],
  rotate: [x.rotate(), x.rotate({ back: true })],
  rootRatio: null,
  orthogonalise: null,
  precondition: null,
  norm: null,
  clip: null,
}

/** Every form with its operation. */
const CASES = Object.entries(FORMS).flatMap(([op, forms]) =>
  (forms ?? []).map((form, i) => [`${op} ${i + 1}`, op as Op, form] as const),
)

function drawn(nodes: readonly Node[], seed: number, deviation = 1): Map<Node, Matrix> {
  return new Map(
    nodes.map((node, i): [Node, Matrix] => {
      const [rows, columns] = node.shape.map(({ name }) => sizes[name as "n"]) as [number, number]
      return [node, { rows, columns, data: gaussians(seed, `${i}`, rows * columns, deviation) }]
    }),
  )
}

const leavesOf = (node: Node) => inOrder([node]).filter((each) => each.is("leaf"))

describe.each(CASES)("%s", (_, op, form) => {
  test("its gradient is that of central differences", () => {
    const weights = Node.leaf("weights", "frozen", form.shape)
    const ones = Node.leaf("ones", "frozen", [form.shape[1], SINGLE])
    const loss = form.columnDots(weights).times(ones)
    expect(op === "one" || op === "zero" || inOrder([form]).some((node) => node.op === op)).toBe(true)
    const moving = leavesOf(form).filter((node) => node === x || node === y)
    const gradients = gradient(loss, moving).map((node) => node!)
    fc.assert(
      fc.property(fc.nat(1000), (seed) => {
        const leaves = drawn(leavesOf(loss), seed)
        const exact = evaluate(gradients, leaves, sizes, 1)
        moving.forEach((leaf, which) => {
          const value = leaves.get(leaf)!
          const [step, entry] = [1e-6, seed % value.data.length]
          // A kink within the step has no derivative there.
          if (form.is("activate") && form.attributes.by === "relu" && Math.abs(value.data[entry]!) < step) return
          const lossAt = (by: number) => {
            const data = value.data.map((old, i) => (i === entry ? old + by : old))
            return evaluate([loss], new Map([...leaves, [leaf, { ...value, data }]]), sizes, 1).get(loss)!.data[0]!
          }
          const numeric = (lossAt(step) - lossAt(-step)) / (2 * step)
          const own = exact.get(gradients[which]!)!.data[entry]!
          expect(Math.abs(own - numeric)).toBeLessThan(1e-6 * (1 + Math.abs(numeric)))
        })
      }),
      { numRuns: 20 },
    )
  })

  test.skipIf(OPERATIONS[op].change === null)("its change is its value after less its value before", () => {
    fc.assert(
      fc.property(fc.nat(1000), fc.constantFrom(3, 1, 1e-3), (seed, size) => {
        const moving = leavesOf(form).filter((node) => node === x || node === y)
        const moves = new Map(moving.map((leaf, i) => [leaf as Node, Node.leaf(`d${i}`, "frozen", leaf.shape)]))
        const given = new Map(
          [...moves].map(([leaf, by]) => [leaf, (): Changed => ({ before: leaf, after: leaf.plus(by), change: by })]),
        )
        const { before, after, change: changed } = change([form], given).get(form)!
        const leaves = drawn(leavesOf(form), seed)
        const by = drawn([...moves.values()], seed + 2000, size)
        const found = evaluate([before, after, changed], new Map([...leaves, ...by]), sizes, 1)
        const moved = new Map(leaves)
        for (const [leaf, move] of moves) {
          const value = leaves.get(leaf)!
          moved.set(leaf, { ...value, data: value.data.map((old, i) => old + by.get(move)!.data[i]!) })
        }
        const [start, end] = [leaves, moved].map((values) => evaluate([form], values, sizes, 1).get(form)!.data)
        const scale = Math.hypot(...start!) + Math.hypot(...end!)
        start!.forEach((old, i) => {
          const now = end![i]!
          expect(Math.abs(found.get(before)!.data[i]! - old)).toBeLessThanOrEqual(1e-12 * scale)
          expect(Math.abs(found.get(after)!.data[i]! - now)).toBeLessThanOrEqual(1e-12 * scale)
          expect(Math.abs(found.get(changed)!.data[i]! - (now - old))).toBeLessThanOrEqual(1e-12 * scale)
        })
      }),
      { numRuns: 20 },
    )
  })
})

/** What gradients are made of: linear in the first operand, the derivative of a function at the second along it. */
test.each([
  ...ACTIVATIONS.map((by) => [by, x.slope(z, by), (by_: number) => z.plus(x.scale(times(by_))).activate(by)] as const),
  [
    "softmax",
    Node.of("softmaxSlope", [square, at], causal),
    (by: number) => at.plus(square.scale(times(by))).softmax(causal),
  ] as const,
])("the slope of %s is its derivative along the first operand", (_, slope, moved) => {
  fc.assert(
    fc.property(fc.nat(1000), (seed) => {
      const step = 1e-6
      const leaves = drawn([x, y, z], seed)
      const [up, down] = [moved(step), moved(-step)]
      const values = evaluate([slope, up, down], leaves, sizes, 1)
      const [p, q] = [values.get(up)!.data, values.get(down)!.data]
      values.get(slope)!.data.forEach((own, i) => {
        expect(Math.abs(own - (p[i]! - q[i]!) / (2 * step))).toBeLessThan(1e-6 * (1 + Math.abs(own)))
      })
    }),
    { numRuns: 20 },
  )
})

function times(constant: number) {
  return { constant, power: Affine.ZERO }
}

test("every operation has a form here, or belongs to gradients and updates and has no gradient of its own", () => {
  for (const [op, { gradient: rule }] of Object.entries(OPERATIONS))
    expect([op, FORMS[op as Op] === null]).toEqual([op, rule === null || op === "detach"])
})

test("detach is the tensor itself, and a constant to gradients", () => {
  const form = x.detach().multiply(y)
  const ones = Node.leaf("ones", "frozen", [m, SINGLE])
  expect(gradient(form.columnDots(z).times(ones), [x])).toEqual([null])
  const dx = Node.leaf("dx", "frozen", x.shape)
  const given = new Map([[x as Node, (): Changed => ({ before: x, after: x.plus(dx), change: dx })]])
  const moved = x.detach()
  const { change: changed } = change([moved], given).get(moved)!
  const leaves = drawn([x, dx], 3)
  const values = evaluate([moved, changed], leaves, sizes, 1)
  expect(values.get(moved)!.data).toEqual(leaves.get(x)!.data)
  expect(values.get(changed)!.data).toEqual(leaves.get(dx)!.data)
})
