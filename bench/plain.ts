/** The same run by the reference interpreter and by ml-matrix: plainly, in float64. */
import { Matrix as LinearAlgebra } from "ml-matrix"
import type { Node } from "../src/program/node.js"
import type { Matrix } from "../src/train/matrix.js"
import { evaluate, zeros } from "../src/train/reference.js"
import type { TeacherStudentConfig, TeacherStudentData } from "../src/train/teacherStudentConfig.js"
import { startOf } from "../src/train/wasm/teacherStudentData.js"
import { adapterProgram } from "../test/train/wasm/adapter.js"
import { RATES } from "./contender.js"

/** The program of src/program/models/teacherStudent.ts. */
export function interpreter(run: TeacherStudentConfig): (steps: number) => number {
  const { program, sizes, frozen, start } = adapterProgram(run)
  const as = (node: Node, data: Float64Array): [Node, Matrix] => [node, { ...zeros(node, sizes), data }]
  const leaves = [...frozen].map(([node, values]) => as(node, values))
  return (steps) => {
    let state = new Map<Node, Matrix>([...program.next.keys()].map((leaf) => [leaf, zeros(leaf, sizes)]))
    for (const name of ["A", "B"] as const) state.set(...as(program.starts[0]![name], start[name]))
    for (let t = 1; t <= steps; t++) {
      const values = evaluate([...program.next.values()], new Map([...leaves, ...state]), sizes, t)
      state = new Map([...program.next].map(([leaf, value]) => [leaf, values.get(value)!]))
    }
    return evaluate([program.loss], new Map([...leaves, ...state]), sizes, steps + 1).get(program.loss)!.data[0]!
  }
}

/** Whole matrices, one operation after the other. */
export function mlMatrix(run: TeacherStudentConfig, data: TeacherStudentData): (steps: number) => number {
  const { width: n, rank: r, samples: N } = run
  const of = (rows: number, columns: number, values: ArrayLike<number>) =>
    LinearAlgebra.from1DArray(rows, columns, Array.from(values))
  const [P, H, w, y] = [of(n, N, data.P), of(n, N, data.H), of(n, 1, data.wOut), of(1, N, data.y)]
  const transposedP = P.transpose()
  const start = startOf(run)
  return (steps) => {
    const [A, B] = [of(r, n, start.A), of(n, r, start.B)]
    const [stepA, stepB] = [adam(A, RATES.A), adam(B, RATES.B)]
    for (let t = 1; ; t++) {
      const zA = A.mmul(P)
      const h = B.mmul(zA).add(H)
      const active = h.clone().apply(function (this: LinearAlgebra, i, j) {
        this.set(i, j, this.get(i, j) > 0 ? 1 : 0)
      })
      const residual = w.transpose().mmul(h.mul(active)).sub(y)
      if (t > steps) return residual.norm() ** 2 / (2 * N)
      const gradient = w.mmul(residual.div(N)).mul(active)
      const gradientZ = B.transpose().mmul(gradient)
      stepB(gradient.mmul(zA.transpose()), t)
      stepA(gradientZ.mmul(transposedP), t)
    }
  }
}

function adam(factor: LinearAlgebra, rate: number): (gradient: LinearAlgebra, t: number) => void {
  const [mean, square] = [0, 1].map(() => LinearAlgebra.zeros(factor.rows, factor.columns)) as [
    LinearAlgebra,
    LinearAlgebra,
  ]
  return (gradient, t) => {
    mean.mul(0.9).add(LinearAlgebra.mul(gradient, 0.1))
    square.mul(0.999).add(LinearAlgebra.mul(LinearAlgebra.mul(gradient, gradient), 0.001))
    const root = LinearAlgebra.div(square, 1 - 0.999 ** t)
      .sqrt()
      .add(1e-8)
    factor.sub(LinearAlgebra.mul(mean, rate / (1 - 0.9 ** t)).div(root))
  }
}
