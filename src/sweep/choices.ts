import { PRECISIONS as FORMATS } from "../train/precision.js"
import { KERNEL_PRECISIONS } from "../train/teacherStudent.js"

/** What each kind of experiment can be computed in; the first of each is the default. */
export const PRECISIONS = { theory: FORMATS, "teacher-student": KERNEL_PRECISIONS } as const

/**
 * What each kind can be computed on, by names that are part of a run's identity; the first of each is the default.
 *
 * "reference" interprets a scheme's program; "cpu" is the fused kernel of the teacher-student experiment
 * (schemes that it does not train are interpreted); "gpu" computes
 * both in float32 on a WebGPU device; "graph" hands a scheme's program to ONNX Runtime, in float32.
 */
export const BACKENDS = { theory: ["reference", "gpu", "graph"], "teacher-student": ["cpu", "gpu"] } as const

/** The backend that a configuration's name stands for: "auto" is the first. */
export function backendOf<E extends keyof typeof BACKENDS>(
  experiment: E,
  name: "auto" | (typeof BACKENDS)[E][number],
): (typeof BACKENDS)[E][number] {
  return name === "auto" ? BACKENDS[experiment][0] : name
}
