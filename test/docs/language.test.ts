/** The examples of docs/language.md: each operation in numbers and in exponents, by hand, and as the page says. */
import { readFileSync } from "node:fs"
import { expect, test } from "vitest"
import { Cell } from "../../src/derive/cell.js"
import type { Graded } from "../../src/derive/graded.js"
import { randomTensor, readNode } from "../../src/derive/read.js"
import { lead } from "../../src/derive/size.js"
import { Affine } from "../../src/exponent/affine.js"
import { formatAffine } from "../../src/exponent/grammar.js"
import { type Dimension, dimension, SINGLE } from "../../src/program/dimension.js"
import { inOrder, Node } from "../../src/program/node.js"
import { OPERATIONS } from "../../src/program/operations/table.js"
import type { Matrix } from "../../src/train/matrix.js"
import { evaluate } from "../../src/train/reference.js"

const page = readFileSync("docs/language.md", "utf8")

/** m rows that grow with n, halves of them, t tokens, single ones; in numbers n = 4. */
const m = dimension("m", Affine.constant(1))
const half = dimension("half", Affine.constant(1))
const t = dimension("t")
const SIZES = { n: 4, m: 2, half: 1, t: 2, one: 1 }

type Rows = readonly (readonly number[])[]
type Space = readonly [Dimension, Dimension]

/** An operation as it is called, its operands' values and exponents, and what comes out. */
interface Example {
  readonly call: string
  readonly node: (x: Node, y: Node) => Node
  readonly spaces: readonly Space[]
  readonly values: readonly Rows[]
  readonly gives: Rows
  readonly sizes: readonly string[]
  readonly exponent: string
}

const vector: Space = [m, SINGLE]
const tokens: Space = [m, t]
const weights: Space = [t, SINGLE]
const scalar: Space = [SINGLE, SINGLE]
const by = (constant: number, power: string) => ({ constant, power: Affine.constant(power) })
const column = (...entries: number[]): Rows => entries.map((entry) => [entry])

const EXAMPLES: readonly Example[] = [
  {
    call: "x.transpose().times(y)",
    node: (x, y) => x.transpose().times(y),
    spaces: [vector, vector],
    values: [column(1, 2), column(3, 4)],
    gives: [[11]],
    sizes: ["0", "0"],
    exponent: "1/2",
  },
  {
    call: "x.transpose().times(x)",
    node: (x) => x.transpose().times(x),
    spaces: [vector],
    values: [column(1, 2)],
    gives: [[5]],
    sizes: ["0"],
    exponent: "1",
  },
  {
    call: "x.transpose()",
    node: (x) => x.transpose(),
    spaces: [vector],
    values: [column(1, 2)],
    gives: [[1, 2]],
    sizes: ["1/2"],
    exponent: "1/2",
  },
  {
    call: "x.plus(y)",
    node: (x, y) => x.plus(y),
    spaces: [vector, vector],
    values: [column(1, 2), column(3, 4)],
    gives: column(4, 6),
    sizes: ["0", "-1/2"],
    exponent: "0",
  },
  {
    call: "x.multiply(y)",
    node: (x, y) => x.multiply(y),
    spaces: [vector, vector],
    values: [column(1, 2), column(3, 4)],
    gives: column(3, 8),
    sizes: ["-1/2", "-1/2"],
    exponent: "-1",
  },
  {
    call: "x.scale({ constant: 3, power: −1/2 })",
    node: (x) => x.scale(by(3, "-1/2")),
    spaces: [vector],
    values: [column(1, 2)],
    gives: column(1.5, 3),
    sizes: ["1/2"],
    exponent: "0",
  },
  {
    call: "x.detach()",
    node: (x) => x.detach(),
    spaces: [vector],
    values: [column(1, 2)],
    gives: column(1, 2),
    sizes: ["1/2"],
    exponent: "1/2",
  },
  {
    call: 'x.activate("relu")',
    node: (x) => x.activate("relu"),
    spaces: [vector],
    values: [column(-2, 3)],
    gives: column(0, 3),
    sizes: ["1/2"],
    exponent: "1/2",
  },
  {
    call: 'x.activate("tanh")',
    node: (x) => x.activate("tanh"),
    spaces: [vector],
    values: [column(0, 0.5493)],
    gives: column(0, 0.5),
    sizes: ["1/2"],
    exponent: "0",
  },
  {
    call: 'x.activate("silu")',
    node: (x) => x.activate("silu"),
    spaces: [vector],
    values: [column(0, 1.0986)],
    gives: column(0, 0.8239),
    sizes: ["-1/2"],
    exponent: "-1/2",
  },
  {
    call: 'x.activate("gelu")',
    node: (x) => x.activate("gelu"),
    spaces: [vector],
    values: [column(0, 1)],
    gives: column(0, 0.8413),
    sizes: ["1/2"],
    exponent: "1/2",
  },
  {
    call: "x.columnDots(y)",
    node: (x, y) => x.columnDots(y),
    spaces: [tokens, tokens],
    values: [
      [
        [1, 2],
        [3, 4],
      ],
      [
        [5, 0],
        [0, 6],
      ],
    ],
    gives: [[5, 24]],
    sizes: ["0", "0"],
    exponent: "1/2",
  },
  {
    call: "x.scaleColumns(y)",
    node: (x, y) => x.scaleColumns(y),
    spaces: [tokens, [SINGLE, t]],
    values: [
      [
        [1, 2],
        [3, 4],
      ],
      [[10, 100]],
    ],
    gives: [
      [10, 200],
      [30, 400],
    ],
    sizes: ["0", "1/2"],
    exponent: "1/2",
  },
  {
    call: "x.centre()",
    node: (x) => x.centre(),
    spaces: [vector],
    values: [column(1, 3)],
    gives: column(-1, 1),
    sizes: ["1/2"],
    exponent: "1/2",
  },
  {
    call: "x.inverseRoot(0)",
    node: (x) => x.inverseRoot(0),
    spaces: [vector],
    values: [column(4, 0.25)],
    gives: column(0.5, 2),
    sizes: ["1"],
    exponent: "-1/2",
  },
  {
    call: "x.inverseRoot(1e-6)",
    node: (x) => x.inverseRoot(1e-6),
    spaces: [vector],
    values: [column(4, 0.25)],
    gives: column(0.5, 2),
    sizes: ["-1"],
    exponent: "0",
  },
  {
    call: "x.softmax({ causal: false })",
    node: (x) => x.softmax({ causal: false }),
    spaces: [weights],
    values: [column(0, 1.0986)],
    gives: column(0.25, 0.75),
    sizes: ["1/2"],
    exponent: "0",
  },
  {
    call: "x.logSumExp()",
    node: (x) => x.logSumExp(),
    spaces: [weights],
    values: [column(0, 1.0986)],
    gives: [[1.3863]],
    sizes: ["1/2"],
    exponent: "1/2",
  },
  {
    call: "x.rowPart({ index: 1, of: 2 })",
    node: (x) => x.rowPart({ index: 1, of: 2, space: half }),
    spaces: [vector],
    values: [column(1, 2)],
    gives: column(2),
    sizes: ["1/2"],
    exponent: "1/2",
  },
  {
    call: "x.placeRows({ index: 0, of: 2 })",
    node: (x) => x.placeRows({ index: 0, of: 2, space: m }),
    spaces: [[half, SINGLE]],
    values: [column(2)],
    gives: column(2, 0),
    sizes: ["1/2"],
    exponent: "1/2",
  },
  {
    call: "x.rotate()",
    node: (x) => x.rotate(),
    spaces: [tokens],
    values: [
      [
        [1, 1],
        [0, 0],
      ],
    ],
    gives: [
      [1, 0.5403],
      [0, 0.8415],
    ],
    sizes: ["1/2"],
    exponent: "1/2",
  },
  {
    call: "x.sign()",
    node: (x) => x.sign(),
    spaces: [vector],
    values: [column(-2, 3)],
    gives: column(-1, 1),
    sizes: ["-1/2"],
    exponent: "0",
  },
  {
    call: "x.rootRatio(y, ε)",
    node: (x, y) => x.rootRatio(y, { constant: 0, power: null }),
    spaces: [vector, vector],
    values: [column(3, -1), column(9, 4)],
    gives: column(1, -0.5),
    sizes: ["-1/2", "-1"],
    exponent: "0",
  },
  {
    call: "x.orthogonalise()",
    node: (x) => x.orthogonalise(),
    spaces: [vector],
    values: [column(3, 4)],
    gives: column(0.6, 0.8),
    sizes: ["1"],
    exponent: "-1/2",
  },
  {
    call: "x.precondition(y, 1, δ)",
    node: (x, y) => x.precondition(y, 1, { constant: 0, power: null }),
    spaces: [weights, [t, t]],
    values: [
      column(2, 6),
      [
        [2, 0],
        [0, 3],
      ],
    ],
    gives: column(1, 2),
    sizes: ["-1/2", "1"],
    exponent: "-3/2",
  },
  {
    call: "Node.norm([x])",
    node: (x) => Node.norm([x]),
    spaces: [vector],
    values: [column(3, 4)],
    gives: [[5]],
    sizes: ["0"],
    exponent: "1/2",
  },
  {
    call: "x.clip(y, { constant: 1, power: 0 })",
    node: (x, y) => x.clip(y, by(1, "0")),
    spaces: [vector, scalar],
    values: [column(3, 4), [[5]]],
    gives: column(0.6, 0.8),
    sizes: ["0", "1/2"],
    exponent: "-1/2",
  },
  {
    call: 'x.slope(y, "relu")',
    node: (x, y) => x.slope(y, "relu"),
    spaces: [vector, vector],
    values: [column(5, 6), column(-1, 1)],
    gives: column(0, 6),
    sizes: ["-1/2", "0"],
    exponent: "-1/2",
  },
  {
    call: 'x.activationChange(y, "relu")',
    node: (x, y) => x.activationChange(y, "relu"),
    spaces: [vector, vector],
    values: [column(2, 1), column(-1, 1)],
    gives: column(1, 1),
    sizes: ["-1/2", "0"],
    exponent: "-1/2",
  },
  {
    call: "inverseRootChange(x, y), ε = 0",
    node: (x, y) => Node.of("inverseRootChange", [x, y], { epsilon: 0 }),
    spaces: [vector, vector],
    values: [column(-3, 5), column(4, 4)],
    gives: column(0.5, -0.1667),
    sizes: ["-1/2", "0"],
    exponent: "-1/2",
  },
  {
    call: "softmaxSlope(x, y)",
    node: (x, y) => Node.of("softmaxSlope", [x, y], { causal: false }),
    spaces: [weights, weights],
    values: [column(1, 0), column(0, 0)],
    gives: column(0.25, -0.25),
    sizes: ["-1/2", "0"],
    exponent: "-1/2",
  },
  {
    call: "softmaxChange(x, y)",
    node: (x, y) => Node.of("softmaxChange", [x, y], { causal: false }),
    spaces: [weights, weights],
    values: [column(1.0986, 0), column(0, 0)],
    gives: column(0.25, -0.25),
    sizes: ["1/2", "0"],
    exponent: "0",
  },
  {
    call: "logSumExpChange(x, y)",
    node: (x, y) => Node.of("logSumExpChange", [x, y], {}),
    spaces: [weights, weights],
    values: [column(1.0986, 1.0986), column(0, 0)],
    gives: [[1.0986]],
    sizes: ["-1/2", "0"],
    exponent: "-1/2",
  },
]

const NAMES = ["x", "y"] as const
const leavesOf = ({ spaces }: Example) => spaces.map((space, i) => Node.leaf(NAMES[i]!, "frozen", space))
const nodeOf = ({ node }: Example, [x, y]: readonly Node[]) => node(x!, y ?? x!)
const matrix = (rows: Rows): Matrix => ({
  rows: rows.length,
  columns: rows[0]!.length,
  data: Float64Array.from(rows.flat()),
})

function exponentOf(example: Example): string {
  const cell = new Cell(new Map())
  const leaves = leavesOf(example)
  const node = nodeOf(example, leaves)
  const values = new Map<Node, Graded>(
    leaves.map((leaf, i) => [leaf, randomTensor(leaf, Affine.constant(example.sizes[i]!), cell)]),
  )
  const reading = {
    cell,
    alignments: [],
    sizeOnly: new Set<Node>(),
    applications: new Map(),
    growths: new Map(),
    assume: () => {},
  }
  for (const each of inOrder([node], values))
    values.set(
      each,
      readNode(
        each,
        each.operands.map((operand) => values.get(operand)!),
        reading,
      ),
    )
  return formatAffine(lead(values.get(node)!.size(cell)!))
}

const shown = (rows: Rows) =>
  rows.length === 1 && rows[0]!.length === 1
    ? String(rows[0]![0])
    : `[${rows.map((row) => row.join(", ")).join("; ")}]`.replaceAll("-", "−")
const power = (exponent: string) => (exponent.length > 1 ? `n^(${exponent.replace("-", "−")})` : `n^${exponent}`)
const given = (example: Example, text: (i: number) => string) =>
  example.spaces.map((_, i) => `${NAMES[i]} ${text(i)}`).join(", ")

/** An example as its row of the page. */
function rowOf(example: Example): string {
  const numbers = `${given(example, (i) => `= ${shown(example.values[i]!)}`)}: ${shown(example.gives)}`
  const exponents = `${given(example, (i) => power(example.sizes[i]!))}: ${power(example.exponent)}`
  return [`| \`${example.call}\``, numbers, `${exponents} |`].join(" | ")
}

test.each(EXAMPLES.map((example) => [example.call, example] as const))("%s", (_, example) => {
  const leaves = leavesOf(example)
  const node = nodeOf(example, leaves)
  const values = new Map(leaves.map((leaf, i) => [leaf, matrix(example.values[i]!)]))
  const { data } = evaluate([node], values, SIZES, 1).get(node)!
  expect([...data].map((value) => Number(value.toFixed(4)) + 0)).toEqual(example.gives.flat())
  expect(exponentOf(example)).toBe(example.exponent)
  expect(page.replace(/ +\|/g, " |").split("\n")).toContain(rowOf(example))
})

test("every operation has an example", () => {
  const used = new Set(EXAMPLES.flatMap((example) => inOrder([nodeOf(example, leavesOf(example))]).map(({ op }) => op)))
  // What is given has no reading of its own.
  for (const op of ["leaf", "one", "zero"] as const) used.add(op)
  expect(Object.keys(OPERATIONS).filter((op) => !used.has(op as keyof typeof OPERATIONS))).toEqual([])
})
