import { z } from "zod"
import { checked, count, documented as field } from "../checked.js"
import { ACTIVATIONS } from "../train/teacherStudent.js"
import { BACKENDS, PRECISIONS } from "./choices.js"
import { backend, EXPERIMENTS, kind, precision, rates, ratio, schemes, seeds, widths } from "./fields.js"
import { FineTune, type FineTuneSweep } from "./fineTuneConfig.js"

const Theory = kind(
  z.strictObject({
    experiment: field(z.literal("theory"), EXPERIMENTS, "theory"),
    schemes,
    widths,
    seeds,
    steps: count(1, "training steps", 3),
    rank: count(1, "the rank at width 1", 4).default(4),
    precision: precision(PRECISIONS.theory),
    backend: backend(BACKENDS.theory),
  }),
  "theory",
)

const TeacherStudent = kind(
  z.strictObject({
    experiment: field(z.literal("teacher-student"), EXPERIMENTS, "teacher-student"),
    schemes,
    widths,
    rates,
    ratio,
    seeds,
    steps: count(1, "training steps", 100),
    rank: count(1, "the rank", 4).default(4),
    inputs: count(1, "the input dimension", 5).default(5),
    samples: count(2, "the samples N", 256).default(256),
    teacherWidth: count(1, "the teacher's width", 64).default(64),
    readouts: field(
      z.array(z.number()).min(1).default([0.5]),
      "exponents o of the readout's entries N(0, n^(-2o)): numbers",
      [0.5, 1],
    ),
    precision: precision(PRECISIONS["teacher-student"]),
    backend: backend(BACKENDS["teacher-student"]),
    activations: field(
      z.enum(ACTIVATIONS).default(ACTIVATIONS[0]),
      `how a GPU stores the frozen activations: ${ACTIVATIONS.join(", ")}`,
      ACTIVATIONS[0],
    ),
  }),
  "teacher-student",
)

/**
 * A sweep's configuration file: the theory's setting, the teacher-student experiment, or fine-tunings of pretrained
 * models. Unknown fields are refused.
 */
export const SweepConfig = z.discriminatedUnion("experiment", [Theory, TeacherStudent, FineTune])
export type TheoryConfig = z.infer<typeof Theory>
export type TeacherStudentSweep = z.infer<typeof TeacherStudent>
export type SweepConfig = (TheoryConfig | TeacherStudentSweep | FineTuneSweep) & {
  /** Of a configuration that was read from a file: says of a refusal in which file and line its field stands. */
  readonly placed?: (error: unknown) => unknown
}

const KINDS = { theory: Theory, "teacher-student": TeacherStudent, finetune: FineTune } as const

/** The value as a configuration, defaults filled in. @throws InputError as `checked`. */
export function checkedConfig(value: unknown): SweepConfig {
  const { experiment } = (value ?? {}) as { experiment?: unknown }
  const known = typeof experiment === "string" && Object.hasOwn(KINDS, experiment)
  return checked(known ? KINDS[experiment as keyof typeof KINDS] : Theory, value, "config")
}
