import type { TeacherStudentConfig } from "../../../src/train/teacherStudentConfig.js"

/** A run of the teacher-student experiment that takes milliseconds; tests change what they are about. */
export const SMALL_RUN: TeacherStudentConfig = {
  width: 70,
  rank: 2,
  inputs: 3,
  samples: 20,
  teacherWidth: 16,
  readout: 0.5,
  steps: 3,
  seed: 1,
  start: { A: 0.1, B: 0 },
  rates: { A: 0.01, B: 0.01 },
  recordEvery: 1,
}
