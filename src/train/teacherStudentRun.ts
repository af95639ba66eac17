import { openTrainer } from "./backend.js"
import { trainStudent } from "./student.js"
import { networkKey, type Task } from "./task.js"
import type { TeacherStudentResult, TeacherStudentTrainer } from "./teacherStudent.js"
import { rowThreads } from "./thread.js"
import { teacherStudentData } from "./wasm/teacherStudentData.js"

let cached: { readonly key: string; readonly trainer: Promise<TeacherStudentTrainer> } | undefined

/** One teacher-student run. Neighbouring tasks share their network and data, so the last trainer is kept. */
export async function teacherStudentRun({
  backend,
  precision = "float32",
  activations = "float32",
  scheme: own,
  config,
}: Extract<Task, { kind: "synthetic" }>): Promise<TeacherStudentResult> {
  if (backend === "reference") return trainStudent(own!, config, teacherStudentData(config))
  const key = networkKey({ backend, precision, activations, config })
  if (cached?.key !== key) {
    const before = cached
    cached = { key, trainer: openTrainer(config, { backend, precision, activations, threads: rowThreads() }) }
    await (await before?.trainer)?.close()
  }
  return (await cached.trainer).train(config)
}
