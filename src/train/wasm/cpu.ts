/** The teacher-student experiment on the processor: the kernel, by one thread or several over the rows. */
import { Worker } from "node:worker_threads"
import { InputError } from "../../inputError.js"
import { compiledFile } from "../../packageFile.js"
import type { OpenOptions, TeacherStudentResult, TeacherStudentTrainer } from "../teacherStudent.js"
import type { TeacherStudentConfig } from "../teacherStudentConfig.js"
import { KernelArrays, shareWords } from "./arrays.js"
import { GroupShares } from "./groupShares.js"
import { type Build, kernelFor, phasesOf } from "./kernel.js"
import { ADDRESSABLE, groupsOf, type Layout, layoutOf } from "./layout.js"
import { kernelMemory } from "./phases.js"
import type { RowJob, RowReply, RowWorkerData } from "./rowWorker.js"
import { drawActivations, drawingBytes, productOf, readoutOf, startOf, targetsOf } from "./teacherStudentData.js"
import { recordsOf, trainRows } from "./trainRows.js"

/**
 * Opens a trainer whose data is drawn now.
 *
 * @param build by default the fastest that this machine takes.
 * @throws InputError if the run needs more memory than the limit, or activations other than float32.
 */
export function openCpu(config: TeacherStudentConfig, options: OpenOptions, build?: Build): TeacherStudentTrainer {
  const { precision, activations, memoryLimit } = options
  if (activations !== "float32")
    throw new InputError({
      field: "activations",
      given: activations,
      allowed: "float32 on the CPU; float16 on a GPU",
      example: "activations: float32",
    })
  const { width, rank, samples } = config
  // A thread without a group of rows would only be waited for.
  const threads = Math.min(options.threads, groupsOf(width))
  const layout = layoutOf({ width, rank, samples, precision, threads })
  requireFitting(config, layout, memoryLimit)
  const kernel = kernelFor(precision, build)
  const memory = kernelMemory(layout)
  const arrays = new KernelArrays(layout, memory)
  drawActivations(config, productOf(config), (name, first, rows) => arrays.setRows(name, first, rows))
  arrays.setEnds(readoutOf(config), targetsOf(config))
  const { phases, arithmetic } = phasesOf(kernel, memory, precision)
  const backend = `cpu ${arithmetic}`
  const shares = new GroupShares(shareWords(memory, layout), layout.groups, { thread: 0, threads: 1 })
  const alone = (run: TeacherStudentConfig) =>
    trainRows(phases, layout, memory, { thread: 0, shares, records: recordsOf(run) }, run)
  const team = threads === 1 ? null : new Team({ kernel, memory, layout })
  return {
    backend,
    async train(run): Promise<TeacherStudentResult> {
      arrays.setStart(startOf(run))
      return { backend, ...(team === null ? alone(run) : await team.train(run)) }
    },
    close: async () => team?.close(),
  }
}

/** What a network's memory depends on. */
type Sized = Pick<TeacherStudentConfig, "width" | "rank" | "samples" | "inputs">

/** The bytes that a trainer of this network takes at most: the kernel's memory, and that of drawing the activations. */
export function memoryNeeded(
  config: Sized,
  { precision, threads }: Pick<OpenOptions, "precision" | "threads">,
): number {
  const { width, rank, samples } = config
  return layoutOf({ width, rank, samples, precision, threads }).bytes + drawingBytes(config).all
}

/** @throws InputError if a run needs more than the limit, or one of its memories more than WebAssembly can address. */
function requireFitting(config: Sized, layout: Layout, limit: number): void {
  const needed = memoryNeeded(config, layout.shape)
  const largest = Math.max(layout.bytes, drawingBytes(config).largest)
  if (needed <= limit && largest <= ADDRESSABLE) return
  const gibibytes = (bytes: number) => `${(bytes / 2 ** 30).toFixed(2)} GiB`
  throw new InputError({
    field: "width, samples",
    given: `${config.width}, ${config.samples}: ${gibibytes(needed)} in all, ${gibibytes(largest)} in one piece`,
    allowed: `at most ${gibibytes(limit)} in all, ${gibibytes(ADDRESSABLE)} in one piece`,
    example: "half the width, or fewer samples",
  })
}

/** Persistent threads that share a run's rows. */
class Team {
  private readonly workers: readonly Worker[]

  constructor(data: Omit<RowWorkerData, "thread">) {
    // Threads load compiled files, also where this runs from TypeScript sources.
    const file = compiledFile("train/wasm/rowWorker.js")
    this.workers = Array.from(
      { length: data.layout.shape.threads },
      (_, thread) => new Worker(file, { workerData: { ...data, thread } satisfies RowWorkerData }),
    )
  }

  async train(run: TeacherStudentConfig): Promise<Omit<TeacherStudentResult, "backend">> {
    const job: RowJob = { ...run, records: recordsOf(run) }
    const replies = this.workers.map(
      (worker) =>
        new Promise<RowReply>((resolve, reject) => {
          const settle = () => {
            worker.off("message", done)
            worker.off("error", failed)
          }
          const done = (reply: RowReply) => {
            settle()
            resolve(reply)
          }
          const failed = (error: Error) => {
            settle()
            reject(error)
          }
          worker.on("message", done)
          worker.on("error", failed)
          worker.postMessage(job)
        }),
    )
    const [first] = await Promise.all(replies)
    return first!
  }

  async close(): Promise<void> {
    await Promise.all(this.workers.map((worker) => worker.terminate()))
  }
}
