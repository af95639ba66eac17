/**
 * A program's values with a bound on what float32 may make of them: every node carries a radius within which any
 * evaluation lies that rounds each product, sum, root, quotient and constant once, sums being taken in any order, fused or
 * not (the standard model; Higham, Accuracy and Stability of Numerical Algorithms, sections 2.2, 3.1 and 3.3).
 */
import { inOrder, type Node } from "../../../src/program/node.js"
import { coefficientValue, type Sizes } from "../../../src/train/reference.js"

/** A row-major matrix of values, each with the radius of its error. */
export interface Bounded {
  readonly rows: number
  readonly columns: number
  readonly value: Float64Array
  readonly radius: Float64Array
}

/** Half the spacing of float32 numbers at 1. */
const UNIT = 2 ** -24

/** γ_k: k roundings in a row change a number by at most this part of it. */
export const gamma = (k: number) => (k * UNIT) / (1 - k * UNIT)

/** A matrix given in float64 that is rounded to float32. */
export function given(rows: number, columns: number, value: Float64Array): Bounded {
  return { rows, columns, value, radius: value.map((x) => (Math.fround(x) === x ? 0 : Math.abs(x) * UNIT)) }
}

/**
 * The values and radii of the nodes at step t.
 *
 * @param quotient how often x / (√y + ε) is rounded: 4 times where root, sum and quotient are rounded once.
 */
export function evaluateBounded(
  nodes: readonly Node[],
  leaves: ReadonlyMap<Node, Bounded>,
  sizes: Sizes,
  t: number,
  quotient = 4,
): Map<Node, Bounded> {
  const known = new Map(leaves)
  const at = (node: Node) => known.get(node)!
  for (const node of inOrder(nodes)) if (!known.has(node)) known.set(node, bounded(node, at, sizes, t, quotient))
  return known
}

function bounded(node: Node, at: (node: Node) => Bounded, sizes: Sizes, t: number, quotient: number): Bounded {
  const { operation } = node
  const shape = { rows: sizes[node.shape[0]], columns: sizes[node.shape[1]] }
  const entries = (f: (i: number) => readonly [number, number]): Bounded => {
    const [value, radius] = [new Float64Array(shape.rows * shape.columns), new Float64Array(shape.rows * shape.columns)]
    for (let i = 0; i < value.length; i++) [value[i], radius[i]] = f(i) as [number, number]
    return { ...shape, value, radius }
  }
  /** A result that is rounded `count` times on top of the error that came in. */
  const round = (value: number, radius: number, count: number) =>
    [value, radius + gamma(count) * (Math.abs(value) + radius)] as const
  switch (operation.op) {
    case "one":
      return entries(() => [1, 0])
    case "zero":
      return entries(() => [0, 0])
    case "transpose": {
      const x = at(operation.of)
      return entries((i) => {
        const from = (i % shape.columns) * x.columns + Math.floor(i / shape.columns)
        return [x.value[from]!, x.radius[from]!]
      })
    }
    case "matmul": {
      const [x, y] = [at(operation.left), at(operation.right)]
      return entries((i) => {
        const [row, column] = [Math.floor(i / shape.columns), i % shape.columns]
        let [value, radius, size] = [0, 0, 0]
        for (let k = 0; k < x.columns; k++) {
          const [p, q] = [row * x.columns + k, k * y.columns + column]
          const most = (Math.abs(x.value[p]!) + x.radius[p]!) * (Math.abs(y.value[q]!) + y.radius[q]!)
          value += x.value[p]! * y.value[q]!
          radius += most - Math.abs(x.value[p]! * y.value[q]!)
          size += most
        }
        return [value, radius + gamma(x.columns) * size]
      })
    }
    case "add": {
      const [x, y] = [at(operation.left), at(operation.right)]
      return entries((i) => round(x.value[i]! + y.value[i]!, x.radius[i]! + y.radius[i]!, 1))
    }
    case "multiply": {
      const [x, y] = [at(operation.left), at(operation.right)]
      return entries((i) => {
        const value = x.value[i]! * y.value[i]!
        const most = (Math.abs(x.value[i]!) + x.radius[i]!) * (Math.abs(y.value[i]!) + y.radius[i]!)
        return round(value, most - Math.abs(value), 1)
      })
    }
    case "scale": {
      const [x, factor] = [at(operation.of), coefficientValue(operation.by, sizes.n, t)]
      return entries((i) => round(factor * x.value[i]!, Math.abs(factor) * x.radius[i]!, 2))
    }
    case "sign": {
      const x = at(operation.of)
      // Where the argument may have either sign, so may the result.
      return entries((i) => [Math.sign(x.value[i]!), Math.abs(x.value[i]!) > x.radius[i]! || x.radius[i] === 0 ? 0 : 2])
    }
    case "activate": {
      const x = at(operation.of)
      return entries((i) => [Math.max(0, x.value[i]!), x.radius[i]!])
    }
    case "slope": {
      // Where the argument may have either sign, so may the slope be 0 or 1.
      const [x, where] = [at(operation.of), at(operation.at)]
      return entries((i) => {
        const [value, radius] = [where.value[i]! > 0 ? x.value[i]! : 0, x.radius[i]!]
        if (Math.abs(where.value[i]!) <= where.radius[i]!) return [value, Math.abs(x.value[i]!) + radius]
        return [value, where.value[i]! > 0 ? radius : 0]
      })
    }
    case "rootRatio": {
      const [x, y] = [at(operation.of), at(operation.over)]
      const { constant, power } = operation.epsilon
      const epsilon = constant * (power === null ? 1 : sizes.n ** power.constant.valueOf())
      return entries((i) => {
        const value = x.value[i]! / (Math.sqrt(y.value[i]!) + epsilon)
        const [least, greatest] = [-1, 1].map((side) => Math.sqrt(Math.max(0, y.value[i]! + side * y.radius[i]!)))
        const ends = [-1, 1].flatMap((side) =>
          [least!, greatest!].map((root) => (x.value[i]! + side * x.radius[i]!) / (root + epsilon)),
        )
        const radius = Math.max(...ends.map((end) => Math.abs(end - value)))
        return round(value, radius, quotient)
      })
    }
    default:
      throw new Error(`${operation.op} has no bound here`)
  }
}
