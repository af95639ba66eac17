/**
 * A program's values with a bound on what float32 may make of them: every node carries a radius within which any
 * evaluation lies that rounds each product, sum, root, quotient and constant once, sums being taken in any order, fused
 * or not (the standard model; Higham, Accuracy and Stability of Numerical Algorithms, sections 2.2, 3.1 and 3.3).
 */
import { inOrder, lookUp, type Node, type NodeTable } from "../../../src/program/node.js"
import { coefficientValue, epsilonValue, type SpaceSizes, shapeOf } from "../../../src/train/numbers.js"

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
  sizes: SpaceSizes,
  t: number,
  quotient = 4,
): Map<Node, Bounded> {
  const known = new Map(leaves)
  const at = (node: Node) => known.get(node)!
  for (const node of inOrder(nodes, leaves)) {
    const [rows, columns] = shapeOf(node, sizes)
    const bounded = lookUp(BOUNDS, node, { at, rows, columns, sizes, t, quotient })
    // 0/0, 0·∞ and ∞ − ∞ come of bounds that are infinite: nothing is known of such an entry.
    known.set(node, { ...bounded, radius: bounded.radius.map((r) => (Number.isNaN(r) ? Number.POSITIVE_INFINITY : r)) })
  }
  return known
}

interface Context {
  readonly at: (node: Node) => Bounded
  readonly rows: number
  readonly columns: number
  readonly sizes: SpaceSizes
  readonly t: number
  readonly quotient: number
}

function entries({ rows, columns }: Context, f: (i: number) => readonly [number, number]): Bounded {
  const [value, radius] = [new Float64Array(rows * columns), new Float64Array(rows * columns)]
  for (let i = 0; i < value.length; i++) [value[i], radius[i]] = f(i) as [number, number]
  return { rows, columns, value, radius }
}

/** A result that is rounded `count` times on top of the error that came in. */
function round(value: number, radius: number, count: number): readonly [number, number] {
  return [value, radius + gamma(count) * (Math.abs(value) + radius)]
}

const unbounded = ({ op }: Node): Bounded => {
  throw new Error(`${op} has no bound here`)
}

/** A number and the radius of its error. */
type Interval = readonly [value: number, radius: number]

/** How often tanh is rounded: within six units in the last place (test/train/graph/program.test.ts measures it). */
const TANH = 12

/** A sum, its root and a quotient. */
const ROOT = 3

const tanh = ([value, radius]: Interval): Interval => round(Math.tanh(value), radius, TANH)

const times = ([x, p]: Interval, [y, q]: Interval): Interval =>
  round(x * y, (Math.abs(x) + p) * (Math.abs(y) + q) - Math.abs(x * y), 1)

const oneLess = ([x, p]: Interval): Interval => round(1 - x, p, 1)

/** Every operation's value with its radius. */
const BOUNDS: NodeTable<[context: Context], Bounded> = {
  leaf: unbounded,
  one: (_, context) => entries(context, () => [1, 0]),
  zero: (_, context) => entries(context, () => [0, 0]),
  transpose: ({ operands }, context) => {
    const x = context.at(operands[0]!)
    return entries(context, (i) => {
      const from = (i % context.columns) * x.columns + Math.floor(i / context.columns)
      return [x.value[from]!, x.radius[from]!]
    })
  },
  matmul: ({ operands }, context) => {
    const [x, y] = operands.map(context.at) as [Bounded, Bounded]
    return entries(context, (i) => {
      const [row, column] = [Math.floor(i / context.columns), i % context.columns]
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
  },
  add: ({ operands }, context) => {
    const [x, y] = operands.map(context.at) as [Bounded, Bounded]
    return entries(context, (i) => round(x.value[i]! + y.value[i]!, x.radius[i]! + y.radius[i]!, 1))
  },
  multiply: ({ operands }, context) => {
    const [x, y] = operands.map(context.at) as [Bounded, Bounded]
    return entries(context, (i) => {
      const value = x.value[i]! * y.value[i]!
      const most = (Math.abs(x.value[i]!) + x.radius[i]!) * (Math.abs(y.value[i]!) + y.radius[i]!)
      return round(value, most - Math.abs(value), 1)
    })
  },
  scale: ({ operands, attributes: { by } }, context) => {
    const [x, factor] = [context.at(operands[0]!), coefficientValue(by, context.sizes.n, context.t)]
    return entries(context, (i) => round(factor * x.value[i]!, Math.abs(factor) * x.radius[i]!, 2))
  },
  sign: ({ operands }, context) => {
    const x = context.at(operands[0]!)
    // Where the argument may have either sign, so may the result.
    return entries(context, (i) => [
      Math.sign(x.value[i]!),
      Math.abs(x.value[i]!) > x.radius[i]! || x.radius[i] === 0 ? 0 : 2,
    ])
  },
  activate: ({ operands, attributes: { by } }, context) => {
    const x = context.at(operands[0]!)
    if (by === "tanh") return entries(context, (i) => tanh([x.value[i]!, x.radius[i]!]))
    return entries(context, (i) => [Math.max(0, x.value[i]!), x.radius[i]!])
  },
  slope: ({ operands, attributes: { by } }, context) => {
    const [x, where] = operands.map(context.at) as [Bounded, Bounded]
    if (by === "tanh")
      return entries(context, (i) => {
        const y = tanh([where.value[i]!, where.radius[i]!])
        return times([x.value[i]!, x.radius[i]!], oneLess(times(y, y)))
      })
    // Where the argument may have either sign, so may the slope be 0 or 1.
    return entries(context, (i) => {
      const [value, radius] = [where.value[i]! > 0 ? x.value[i]! : 0, x.radius[i]!]
      if (Math.abs(where.value[i]!) <= where.radius[i]!) return [value, Math.abs(x.value[i]!) + radius]
      return [value, where.value[i]! > 0 ? radius : 0]
    })
  },
  activationChange: ({ operands, attributes: { by } }, context) => {
    const [x, at] = operands.map(context.at) as [Bounded, Bounded]
    if (by === "tanh")
      return entries(context, (i) => {
        const [change, from] = [[x.value[i]!, x.radius[i]!] as const, [at.value[i]!, at.radius[i]!] as const]
        const after = tanh(round(change[0] + from[0], change[1] + from[1], 1))
        return times(tanh(change), oneLess(times(after, tanh(from))))
      })
    // Between max(0, at + x) − max(0, at) at the ends of both, which it is monotone in x between.
    return entries(context, (i) => {
      const relu = (v: number) => Math.max(0, v)
      const value = relu(at.value[i]! + x.value[i]!) - relu(at.value[i]!)
      return round(value, x.radius[i]! + 2 * at.radius[i]!, 2)
    })
  },
  rootRatio: ({ operands, attributes: { epsilon: given } }, context) => {
    const [x, y] = operands.map(context.at) as [Bounded, Bounded]
    const epsilon = epsilonValue(given, context.sizes.n)
    return entries(context, (i) => {
      const value = x.value[i]! / (Math.sqrt(y.value[i]!) + epsilon)
      const [least, greatest] = [-1, 1].map((side) => Math.sqrt(Math.max(0, y.value[i]! + side * y.radius[i]!)))
      const ends = [-1, 1].flatMap((side) =>
        [least!, greatest!].map((root) => (x.value[i]! + side * x.radius[i]!) / (root + epsilon)),
      )
      const radius = Math.max(...ends.map((end) => Math.abs(end - value)))
      return round(value, radius, context.quotient)
    })
  },
  centre: unbounded,
  softmax: unbounded,
  softmaxSlope: unbounded,
  softmaxChange: unbounded,
  logSumExp: unbounded,
  logSumExpChange: unbounded,
  rowPart: unbounded,
  placeRows: unbounded,
  rotate: unbounded,
  orthogonalise: unbounded,
  columnDots: ({ operands }, context) => {
    const [x, y] = operands.map(context.at) as [Bounded, Bounded]
    return entries(context, (j) => {
      let [value, radius, size] = [0, 0, 0]
      for (let i = 0; i < x.rows; i++) {
        const k = i * x.columns + j
        const most = (Math.abs(x.value[k]!) + x.radius[k]!) * (Math.abs(y.value[k]!) + y.radius[k]!)
        value += x.value[k]! * y.value[k]!
        radius += most - Math.abs(x.value[k]! * y.value[k]!)
        size += most
      }
      return [value, radius + gamma(x.rows) * size]
    })
  },
  scaleColumns: ({ operands }, context) => {
    const [x, row] = operands.map(context.at) as [Bounded, Bounded]
    return entries(context, (i) => {
      const j = i % context.columns
      return times([x.value[i]!, x.radius[i]!], [row.value[j]!, row.radius[j]!])
    })
  },
  inverseRoot: ({ operands, attributes: { epsilon } }, context) => {
    const x = context.at(operands[0]!)
    return entries(context, (i) => {
      const value = 1 / Math.sqrt(x.value[i]! + epsilon)
      return round(value, 1 / Math.sqrt(Math.max(0, x.value[i]! + epsilon - x.radius[i]!)) - value, ROOT)
    })
  },
  // Every factor of −x / (p q (p + q)) is rounded on its own, so that the result is rounded beside its own size; it falls
  // in x, and in what x is added to it is monotone, so that it is farthest off at a corner of both errors.
  inverseRootChange: ({ operands, attributes: { epsilon } }, context) => {
    const [x, at] = operands.map(context.at) as [Bounded, Bounded]
    return entries(context, (i) => {
      const change = (by: number, from: number) => {
        const q = Math.sqrt(Math.max(0, from + epsilon))
        const p = Math.sqrt(Math.max(0, from + by + epsilon))
        return -by / (p * q * (p + q))
      }
      const value = change(x.value[i]!, at.value[i]!)
      const corners = [-1, 1].flatMap((sign) =>
        [-1, 1].map((other) => change(x.value[i]! + sign * x.radius[i]!, at.value[i]! + other * at.radius[i]!)),
      )
      return round(value, Math.max(...corners.map((corner) => Math.abs(corner - value))), 4 * ROOT)
    })
  },
  precondition: unbounded,
  detach: ({ operands }, { at }) => at(operands[0]!),
  // ‖x + e‖ differs from ‖x‖ by at most ‖e‖.
  norm: ({ operands }, context) => {
    const squares = (x: Float64Array) => x.reduce((sum, v) => sum + v * v, 0)
    const root = (of: (x: Bounded) => Float64Array) =>
      Math.sqrt(operands.reduce((sum, operand) => sum + squares(of(context.at(operand))), 0))
    const value = root((x) => x.value)
    const terms = operands.reduce((sum, operand) => sum + context.at(operand).value.length, 0)
    return entries(context, () =>
      round(
        value,
        root((x) => x.radius),
        terms + 2,
      ),
    )
  },
  clip: ({ operands, attributes }, context) => {
    const [x, norm] = operands.map(context.at) as [Bounded, Bounded]
    const bound = coefficientValue(attributes.bound, context.sizes.n, context.t)
    const factor = (of: number) => (of > bound ? bound / of : 1)
    const value = factor(norm.value[0]!)
    const ends = [-1, 1].map((side) => Math.abs(factor(norm.value[0]! + side * norm.radius[0]!) - value))
    const by = round(value, Math.max(...ends), 2)
    return entries(context, (i) => times([x.value[i]!, x.radius[i]!], by))
  },
}
