import fc from "fast-check"
import { expect, test } from "vitest"
import { Affine } from "../../src/exponent/affine.js"
import { change } from "../../src/program/change.js"
import { type Changed, fromZero } from "../../src/program/changed.js"
import { type Dimension, dimension } from "../../src/program/dimension.js"
import { Node } from "../../src/program/node.js"
import type { Matrix } from "../../src/train/matrix.js"
import { gaussians } from "../../src/train/random.js"
import { evaluate } from "../../src/train/reference.js"

const [n, m, r] = ["n", "m", "r"].map((name) => dimension(name)) as [Dimension, Dimension, Dimension]
const sizes = { n: 4, m: 3, r: 2, one: 1 }

/** Leaves of every shape, of which some change. */
const SPACES = [n, m, r]
const leafOf = (name: string, rows: number, columns: number) =>
  Node.leaf(name, "frozen", [SPACES[rows]!, SPACES[columns]!])

/** A random forward pass: each instruction makes a tensor of two earlier ones. */
const instructions = fc.array(fc.record({ kind: fc.nat(6), x: fc.nat(), y: fc.nat() }), { minLength: 1, maxLength: 12 })

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
