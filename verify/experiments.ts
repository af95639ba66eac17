import { intervalCoverage } from "./coverageSection.js"
import { derived } from "./derived.js"
import type { Experiment } from "./experiment.js"
import { teacherStudent } from "./teacherStudentSection.js"
import { theorySetting } from "./theorySection.js"

/** The report's sections, in reading order. */
export const EXPERIMENTS: readonly Experiment[] = [derived, theorySetting, intervalCoverage, teacherStudent]
