/** A thread of a run's team: waits for a run, does its rows, and answers. */
import { parentPort, workerData } from "node:worker_threads"
import type { TeacherStudentResult } from "../teacherStudent.js"
import type { TeacherStudentConfig } from "../teacherStudentConfig.js"
import { shareWords } from "./arrays.js"
import { GroupShares } from "./groupShares.js"
import { type Kernel, phasesOf } from "./kernel.js"
import type { Layout } from "./layout.js"
import { trainRows } from "./trainRows.js"

/** What a thread is started with. */
export interface RowWorkerData {
  readonly kernel: Kernel
  readonly memory: WebAssembly.Memory
  readonly layout: Layout
  readonly thread: number
}

/** The run to do; its start is in the memory. */
export interface RowJob extends Pick<TeacherStudentConfig, "steps" | "rates" | "recordEvery"> {
  readonly records: Float64Array
}

/** The result from thread 0, nothing from the others. */
export type RowReply = Omit<TeacherStudentResult, "backend"> | null

const { kernel, memory, layout, thread } = workerData as RowWorkerData
const { phases } = phasesOf(kernel, memory, layout.shape.precision)
const { groups, shape } = layout
const shares = new GroupShares(shareWords(memory, layout), groups, { thread, threads: shape.threads })

parentPort!.on("message", (run: RowJob) => {
  try {
    const result = trainRows(phases, layout, memory, { thread, shares, records: run.records }, run)
    parentPort!.postMessage((thread === 0 ? result : null) satisfies RowReply)
  } catch (error) {
    shares.fail()
    throw error
  }
})
