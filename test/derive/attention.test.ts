/** The rules of softmax, norms and means beside numbers: how sizes move with n where the operands' are n^a. */
import { expect, test } from "vitest"
import { Cell } from "../../src/derive/cell.js"
import { Graded } from "../../src/derive/graded.js"
import { readNode } from "../../src/derive/read.js"
import { lead, sizeOf } from "../../src/derive/size.js"
import { Affine } from "../../src/exponent/affine.js"
import { dimension, SINGLE } from "../../src/program/dimension.js"
import { Node } from "../../src/program/node.js"
import { gaussians } from "../../src/train/random.js"
import { evaluate } from "../../src/train/reference.js"

/** A fixed number of tokens. */
const TOKENS = 4
const tokens = dimension("tokens")
const scores = Node.leaf("scores", "frozen", [tokens, tokens])
const change = Node.leaf("change", "frozen", [tokens, tokens])
const mask = { causal: false }

const size = (exponent: number) => Graded.even(sizeOf(Affine.constant(exponent)))

/** The exponent that the rule gives for operands of the given exponents, and whether it is a bound only. */
function ruled(node: Node, exponents: readonly number[]) {
  const cell = new Cell(new Map())
  const reading = { cell, alignments: [], sizeOnly: new Set<Node>(), applications: new Map(), growths: new Map() }
  const found = readNode(
    node,
    exponents.map((exponent) => size(exponent)),
    { ...reading, assume: () => {} },
  ).size(cell)!
  return { exponent: lead(found).constant.valueOf(), relation: found.relation }
}

/** The slope of log root mean square between two widths, over many draws of operands of size n^a. */
function measured(node: Node, exponents: readonly number[], isPositive = false): number {
  const [narrow, wide] = [2 ** 16, 2 ** 32]
  const rms = (n: number) => {
    let sum = 0
    for (let seed = 0; seed < DRAWS; seed++) {
      const leaves = new Map(
        node.operands.map((operand, i) => {
          const data = gaussians(seed, String(i), TOKENS * TOKENS, 1).map(
            (value) => n ** exponents[i]! * (isPositive ? 1 + Math.abs(value) : value),
          )
          return [operand, { rows: TOKENS, columns: TOKENS, data }] as const
        }),
      )
      const { data } = evaluate([node], leaves, { n, tokens: TOKENS, one: 1 }, 1).get(node)!
      sum += data.reduce((total, x) => total + x * x, 0) / data.length
    }
    return Math.sqrt(sum / DRAWS)
  }
  return Math.log(rms(wide) / rms(narrow)) / Math.log(wide / narrow)
}
const DRAWS = 200

const SOFTMAX = Node.of("softmax", [scores], mask)
const SLOPE = Node.of("softmaxSlope", [change, scores], mask)
const CHANGE = Node.of("softmaxChange", [change, scores], mask)
const SUM = Node.of("logSumExp", [scores], {})
const SUM_CHANGE = Node.of("logSumExpChange", [change, scores], {})

test.each([
  ["weights of scores", SOFTMAX, [-1 / 2]],
  ["weights of scores", SOFTMAX, [0]],
  ["weights of scores", SOFTMAX, [1 / 2]],
  ["their derivative", SLOPE, [-1, 0]],
  ["their derivative", SLOPE, [1 / 2, -1 / 2]],
  ["a small change", CHANGE, [-1, 0]],
  ["a small change", CHANGE, [-1 / 2, -1 / 2]],
  ["a change of size 1", CHANGE, [0, 0]],
  ["a large change", CHANGE, [1 / 2, 0]],
  ["a large change", CHANGE, [1 / 2, -1 / 2]],
  ["ln of the sum", SUM, [1 / 2]],
  ["ln of the sum", SUM, [-1 / 2]],
  ["its change", SUM_CHANGE, [-1 / 2, 0]],
  ["its change", SUM_CHANGE, [1 / 2, 0]],
] as const)("$0, operands n^($2), is as ruled", (_, node, exponents) => {
  const { exponent, relation } = ruled(node, exponents)
  expect(relation).toBe("equal")
  expect(measured(node, exponents)).toBeCloseTo(exponent, 1)
})

test.each([
  ["the derivative", SLOPE, [-1 / 2, 1 / 2]],
  ["a change", CHANGE, [-1 / 2, 1 / 2]],
  ["a change", CHANGE, [1 / 2, 1 / 2]],
] as const)("$0 where the scores outgrow 1 is a bound: operands n^($2)", (_, node, exponents) => {
  const { exponent, relation } = ruled(node, exponents)
  expect(relation).toBe("atMost")
  expect(measured(node, exponents)).toBeLessThan(exponent + 0.05)
})

const root = (epsilon: number) => Node.of("inverseRoot", [scores], { epsilon })
const rootChange = (epsilon: number) => Node.of("inverseRootChange", [change, scores], { epsilon })

test.each([
  ["1 / √x", root(0), [1]],
  ["1 / √x", root(0), [-1]],
  ["1 / √(x + ε)", root(1e-6), [1]],
  ["1 / √(x + ε), ε above x", root(1), [-1]],
  ["a small change of it", rootChange(0), [-1, 0]],
  ["a small change of it", rootChange(0), [1 / 2, 1]],
  ["a large change of it", rootChange(0), [1, 0]],
] as const)("$0, operands n^($2), is as ruled", (_, node, exponents) => {
  const { exponent, relation } = ruled(node, exponents)
  expect(relation).toBe("equal")
  expect(measured(node, exponents, true)).toBeCloseTo(exponent, 1)
})

test("a softmax over an index that grows is refused by name", () => {
  const long = Node.leaf("long", "frozen", [dimension("n", Affine.constant(1)), SINGLE])
  expect(() => ruled(Node.of("softmax", [long], mask), [0])).toThrow("softmax")
})
