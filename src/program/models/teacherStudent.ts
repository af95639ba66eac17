import { Affine } from "../../exponent/affine.js"
import { dimension, SINGLE } from "../dimension.js"
import { type Model, type ModelExponents, power, type Site } from "../model.js"
import { Node } from "../node.js"
import { batchSpace, type Objective } from "../objective.js"

/** What training does not change in the student: its frozen activations and its readout. */
export interface StudentParts {
  /** φ(W_in X), n×N. */
  readonly P: Node
  /** W_h P, n×N. */
  readonly H: Node
  /** n×1. */
  readonly wOut: Node
}

/**
 * The student of the paper's teacher-student experiment: f(x) = w_outᵀ φ((W_h + α B A) φ(W_in x)), φ = ReLU, an adapter
 * on the frozen hidden layer. Entries of W_in are N(0, 2/d) for d inputs, of W_h N(0, 1/n), of w_out N(0, n^(−2o)).
 */
export function teacherStudentModel(
  site: Site,
  { multiplier, readout, input }: ModelExponents,
  target: Objective,
  inputs: number,
): Model & StudentParts {
  const n = site.input
  const d = dimension("inputs", Affine.ZERO, inputs)
  const X = Node.leaf("X", "frozen", [d, batchSpace(target)])
  const wIn = Node.leaf("W_in", "frozen", [n, d])
  const wHidden = Node.leaf("W_h", "frozen", [n, n])
  const wOut = Node.leaf("W_out", "frozen", [n, SINGLE])
  const P = wIn.times(X).activate("relu")
  const H = wHidden.times(P)
  return {
    name: "teacher-student",
    sites: [site],
    multiplier,
    frozen: [
      { node: X, deviation: power(input) },
      { node: wIn, deviation: { constant: Math.sqrt(2 / inputs), power: Affine.ZERO } },
      { node: wHidden, deviation: power(Affine.constant("-1/2")) },
      { node: wOut, deviation: power(readout.negated) },
    ],
    forward: (adapted) => ({
      output: wOut.transpose().times(H.plus(adapted(site, P, wHidden)).activate("relu")),
      watched: [],
    }),
    minimises: "output",
    watchesParts: true,
    gradient: null,
    P,
    H,
    wOut,
  }
}

/** Whether a model is the student. */
export function isStudent(model: Model): model is Model & StudentParts {
  return model.name === "teacher-student"
}
