import { describe, expect, test } from "vitest"
import { dimension, SINGLE } from "../../../src/program/dimension.js"
import { Node } from "../../../src/program/node.js"

import { stepGraph } from "../../../src/train/graph/stepGraph.js"
import { sizeOf } from "../../../src/train/numbers.js"
import { gaussians } from "../../../src/train/random.js"
import { evaluate } from "../../../src/train/reference.js"
import { engineForTests } from "./engine.js"

const engine = await engineForTests()
const [rows, tokens, half] = [dimension("rows"), dimension("tokens"), dimension("half")]
const SIZES = { n: 1, rows: 8, tokens: 8, half: 4, one: 1 }
const leaf = (name: string, shape: Node["shape"] = [rows, tokens]) => Node.leaf(name, "frozen", shape)
const [x, at, row, short] = [leaf("x"), leaf("at"), leaf("row", [SINGLE, tokens]), leaf("short", [half, tokens])]
const epsilon = 1e-5

const part = (index: number) => ({ index, of: 2, space: half })
const whole = (index: number) => ({ index, of: 2, space: rows })

/** Each operation of transformers, and the tensors that it reads. */
const VALUES: Readonly<Record<string, Node>> = {
  columnDots: Node.of("columnDots", [x, at], {}),
  scaleColumns: Node.of("scaleColumns", [x, row], {}),
  centre: Node.of("centre", [x], {}),
  inverseRoot: Node.of("inverseRoot", [x.multiply(x)], { epsilon }),
  softmax: Node.of("softmax", [x], { causal: false }),
  "causal softmax": Node.of("softmax", [x], { causal: true }),
  softmaxSlope: Node.of("softmaxSlope", [x, at], { causal: false }),
  "causal softmaxSlope": Node.of("softmaxSlope", [x, at], { causal: true }),
  logSumExp: Node.of("logSumExp", [x], {}),
  "first rowPart": Node.of("rowPart", [x], part(0)),
  "second rowPart": Node.of("rowPart", [x], part(1)),
  "first placeRows": Node.of("placeRows", [short], whole(0)),
  "second placeRows": Node.of("placeRows", [short], whole(1)),
  rotate: x.rotate(),
  "rotate back": x.rotate({ back: true, base: 500 }),
  ...Object.fromEntries(
    (["relu", "tanh", "silu", "gelu"] as const).flatMap((by) => [
      [by, x.activate(by)],
      [`slope of ${by}`, x.slope(at, by)],
    ]),
  ),
}

/** Exact changes, whose first operand may be small. */
const CHANGES: Readonly<Record<string, Node>> = {
  inverseRootChange: Node.of("inverseRootChange", [x, at.multiply(at)], { epsilon }),
  softmaxChange: Node.of("softmaxChange", [x, at], { causal: false }),
  "causal softmaxChange": Node.of("softmaxChange", [x, at], { causal: true }),
  logSumExpChange: Node.of("logSumExpChange", [x, at], {}),
  ...Object.fromEntries(
    (["relu", "tanh", "silu", "gelu"] as const).map((by) => [`change of ${by}`, x.activationChange(at, by)]),
  ),
}

/** The largest difference from the reference interpreter, over the largest entry. */
async function difference(node: Node, size: number): Promise<number> {
  const leaves = [x, at, row, short]
  const values = new Map(
    leaves.map((each, i) => {
      const [r, c] = each.shape.map((space) => sizeOf(space, SIZES)) as [number, number]
      const data = gaussians(7, `${i}`, r * c, each === x ? size : 1).map(Math.fround)
      return [each, { rows: r, columns: c, data: node === CHANGES.inverseRootChange ? data.map(Math.abs) : data }]
    }),
  )
  const exact = evaluate([node], values, SIZES, 1).get(node)!.data
  const graph = stepGraph({ leaves, next: new Map(), values: [node], squares: [], byRows: new Set(leaves) })
  const session = await engine!.session(graph.model)
  const feeds = [...values].map(([each, { rows, columns, data }]) => [
    graph.leaves.get(each)!,
    engine!.tensor(Float32Array.from(data), [1, rows, columns]),
  ])
  const found = (await session.run(Object.fromEntries(feeds)))[graph.values[0]!]!.data as Float32Array
  expect(found.length).toBe(exact.length)
  const largest = (of: Float64Array) => of.reduce((most, value) => Math.max(most, Math.abs(value)), 0)
  return largest(exact.map((value, i) => value - found[i]!)) / largest(exact)
}

/** About thirty roundings of float32. */
const CLOSE = 2e-6

describe.skipIf(engine === null)("operations of transformers as graphs are those of the reference interpreter", () => {
  test.each(Object.keys(VALUES))("%s", async (name) => {
    for (const size of [1, 5]) expect(await difference(VALUES[name]!, size)).toBeLessThan(CLOSE)
  })

  // A difference of two values in float32 would be off by a tenth and more.
  test.each(Object.keys(CHANGES))("%s, also where it is small", async (name) => {
    for (const size of [3, 1, 1e-2, 1e-6]) expect(await difference(CHANGES[name]!, size), `${size}`).toBeLessThan(CLOSE)
  })
})
