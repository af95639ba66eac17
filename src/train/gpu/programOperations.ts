/** The operations in WGSL: how a thread computes one entry of each. */
import { type Dimension, isSingle } from "../../program/dimension.js"
import type { Node } from "../../program/node.js"
import type { Activation, Op } from "../../program/operation.js"
import { coefficientValue, epsilonValue, type SpaceSizes } from "../numbers.js"

/** What an operation's text may say of where it stands. */
export interface KernelText {
  /** The operands' entries at the same place. */
  operands(): readonly string[]
  /** An entry of a product's factor, which may be a transpose read in place. */
  entry(of: Node, row: string, column: string): string
  size(space: Dimension): string
  /** A number that the width and the step decide. */
  number(value: (sizes: SpaceSizes, t: number) => number): string
}

/** The value of entry (i, j) as an expression, or the lines that compute it under a name. */
type Lines<O extends Op> = (node: Node<O>, text: KernelText, name: string) => string | readonly string[]

/** What the operations call. */
export const FUNCTIONS = `
// Cephes' tanhf: built-in tanh may be off by 1e-5, which is more than a small change of a pre-activation.
fn tangent(x: f32) -> f32 {
  let z = x * x;
  let small = ((((-5.70498872745e-3 * z + 2.06390887954e-2) * z - 5.37397155531e-2) * z + 1.33314422036e-1) * z - 3.33332819422e-1) * z * x + x;
  let large = sign(x) * (1.0 - 2.0 / (exp(2.0 * min(abs(x), 10.0)) + 1.0));
  return select(large, small, abs(x) < 0.625);
}
// A negligible ε is zero in float32, and so are the moments of a factor without a gradient.
fn ratio(x: f32, y: f32) -> f32 { return select(x / y, 0.0, x == 0.0); }
fn relu_value(x: f32) -> f32 { return max(x, 0.0); }
fn relu_slope(x: f32) -> f32 { return select(0.0, 1.0, x > 0.0); }
fn relu_change(change: f32, at: f32) -> f32 {
  return select(max(0.0, at + change), select(-at, change, at + change > 0.0), at > 0.0);
}
fn tanh_value(x: f32) -> f32 { return tangent(x); }
fn tanh_slope(x: f32) -> f32 { let y = tangent(x); return 1.0 - y * y; }
fn tanh_change(change: f32, at: f32) -> f32 { return tangent(change) * (1.0 - tangent(at + change) * tangent(at)); }
`

/** Whether an activation has no function here. */
export function isWithoutKernel(by: Activation): boolean {
  return !FUNCTIONS.includes(`fn ${by}_value`)
}

/** Every operation in WGSL, or what it is called where it has no kernel. */
export const WGSL: { readonly [O in Op]: Lines<O> | string } = {
  leaf: (node) => {
    throw new Error(`leaf ${node.attributes.name} is stored, not computed`)
  },
  one: () => "1.0",
  zero: () => "0.0",
  matmul: ({ operands: [left, right] }, { entry, size }, name) => {
    const [x, y] = [left!, right!]
    if (isSingle(x.shape[1])) return `${entry(x, "i", "0u")} * ${entry(y, "0u", "j")}`
    return [
      `var ${name} = 0.0;`,
      `for (var k = 0u; k < ${size(x.shape[1])}; k++) { ${name} += ${entry(x, "i", "k")} * ${entry(y, "k", "j")}; }`,
    ]
  },
  transpose: (node, { entry }) => entry(node, "i", "j"),
  add: (_, { operands }) => operands().join(" + "),
  multiply: (_, { operands }) => operands().join(" * "),
  scale: ({ attributes: { by } }, { operands, number }) =>
    `${number((sizes, t) => coefficientValue(by, sizes.n, t))} * ${operands()[0]}`,
  detach: (_, { operands }) => operands()[0]!,
  sign: (_, { operands }) => `sign(${operands()[0]})`,
  activate: ({ attributes: { by } }, { operands }) => `${by}_value(${operands()[0]})`,
  slope: ({ attributes: { by } }, { operands }) => {
    const [x, at] = operands()
    return `${x} * ${by}_slope(${at})`
  },
  activationChange: ({ attributes: { by } }, { operands }) => `${by}_change(${operands().join(", ")})`,
  rootRatio: ({ attributes: { epsilon } }, { operands, number }) => {
    const [x, y] = operands()
    return `ratio(${x}, sqrt(${y}) + ${number((sizes) => epsilonValue(epsilon, sizes.n))})`
  },
  columnDots: "columnDots (norms of transformers)",
  scaleColumns: "scaleColumns (norms of transformers)",
  centre: "centre (layer norm)",
  inverseRoot: "inverseRoot (norms of transformers)",
  inverseRootChange: "inverseRootChange (norms of transformers)",
  softmax: "softmax (attention)",
  softmaxSlope: "softmaxSlope (attention)",
  softmaxChange: "softmaxChange (attention)",
  logSumExp: "logSumExp (cross-entropy)",
  logSumExpChange: "logSumExpChange (cross-entropy)",
  rowPart: "rowPart (heads of attention)",
  placeRows: "placeRows (heads of attention)",
  rotate: "rotate (rotary positions)",
  orthogonalise: "orthogonalise (muon)",
  precondition: "precondition (rules that see the other factor)",
  norm: "norm (gradient clipping)",
  clip: "clip (gradient clipping)",
}
