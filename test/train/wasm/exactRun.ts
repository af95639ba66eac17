import type { Node } from "../../../src/program/node.js"
import type { Matrix } from "../../../src/train/matrix.js"
import { evaluate, zeros } from "../../../src/train/reference.js"
import type { TeacherStudentRecord } from "../../../src/train/teacherStudent.js"
import type { TeacherStudentConfig } from "../../../src/train/teacherStudentConfig.js"
import { adapterProgram } from "./adapter.js"
import { type Bounded, evaluateBounded, gamma, given } from "./runningError.js"

/** Loss, zA and zB step by step: by the reference interpreter, or with float32's bounds. */
type Sizes3 = Pick<TeacherStudentRecord, "loss" | "zA" | "zB">

/** A run by the reference interpreter, step by step: the loss before each step, the sizes after it. */
export function referenceRun(run: TeacherStudentConfig): Sizes3[] {
  const { program, sizes, frozen, start } = adapterProgram(run)
  const as = (node: Node, data: Float64Array): [Node, Matrix] => [node, { ...zeros(node, sizes), data }]
  const leaves = [...frozen].map(([node, data]) => as(node, data))
  let state = new Map<Node, Matrix>([...program.next.keys()].map((leaf) => [leaf, zeros(leaf, sizes)]))
  for (const name of ["A", "B"] as const) state.set(...as(program.starts[0]![name], start[name]))
  const { zA, zB } = program.quantities
  return Array.from({ length: run.steps }, (_, i) => {
    const wanted = [program.loss, zA!, zB!, ...program.next.values()]
    const values = evaluate(wanted, new Map([...leaves, ...state]), sizes, i + 1)
    state = new Map([...program.next].map(([leaf, value]) => [leaf, values.get(value)!]))
    const rms = (node: Node) => rootMeanSquare(values.get(node)!.data)
    return { loss: values.get(program.loss)!.data[0]!, zA: rms(zA!), zB: rms(zB!) }
  })
}

/**
 * The same with the radius within which float32 must lie.
 *
 * @param rounding how often a quotient is rounded, and a sum of so many squares; by default as the CPU kernel does. And
 * what an activation is stored as.
 */
export function boundedRun(
  run: TeacherStudentConfig,
  {
    quotient = 4,
    squares = () => 18,
    stored,
  }: { quotient?: number; squares?: (entries: number) => number; stored?: (x: number) => number } = {},
): Record<keyof Sizes3, { value: number; radius: number }>[] {
  const { program, sizes, frozen, start } = adapterProgram(run, stored)
  const as = (node: Node, data?: Float64Array): [Node, Bounded] => {
    const { rows, columns, data: zero } = zeros(node, sizes)
    return [node, given(rows, columns, data ?? zero)]
  }
  const leaves = [...frozen].map(([node, data]) => as(node, data))
  let state = new Map<Node, Bounded>([...program.next.keys()].map((leaf) => as(leaf)))
  for (const name of ["A", "B"] as const) state.set(...as(program.starts[0]![name], start[name]))
  const { zA, zB } = program.quantities
  return Array.from({ length: run.steps }, (_, i) => {
    const wanted = [program.loss, zA!, zB!, ...program.next.values()]
    const values = evaluateBounded(wanted, new Map([...leaves, ...state]), sizes, i + 1, quotient)
    state = new Map([...program.next].map(([leaf, value]) => [leaf, values.get(value)!]))
    // The root mean square moves by at most that of the radii, and squares and their sums are rounded too.
    const rms = (node: Node) => {
      const { value, radius } = values.get(node)!
      const [size, error] = [rootMeanSquare(value), rootMeanSquare(radius)]
      return { value: size, radius: error + gamma(squares(value.length)) * (size + error) }
    }
    const loss = values.get(program.loss)!
    return { loss: { value: loss.value[0]!, radius: loss.radius[0]! }, zA: rms(zA!), zB: rms(zB!) }
  })
}

const rootMeanSquare = (values: Float64Array) => Math.sqrt(values.reduce((sum, v) => sum + v * v, 0) / values.length)
