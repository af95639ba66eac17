/**
 * Any scheme on the teacher-student network: by the kernels where they train it, else by the reference interpreter on
 * the same data.
 */
import { Fraction } from "fraction.js"
import { Affine } from "../exponent/affine.js"
import type { Model } from "../program/model.js"
import { isStudent, type StudentParts } from "../program/models/teacherStudent.js"
import { leafName, Node } from "../program/node.js"
import type { Program } from "../program/program.js"
import { isPair, type Rates, type SchemeDefinition, tensorsOf } from "../scheme/definition.js"
import { onModel } from "../scheme/onModel.js"
import { type Scheme, scheme } from "../scheme/scheme.js"
import type { Matrix } from "./matrix.js"
import { coefficientValue } from "./numbers.js"
import { evaluate, zeros } from "./reference.js"
import { drawn, run, sizesOf } from "./run.js"
import { RunSummary } from "./runSummary.js"
import type { TeacherStudentRecord, TeacherStudentResult } from "./teacherStudent.js"
import type { TeacherStudentConfig, TeacherStudentData } from "./teacherStudentConfig.js"

/** A scheme of the catalogue or of a user's, at values of its symbols other than those of the rates. */
export interface StudentScheme {
  readonly definition: SchemeDefinition
  readonly values: Readonly<Record<string, string>>
}

/** What a sweep of numbers for rates knows of a run before the rates. */
type Student = Pick<TeacherStudentConfig, "inputs" | "samples" | "readout"> &
  Partial<Pick<TeacherStudentConfig, "rates">>

/** Adam's ε as the kernels have it, where a definition does not say how it scales. */
const EPSILON = 1e-8

/** What computes a scheme that no kernel trains. */
export const REFERENCE = "reference float64"

/**
 * The definition on the student's network under its loss, with rates that are numbers instead of powers of the width; what
 * an adapter trains beside A and B has B's.
 *
 * @throws InputError if the definition has a model of its own.
 */
export function onStudent(
  definition: SchemeDefinition,
  { inputs, samples, readout, rates }: Student,
): SchemeDefinition {
  const onNetwork = onModel("teacher-student", definition)
  const { rates: own } = definition
  const pairs = isPair(own) ? [own] : Object.values(own)
  const tensors = tensorsOf(definition)
  const numeric = (tensor: keyof Rates) => (pairs.some((pair) => pair[tensor] === "frozen") ? "frozen" : "0")
  const all = Object.fromEntries(tensors.map((tensor) => [tensor, numeric(tensor)])) as unknown as Rates
  const extras = Object.fromEntries(tensors.slice(2).map((tensor) => [tensor, rates?.B ?? 1]))
  return {
    ...onNetwork,
    model: { kind: "teacher-student", inputs },
    batch: samples,
    readout: new Fraction(readout).toFraction(),
    rates: all,
    rateConstants: { ...(rates ?? { A: 1, B: 1 }), ...extras },
    ...(definition.epsilon === undefined ? { epsilonConstant: definition.epsilonConstant ?? EPSILON } : {}),
  }
}

/**
 * The deviations of the starting entries where the kernels train a scheme: Adam on two factors from a Gaussian start.
 */
export function kernelStart(
  { definition, values }: StudentScheme,
  run: TeacherStudentConfig,
): TeacherStudentConfig["start"] | null {
  const ready = scheme(onStudent(definition, run), values)
  const {
    optimiser = "adam",
    epsilonConstant,
    weightDecay = 0,
    shrinkage = 0,
    subtractStart = false,
    adapter = "lora",
  } = ready.definition
  const { multiplier, rank, input, epsilon, clip, share } = ready.sizes
  const isAdam = optimiser === "adam" && epsilonConstant === EPSILON
  const isPlain = isAdam && adapter === "lora" && weightDecay === 0 && shrinkage === 0 && !subtractStart
  const isFixed = [multiplier, rank, input, share].every(({ key }) => key === Affine.ZERO.key)
  const moves = ready.rates.every(({ A, B }) => A !== "frozen" && B !== "frozen")
  if (!isPlain || !isFixed || !moves || epsilon !== null || clip !== null) return null
  const { A, B } = ready.program.starts[0]!
  const deviation = (leaf: Node) => {
    const given = ready.start.get(leaf)!
    return given === "zero" ? 0 : coefficientValue(given, run.width, 0)
  }
  return { A: deviation(A), B: deviation(B) }
}

/**
 * One run by the reference interpreter.
 *
 * @param data the frozen activations and targets that the kernels train on too.
 * @throws InputError as `run` does.
 */
export function trainStudent(
  { definition, values }: StudentScheme,
  config: TeacherStudentConfig,
  data: TeacherStudentData,
): TeacherStudentResult {
  const ready = scheme(onStudent(definition, config), values)
  const { loss, quantities, residual } = ready.program
  const known = given(ready.program, config, data)
  const summary = new RunSummary(config)
  let sizes = startSizes(ready, known, config)
  let first: Float64Array | null = null
  let result: ReturnType<RunSummary["add"]> = null
  const observe = (step: number, value: ReadonlyMap<Node, Matrix>) => {
    const now = value.get(residual!)!.data
    first ??= now.slice()
    const outputChange = rms(now.map((x, i) => x - first![i]!))
    result ??= summary.add({ step: step - 1, loss: value.get(loss)!.data[0]!, ...sizes, outputChange })
    sizes = { zA: rms(value.get(quantities.zA!)!.data), zB: rms(value.get(quantities.zB!)!.data) }
  }
  // A step's loss is that before it, so one more step shows the last one's.
  const steps = config.steps + 1
  const { outcome } = run(ready, { ...config, steps }, { given: known, observe })
  const last = outcome.kind === "diverged" ? outcome.step : config.steps
  result ??= summary.add({ step: last, loss: Number.NaN, ...sizes, outputChange: Number.NaN })
  return { backend: REFERENCE, ...result! }
}

/** The frozen activations, the readout and the targets as values of the program's tensors. */
function given(
  { model, frozen }: Program,
  { width, samples }: TeacherStudentConfig,
  { P, H, wOut, y }: TeacherStudentData,
): Map<Node, Matrix> {
  if (!isStudent(model)) throw new Error(`${model.name} is not the student's network`)
  const tensor = (rows: number, columns: number, numbers: Float64Array | Float32Array): Matrix => ({
    rows,
    columns,
    data: Float64Array.from(numbers),
  })
  const targets = frozen.find(({ node }) => leafName(node) === "minusY")!.node
  return new Map([
    [model.P, tensor(width, samples, P)],
    [model.H, tensor(width, samples, H)],
    [model.wOut, tensor(width, 1, wOut)],
    [
      targets,
      tensor(
        1,
        samples,
        y.map((value) => -value),
      ),
    ],
  ])
}

/** |Z_A| and |Z_B| before the first step. */
function startSizes(
  ready: Scheme,
  given: ReadonlyMap<Node, Matrix>,
  config: TeacherStudentConfig,
): Pick<TeacherStudentRecord, "zA" | "zB"> {
  const { definition, program, start } = ready
  const { model, starts } = program
  const sizes = sizesOf(ready, config)
  const { A, B } = starts[0]!
  const zA = A.times((model as Model & StudentParts).P)
  const zB = definition.subtractStart ? Node.zero(zA.shape) : B.times(zA)
  const leaves = [...start].map(([leaf, deviation]) => {
    const value = deviation === "zero" ? zeros(leaf, sizes) : drawn(leaf, deviation, sizes, config)
    return [leaf, value] as const
  })
  const values = evaluate([zA, zB], new Map([...given, ...leaves]), sizes, 1)
  return { zA: rms(values.get(zA)!.data), zB: rms(values.get(zB)!.data) }
}

function rms(values: Float64Array): number {
  return Math.sqrt(values.reduce((sum, x) => sum + x * x, 0) / values.length)
}
