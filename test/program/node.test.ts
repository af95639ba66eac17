import { expect, test } from "vitest"
import { Affine } from "../../src/exponent/affine.js"
import { dimension } from "../../src/program/dimension.js"
import { inOrder, Node } from "../../src/program/node.js"
import { CATALOGUE, schemeNamed } from "../../src/scheme/catalogue.js"
import { scheme } from "../../src/scheme/scheme.js"

const [n, m] = [dimension("n", Affine.constant(1)), dimension("m")]
const [x, y] = ["x", "y"].map((name) => Node.leaf(name, "frozen", [n, m])) as [Node, Node]
const by = (constant: number, power: string) => ({ constant, power: Affine.symbol(power) })

test("what is written twice is one node", () => {
  expect(x.plus(y)).toBe(x.plus(y))
  expect(x.transpose().times(y).softmax({ causal: true })).toBe(x.transpose().times(y).softmax({ causal: true }))
  expect(x.scale(by(2, "c"))).toBe(x.scale(by(2, "c")))
  expect(x.rootRatio(y, { constant: 1, power: null })).toBe(x.rootRatio(y, { constant: 1, power: null }))
  const change = () => Node.of("inverseRootChange", [x, Node.zero(x.shape)], { epsilon: 1 })
  expect(change()).toBe(change())
})

test("what differs in operation, operands, their order or what it carries is another node", () => {
  const all = [
    x.plus(y),
    y.plus(x),
    x.multiply(y),
    x.plus(x),
    x.scale(by(2, "c")),
    x.scale(by(3, "c")),
    x.scale(by(2, "k")),
    x.scale({ ...by(2, "c"), biasCorrection: 0.9 }),
    x.rootRatio(y, { constant: 1, power: null }),
    x.rootRatio(y, { constant: 1, power: Affine.ZERO }),
    x.rowPart({ index: 0, of: 2, space: m }),
    x.rowPart({ index: 1, of: 2, space: m }),
    Node.norm([x, y]),
    Node.norm([x]),
  ]
  expect(new Set(all).size).toBe(all.length)
})

test("leaves of one name are different tensors, and so is what is made of them", () => {
  const other = Node.leaf("x", "frozen", [n, m])
  expect(x.transpose()).not.toBe(other.transpose())
})

test("an operation with one operand more is another node", () => {
  const [square, damping] = [x.times(x.transpose()), { constant: 0, power: null }]
  expect(y.precondition(square, 1, damping, x)).not.toBe(y.precondition(square, 1, damping))
})

test.each([...CATALOGUE.map(({ name }) => name), "llama-block/init-b", "bert-block/lora-plus"])(
  "no tensor of %s is there twice",
  (name) => {
    const { program } = scheme(schemeNamed(name), {})
    const nodes = inOrder([program.loss, ...program.next.values(), ...Object.values(program.quantities)])
    const numbers = new Map(nodes.map((node, i) => [node, i]))
    const written = nodes
      .filter(({ op }) => op !== "leaf" && op !== "zero")
      .map((node) =>
        JSON.stringify([node.op, node.operands.map((operand) => numbers.get(operand)), node.attributes], (_, value) =>
          value instanceof Affine ? value.key : value,
        ),
      )
    expect(new Set(written).size).toBe(written.length)
  },
)
