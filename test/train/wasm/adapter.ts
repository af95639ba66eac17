import { Affine } from "../../../src/exponent/affine.js"
import { dimension } from "../../../src/program/dimension.js"
import { onlySite } from "../../../src/program/model.js"
import { teacherStudentModel } from "../../../src/program/models/teacherStudent.js"
import { leafName, type Node } from "../../../src/program/node.js"
import { OPTIMISERS } from "../../../src/program/optimiser.js"
import { type Program, trainingStep } from "../../../src/program/program.js"
import type { SpaceSizes } from "../../../src/train/numbers.js"
import type { TeacherStudentConfig } from "../../../src/train/teacherStudentConfig.js"
import { startOf, teacherStudentData } from "../../../src/train/wasm/teacherStudentData.js"

/**
 * A run of the teacher-student experiment as a program, with the data of the tensors that are given.
 *
 * @param stored what an activation is stored as; by default itself.
 */
export function adapterProgram(
  run: TeacherStudentConfig,
  stored = (x: number) => x,
): {
  readonly program: Program
  readonly sizes: SpaceSizes
  readonly frozen: ReadonlyMap<Node, Float64Array>
  readonly start: { readonly A: Float64Array; readonly B: Float64Array }
} {
  const data = teacherStudentData(run)
  const motion = (constant: number) => ({ rate: { constant, power: Affine.ZERO }, weightDecay: 0, shrinkage: 0 })
  const n = dimension("n", Affine.constant(1))
  const objective = { loss: "squared", samples: run.samples } as const
  const exponents = { multiplier: Affine.ZERO, readout: Affine.constant("1/2"), input: Affine.ZERO }
  const model = teacherStudentModel(onlySite(n, n, dimension("r")), exponents, objective, run.inputs)
  const program = trainingStep(model, {
    objective,
    optimisers: { A: OPTIMISERS.adam, B: OPTIMISERS.adam },
    epsilon: { constant: 1e-8, power: null },
    damping: { constant: 0, power: null },
    start: { subtracted: false, along: { A: false, B: false } },
    motions: [{ A: motion(run.rates.A), B: motion(run.rates.B) }],
    clip: null,
  })
  const named = (name: string) => program.frozen.find(({ node }) => leafName(node) === name)!.node
  return {
    program,
    sizes: { n: run.width, r: run.rank, samples: run.samples, inputs: run.inputs, one: 1 },
    frozen: new Map([
      [model.P, Float64Array.from(data.P, stored)],
      [model.H, Float64Array.from(data.H, stored)],
      [named("W_out"), data.wOut],
      [named("minusY"), data.y.map((y) => -y)],
    ]),
    start: startOf(run),
  }
}
