/** The operations as they stand in a loop along a long space: entry by entry, two at a time. */

import { Affine } from "../../exponent/affine.js"
import { grows, isSingle } from "../../program/dimension.js"
import type { Node } from "../../program/node.js"
import type { Coefficient, Op } from "../../program/operation.js"
import { coefficientValue, epsilonValue, type SpaceSizes } from "../numbers.js"
import { ACTIVATIONS } from "./activations.js"
import type { LoopCode, Value } from "./loopCode.js"

/** Where an operation is written. */
export interface Writing {
  readonly code: LoopCode
  /** The entries of a long operand: a value for each of its vectors. */
  readonly long: (operand: number) => readonly Value[]
  /** A number of a tensor of few, by its row and column. */
  readonly few: (operand: number, row: number, column: number) => Value
  /** A number that only a run and its step decide. */
  readonly number: (value: (sizes: SpaceSizes, t: number) => number) => Value
  /** Rows and columns of a tensor, of a side that is long 0. */
  readonly sizes: (of: Node) => readonly [number, number]
}

/** What an operation makes in a loop: its own vectors' entries, or the terms of sums along the loop, row by row. */
export type Written =
  | { readonly kind: "entries"; readonly values: readonly Value[] }
  | { readonly kind: "sums"; readonly terms: readonly (readonly Value[])[] }

type Form<O extends Op> = (node: Node<O>, writing: Writing) => Written | null

const entries = (values: readonly Value[]): Written => ({ kind: "entries", values })

/** An operation on one tensor. */
const each =
  <O extends Op>(of: (x: Value, node: Node<O>, writing: Writing) => Value): Form<O> =>
  (node, writing) =>
    entries(writing.long(0).map((x) => of(x, node, writing)))

/** An operation on two tensors of one shape. */
const both =
  <O extends Op>(of: (x: Value, y: Value, node: Node<O>, writing: Writing) => Value): Form<O> =>
  (node, writing) => {
    const y = writing.long(1)
    return entries(writing.long(0).map((x, i) => of(x, y[i]!, node, writing)))
  }

/** Operations in a loop; those that are not here, or give null, are computed on whole arrays by `NUMBERS`. */
const FORMS: { readonly [O in Op]?: Form<O> } = {
  zero: (node, { code, sizes }) => entries(sizes(node).some((size) => size > 0) ? zeros(code, sizes(node)) : []),
  matmul: (node, writing) => product(node, writing),
  add: both((x, y, _, { code }) => code.apply("add", x, y)),
  detach: each((x) => x),
  multiply: both((x, y, _, { code }) => code.apply("mul", x, y)),
  scale: each((x, { attributes: { by } }, writing) => writing.code.apply("mul", coefficient(by, writing), x)),
  sign: each((x, _, { code }) => {
    const [zero, one] = [code.constant(0), code.constant(1)]
    const above = code.apply("and", code.apply("gt", x, zero), one)
    const sign = code.apply("sub", above, code.apply("and", code.apply("lt", x, zero), one))
    // What is no number stays none.
    return code.apply("or", sign, code.apply("and", code.apply("ne", x, x), x))
  }),
  activate: each((x, { attributes: { by } }, { code }) => ACTIVATIONS[by].value(code, x)),
  slope: both((x, at, { attributes: { by } }, { code }) => code.apply("mul", x, ACTIVATIONS[by].slope(code, at))),
  activationChange: both((change, at, { attributes: { by } }, { code }) => ACTIVATIONS[by].change(code, change, at)),
  columnDots: ({ operands: [x], shape }, { code, long }) => {
    const [left, right] = [long(0), long(1)]
    const products = left.map((value, i) => code.apply("mul", value, right[i]!))
    if (grows(x!.shape[0])) return { kind: "sums", terms: products.map((value) => [value]) }
    return grows(shape[1]) ? entries([total(code, products)]) : null
  },
  scaleColumns: ({ operands: [x] }, { code, long, few }) => {
    const values = long(0)
    const factor = grows(x!.shape[1]) ? long(1)[0]! : null
    return entries(values.map((value, i) => code.apply("mul", value, factor ?? few(1, 0, i))))
  },
  inverseRoot: each((x, { attributes: { epsilon } }, { code }) =>
    code.apply("div", code.constant(1), code.apply("sqrt", code.apply("add", x, code.constant(epsilon)))),
  ),
  rootRatio: both((x, y, { attributes: { epsilon } }, { code, number }) => {
    const own = number((sizes) => epsilonValue(epsilon, sizes.n))
    return code.apply("div", x, code.apply("add", code.apply("sqrt", y), own))
  }),
  clip: each((x, { attributes: { bound } }, writing) => {
    const { code } = writing
    const [most, norm] = [coefficient(bound, writing), writing.few(1, 0, 0)]
    const factor = code.apply("select", code.apply("div", most, norm), code.constant(1), code.apply("gt", norm, most))
    return code.apply("mul", factor, x)
  }),
}

/** What a node makes in a loop; null where it is none of a loop's. */
export function written(node: Node, writing: Writing): Written | null {
  const form = FORMS[node.op] as Form<Op> | undefined
  return form?.(node, writing) ?? null
}

function coefficient(by: Coefficient, { code, number }: Writing): Value {
  if (by.power.key === Affine.ZERO.key && by.biasCorrection === undefined) return code.constant(by.constant)
  return number((sizes, t) => coefficientValue(by, sizes.n, t))
}

function zeros(code: LoopCode, [rows, columns]: readonly [number, number]): Value[] {
  return new Array<Value>(Math.max(rows, columns)).fill(code.constant(0))
}

function total(code: LoopCode, terms: readonly Value[]): Value {
  return terms.reduce((sum, term) => code.apply("add", sum, term))
}

/** A product whose sum goes along the loop, or of a long tensor and one of few numbers. */
function product({ operands: [x, y] }: Node, { code, long, few, sizes }: Writing): Written | null {
  const multiplied = (p: Value, q: Value) => code.apply("mul", p, q)
  if (grows(x!.shape[1])) {
    const [left, right] = [long(0), long(1)]
    return { kind: "sums", terms: left.flatMap((p) => right.map((q) => [multiplied(p, q)])) }
  }
  const inner = sizes(x!)[1]
  const range = (count: number) => Array.from({ length: count }, (_, i) => i)
  if (grows(x!.shape[0])) {
    const left = long(0)
    const columns = range(isSingle(y!.shape[1]) ? 1 : sizes(y!)[1])
    return entries(
      columns.map((j) =>
        total(
          code,
          range(inner).map((k) => multiplied(left[k]!, few(1, k, j))),
        ),
      ),
    )
  }
  const right = long(1)
  return entries(
    range(sizes(x!)[0]).map((i) =>
      total(
        code,
        range(inner).map((k) => multiplied(few(0, i, k), right[k]!)),
      ),
    ),
  )
}
