/**
 * The teacher-student experiment on a device: data and starts are drawn here, so that they are the CPU's to the bit.
 */
import { InputError } from "../../inputError.js"
import type { Activations, OpenOptions, TeacherStudentResult, TeacherStudentTrainer } from "../teacherStudent.js"
import type { TeacherStudentConfig } from "../teacherStudentConfig.js"
import { drawActivations, productOf, readoutOf, startOf, targetsOf } from "../wasm/teacherStudentData.js"
import { type Gpu, openGpu } from "./device.js"
import { type BatchData, trainBatch } from "./teacherStudentBatch.js"

/**
 * Trains runs of one width, rank, number of samples and number of steps side by side; the data of each seed travels
 * once.
 *
 * @throws GpuFailure if they do not fit at once, or the device fails.
 */
export async function trainTeacherStudent(
  gpu: Gpu,
  configs: readonly TeacherStudentConfig[],
  activations: Activations = "float32",
): Promise<TeacherStudentResult[]> {
  const sets = new Map<string, number>()
  const data: BatchData[] = []
  const starts = new Map<string, ReturnType<typeof startOf>>()
  const runs = configs.map((config) => {
    const { seed, inputs, teacherWidth, readout, start } = config
    const key = JSON.stringify([seed, inputs, teacherWidth])
    if (!sets.has(key)) {
      sets.set(key, data.length)
      data.push({ draw: (sink) => drawActivations(config, productOf(config), sink), y: targetsOf(config) })
    }
    const startKey = JSON.stringify([seed, start])
    const drawn = starts.get(startKey) ?? startOf(config)
    starts.set(startKey, drawn)
    return {
      data: sets.get(key)!,
      readoutName: JSON.stringify([seed, readout]),
      readout: () => readoutOf(config),
      start: drawn,
      config,
    }
  })
  const results = await trainBatch(gpu, configs[0]!, data, runs, activations)
  return results.map((result) => ({ backend: backendOf(gpu, activations), ...result }))
}

/** What a result names as its backend. */
export function backendOf({ name }: Pick<Gpu, "name">, activations: Activations = "float32"): string {
  return activations === "float32" ? `gpu float32 ${name}` : `gpu float32, activations ${activations}, ${name}`
}

/** What runs of one batch have in common. */
export function batchKey({ width, rank, samples, steps }: TeacherStudentConfig): string {
  return JSON.stringify([width, rank, samples, steps])
}

/**
 * A trainer on the first adapter; it draws the data anew for each run, so that many runs are better trained by a pool.
 *
 * @throws GpuFailure if there is no adapter; InputError for another precision than float32.
 */
export async function openGpuTrainer(
  _: TeacherStudentConfig,
  { precision, activations }: OpenOptions,
): Promise<TeacherStudentTrainer> {
  requireFloat32(precision)
  const gpu = await openGpu()
  return {
    backend: backendOf(gpu, activations),
    train: async (run) => (await trainTeacherStudent(gpu, [run], activations))[0]!,
    close: async () => gpu.close(),
  }
}

/** @throws InputError for another precision than the device's. */
export function requireFloat32(precision: string): void {
  if (precision === "float32") return
  throw new InputError({
    field: "precision",
    given: precision,
    allowed: "float32 on a GPU; other precisions with --backend cpu",
    example: "precision: float32",
  })
}
