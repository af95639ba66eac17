/** The GPU beside the CPU kernel: a table that a user with a card can send us. */
import { markdownTable } from "markdown-table"
import { openTrainer } from "../src/train/backend.js"
import { devicePeak, modelRows, throughput, throughputRows } from "../src/train/gpu/benchmark.js"
import { GpuFailure, openGpu } from "../src/train/gpu/device.js"
import type { Activations } from "../src/train/teacherStudent.js"
import type { TeacherStudentConfig } from "../src/train/teacherStudentConfig.js"
import { RATES } from "./contender.js"

/** Prints the model of a step's traffic and, where there is an adapter, what it reaches at each width. */
export async function benchGpu(
  {
    widths,
    runs,
    model,
    activations,
  }: {
    readonly widths: readonly number[]
    readonly runs: number
    readonly model: boolean
    readonly activations: Activations
  },
  say: (line: string) => void,
): Promise<void> {
  const { columns, rows } = modelRows(activations)
  say(
    `64 runs at once, N = 256, r = 4, activations ${activations}; a model of the traffic on a card of 1 TB/s, not a measurement\n`,
  )
  say(markdownTable([[...columns], ...rows.map((row) => row.map(String))], { align: "r" }))
  if (model) return
  const gpu = await openGpu().catch((error: unknown) => {
    if (!(error instanceof GpuFailure)) throw error
    say(`\nnothing measured: ${error.message}`)
    return null
  })
  if (gpu === null) return
  try {
    const peak = await devicePeak(gpu)
    const lines = []
    for (const width of widths) lines.push(await throughput(gpu, width, runs, { activations }))
    const measured = throughputRows(gpu, peak, lines)
    say(`\n${measured.heading}\n`)
    const cpu = await Promise.all(widths.map((width) => cpuSeconds(width)))
    const beside = measured.rows.map((row, i) => [...row.map(String), (1000 * runs * cpu[i]!).toPrecision(3)])
    say(markdownTable([[...measured.columns, "CPU kernel, one thread: ms"], ...beside], { align: "r" }))
  } finally {
    gpu.close()
  }
}

/** Seconds a step of one run of the CPU kernel. */
async function cpuSeconds(width: number): Promise<number> {
  const steps = Math.max(5, Math.ceil(2 ** 16 / width))
  const config: TeacherStudentConfig = {
    width,
    rank: 4,
    inputs: 5,
    samples: 256,
    teacherWidth: 64,
    readout: 0.5,
    steps,
    seed: 1,
    start: { A: width ** -0.5, B: 0 },
    rates: RATES,
    recordEvery: steps,
  }
  const trainer = await openTrainer(config)
  await trainer.train({ ...config, steps: 1 })
  const start = performance.now()
  await trainer.train(config)
  const seconds = (performance.now() - start) / 1000 / steps
  await trainer.close()
  return seconds
}
