/** What each kind of experiment can be computed in and on; the first of each is the default. */
export const PRECISIONS = { theory: ["float64"], "teacher-student": ["float32"] } as const

/**
 * The backends by name, which is part of a run's identity.
 *
 * "reference" interprets a scheme's program. "typed-arrays" trains the teacher-student experiment with its frozen
 * activations in float32, everything else in float64.
 */
export const BACKENDS = { theory: ["reference"], "teacher-student": ["typed-arrays"] } as const

/** The backend that a configuration's name stands for: "auto" is the first. */
export function backendOf(experiment: keyof typeof BACKENDS, name: string): string {
  return name === "auto" ? BACKENDS[experiment][0] : name
}
