import { Matrix as LinearAlgebra } from "ml-matrix"
import type { Node } from "../../src/program/node.js"
import type { OptimiserName } from "../../src/program/optimiser.js"
import { schemeNamed } from "../../src/scheme/catalogue.js"
import { scheme } from "../../src/scheme/scheme.js"
import type { Matrix } from "../../src/train/matrix.js"
import { gaussians } from "../../src/train/random.js"
import { evaluate, zeros } from "../../src/train/reference.js"

const SAMPLES = 4
/** Width, rank and rate of the layer. */
export const [N, R, RATE] = [7, 3, 0.05]
const sizes = { n: N, nIn: N, r: R, samples: SAMPLES, one: 1 }

const linear = ({ rows, columns, data }: Matrix) => LinearAlgebra.from1DArray(rows, columns, data)
const matrix = (of: LinearAlgebra): Matrix => ({
  rows: of.rows,
  columns: of.columns,
  data: Float64Array.from(of.to1DArray()),
})
/** A matrix of Gaussian entries. */
export const drawn = (seed: number, name: string, rows: number, columns: number) =>
  LinearAlgebra.from1DArray(rows, columns, gaussians(seed, name, rows * columns))

/** Two factors as matrices. */
export interface Pair {
  readonly A: LinearAlgebra
  readonly B: LinearAlgebra
}

/** A layer's program under a rule, its frozen tensors drawn; steps of it from given factors, with their gradients. */
export function steps(optimiser: OptimiserName, seed: number, start: Pair, count: number) {
  const definition = { ...schemeNamed("init-ab"), optimiser, loss: "squared", batch: SAMPLES } as const
  const rates = { cA: "0", cB: "0", a0: "0", b0: "0" }
  const { program } = scheme({ ...definition, rateConstants: { A: RATE, B: RATE } }, rates)
  const [{ A, B }, gradients] = [program.starts[0]!, program.gradients[0]!]
  const frozen = program.frozen.map(({ node }): [Node, Matrix] => {
    const shape = zeros(node, sizes)
    return [node, { ...shape, data: gaussians(seed, String(node.shape.map(({ name }) => name)), shape.data.length) }]
  })
  let state = new Map([...program.next.keys()].map((leaf): [Node, Matrix] => [leaf, zeros(leaf, sizes)]))
  state.set(A, matrix(start.A)).set(B, matrix(start.B))
  return Array.from({ length: count }, (_, t) => {
    const values = evaluate(
      [...program.next.values(), gradients.A!, gradients.B!],
      new Map([...frozen, ...state]),
      sizes,
      t + 1,
    )
    const before = { A: linear(state.get(A)!), B: linear(state.get(B)!) }
    state = new Map([...state.keys()].map((leaf) => [leaf, values.get(program.next.get(leaf)!)!]))
    return {
      before,
      gradients: { A: linear(values.get(gradients.A!)!), B: linear(values.get(gradients.B!)!) },
      after: { A: linear(state.get(A)!), B: linear(state.get(B)!) },
    }
  })
}

/** Drawn factors. */
export const start = (seed: number): Pair => ({ A: drawn(seed, "A", R, N), B: drawn(seed, "B", N, R) })
/** BA. */
export const product = ({ A, B }: Pair) => B.mmul(A)
/** How far two matrices are apart, as a part of the first one. */
export const distance = (x: LinearAlgebra, y: LinearAlgebra) => LinearAlgebra.sub(x, y).norm() / x.norm()
