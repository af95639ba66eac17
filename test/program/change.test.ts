import fc from "fast-check"
import { expect, test } from "vitest"
import { Affine } from "../../src/exponent/affine.js"
import { change } from "../../src/program/change.js"
import { type Changed, fromZero } from "../../src/program/changed.js"
import { type Dimension, dimension } from "../../src/program/dimension.js"
import { Node } from "../../src/program/node.js"
import type { Matrix } from "../../src/train/matrix.js"
import { normalBelow, normalBetween } from "../../src/train/normalDistribution.js"
import { gaussians } from "../../src/train/random.js"
import { evaluate } from "../../src/train/reference.js"

const [n, m, r] = ["n", "m", "r"].map((name) => dimension(name)) as [Dimension, Dimension, Dimension]
const sizes = { n: 4, m: 3, r: 2, one: 1 }

/** Leaves of every shape, of which some change. */
const SPACES = [n, m, r]
const leafOf = (name: string, rows: number, columns: number) =>
  Node.leaf(name, "frozen", [SPACES[rows]!, SPACES[columns]!])

/** A random forward pass: each instruction makes a tensor of two earlier ones. */
const instructions = fc.array(fc.record({ kind: fc.nat(15), x: fc.nat(), y: fc.nat() }), {
  minLength: 1,
  maxLength: 12,
})

function programOf(steps: readonly { kind: number; x: number; y: number }[]): {
  leaves: readonly Node[]
  output: Node
} {
  const leaves = SPACES.flatMap((_, i) =>
    SPACES.flatMap((_, j) => [leafOf(`x${i}${j}`, i, j), leafOf(`y${i}${j}`, i, j)]),
  )
  const tensors: Node[] = [...leaves]
  const isSame = (x: Node, y: Node) => x.shape[0] === y.shape[0] && x.shape[1] === y.shape[1]
  for (const { kind, x: first, y: second } of steps) {
    const x = tensors[first % tensors.length]!
    const partners = (fits: (y: Node) => boolean) => tensors.filter(fits)
    const one = (all: readonly Node[]) => all[second % all.length]!
    const made = [
      () => x.times(one(partners((y) => y.shape[0] === x.shape[1]))),
      () => x.plus(one(partners((y) => isSame(x, y)))),
      () => x.multiply(one(partners((y) => isSame(x, y)))),
      () => x.transpose(),
      () => x.scale({ constant: -1.5, power: Affine.ZERO }),
      () => x.activate("relu"),
      () => x.activate("tanh"),
      () => x.activate("silu"),
      () => x.activate("gelu"),
      () => x.softmax({ causal: x.shape[0] === x.shape[1] }),
      () => x.centre(),
      () => x.scaleColumns(x.columnDots(x).inverseRoot(0.1)),
      () => x.scaleColumns(x.columnDots(one(partners((y) => isSame(x, y))))),
      () => x.scaleColumns(x.logSumExp()),
      () => x.rotate(),
      () =>
        x.shape[0] === n
          ? x.rowPart({ index: 1, of: 2, space: r }).placeRows({ index: 0, of: 2, space: n })
          : x.placeRows({ index: 0, of: 1, space: x.shape[0] }),
    ][kind]!()
    tensors.push(made)
  }
  return { leaves, output: tensors.at(-1)! }
}

const frobenius = ({ data }: Matrix) => Math.hypot(...data)

test("on random programs the change is new minus old, and after is new", () => {
  fc.assert(
    fc.property(instructions, fc.nat(1000), fc.constantFrom(1, 1e-3), (steps, seed, size) => {
      const { leaves, output } = programOf(steps)
      const moves = new Map(
        leaves.filter((_, i) => i % 2 === 0).map((leaf, i) => [leaf, Node.leaf(`d${i}`, "frozen", leaf.shape)]),
      )
      const given = new Map(
        [...moves].map(([leaf, by]) => [leaf, (): Changed => ({ before: leaf, after: leaf.plus(by), change: by })]),
      )
      const { before, after, change: changed } = change([output], given).get(output)!
      const draw = (node: Node, name: string, deviation: number): [Node, Matrix] => {
        const [rows, columns] = [sizes[node.shape[0].name as "n"], sizes[node.shape[1].name as "n"]]
        return [node, { rows, columns, data: gaussians(seed, name, rows * columns, deviation) }]
      }
      const old = new Map(leaves.map((leaf, i) => draw(leaf, `leaf ${i}`, 1)))
      const by = new Map([...moves.values()].map((leaf, i) => draw(leaf, `move ${i}`, size)))
      const values = evaluate([before, after, changed], new Map([...old, ...by]), sizes, 1)
      const moved = new Map(
        [...old].map(([leaf, value]) => {
          const move = moves.get(leaf)
          const add = move && by.get(move)!.data
          return [leaf, { ...value, data: value.data.map((x, i) => x + (add?.[i] ?? 0)) }]
        }),
      )
      const [start, end] = [old, moved].map((at) => evaluate([output], at, sizes, 1).get(output)!)
      const scale = frobenius(start!) + frobenius(end!)
      const isNear = (x: Matrix, y: Float64Array) => {
        for (const [i, value] of x.data.entries()) expect(Math.abs(value - y[i]!)).toBeLessThanOrEqual(1e-11 * scale)
      }
      isNear(values.get(before)!, start!.data)
      isNear(values.get(after)!, end!.data)
      isNear(
        values.get(changed)!,
        end!.data.map((x, i) => x - start!.data[i]!),
      )
    }),
    { numRuns: 300 },
  )
})

test("a change far below the last digit of the tensor is exact, where new minus old is zero", () => {
  const [W, x] = [leafOf("W", 0, 0), leafOf("x", 0, 1)]
  const dx = Node.leaf("dx", "frozen", x.shape)
  const output = W.times(x).activate("tanh")
  const { change: changed } = change(
    [output],
    new Map([[x, () => ({ before: x, after: x.plus(dx), change: dx })]]),
  ).get(output)!
  const at = (node: Node, name: string, deviation: number): [Node, Matrix] => {
    const [rows, columns] = [sizes.n, node === W ? sizes.n : sizes.m]
    return [node, { rows, columns, data: gaussians(7, name, rows * columns, deviation) }]
  }
  const leaves = new Map([at(W, "W", 1), at(x, "x", 1), at(dx, "dx", 1e-25)])
  const exact = evaluate([changed], leaves, sizes, 1).get(changed)!
  // To first order the change is φ′(W x) (W dx), and the second order is 1e-25 of it.
  const first = W.times(dx).slope(W.times(x), "tanh")
  const linear = evaluate([first], leaves, sizes, 1).get(first)!
  for (const [i, value] of exact.data.entries()) expect(value / linear.data[i]!).toBeCloseTo(1, 9)
})

test("changes far below the last digit of a smooth operation are linear in what moves", () => {
  const x = leafOf("x", 0, 1)
  const forms: Readonly<Record<string, Node>> = {
    silu: x.activate("silu"),
    gelu: x.activate("gelu"),
    softmax: x.softmax({ causal: true }),
    norm: x.centre().scaleColumns(x.columnDots(x).inverseRoot(1e-6)),
    logSumExp: x.logSumExp(),
    shrunk: Node.of("inverseRootChange", [x.columnDots(x), x.columnDots(x)], { epsilon: 1 }),
  }
  for (const output of Object.values(forms)) {
    const [small, large] = [1e-25, 1e-9].map((size) => {
      const dx = Node.leaf("dx", "frozen", x.shape)
      const given = new Map([[x as Node, () => ({ before: x, after: x.plus(dx), change: dx })]])
      const { change: changed } = change([output], given).get(output)!
      const at = (node: Node, name: string, deviation: number): [Node, Matrix] => [
        node,
        { rows: 4, columns: 3, data: gaussians(7, name, 12, deviation) },
      ]
      const leaves = new Map([at(x, "x", 1), at(dx, "dx", size)])
      return evaluate([changed], leaves, sizes, 1)
        .get(changed)!
        .data.map((value) => value / size)
    })
    const most = Math.max(...large!.map(Math.abs))
    expect(most).toBeGreaterThan(1e-3)
    for (const [i, value] of small!.entries()) expect(Math.abs(value - large![i]!)).toBeLessThan(1e-7 * most)
  }
})

test("gelu's distribution function and its differences agree with each other and with known digits", () => {
  expect(normalBelow(1)).toBeCloseTo(0.841344746068543, 14)
  expect(normalBelow(-6) / 9.865876450376946e-10).toBeCloseTo(1, 12)
  fc.assert(
    fc.property(fc.double({ min: -6, max: 6, noNaN: true }), fc.double({ min: -3, max: 3, noNaN: true }), (at, by) => {
      expect(Math.abs(normalBetween(by, at) - (normalBelow(at + by) - normalBelow(at)))).toBeLessThan(1e-14)
    }),
  )
})

test("what was zero before is its own change, and asks a frozen matrix nothing else", () => {
  const [W, x] = [leafOf("W", 0, 0), leafOf("x", 0, 1)]
  const found = change([W.times(x)], new Map([[x, () => fromZero(x)]]))
  const { before, after, change: changed } = [...found.values()].at(-1)!
  expect(before.isZero).toBe(true)
  expect(after).toBe(changed)
})

test("operations of gradients and updates are refused by name where they depend on a change", () => {
  const x = leafOf("x", 0, 1)
  const given = new Map([[x as Node, () => fromZero(x)]])
  expect(() => change([x.sign()], given)).toThrow(/sign/)
  expect(() => change([x.slope(x, "relu")], given)).toThrow(/slope/)
})
