/** Contenders in turn on the step of the teacher-student experiment: ratios to our kernel, with their spread. */
import { execFile } from "node:child_process"
import { mkdtemp, rm } from "node:fs/promises"
import { cpus, tmpdir } from "node:os"
import { join } from "node:path"
import { promisify } from "node:util"
import { Command, Option } from "commander"
import { markdownTable } from "markdown-table"
import { openTrainer } from "../src/train/backend.js"
import { ACTIVATIONS, type Activations } from "../src/train/teacherStudent.js"
import type { TeacherStudentConfig } from "../src/train/teacherStudentConfig.js"
import { benchArrayLibrary } from "./arrayLibrary.js"
import { type Contender, inside, outside, RATES } from "./contender.js"
import { benchGpu } from "./gpu.js"
import { interpreter, mlMatrix } from "./plain.js"
import { machine, roofline } from "./roofline.js"
import { writeRun } from "./runFiles.js"

const run = promisify(execFile)
const here = new URL(".", import.meta.url).pathname

const options = new Command("bench")
  .option("--widths <n...>", "widths", ["256", "1024", "4096", "16384"])
  .option("--samples <N>", "samples", "256")
  .option("--repeats <k>", "repetitions, contenders in turn", "7")
  .option("--seconds <s>", "least length of one measurement", "0.2")
  .option("--python <path>", "a Python with bench/requirements.txt installed; without it PyTorch is left out")
  .option("--plain-up-to <n>", "largest width of the reference interpreter and ml-matrix", "1024")
  .option("--recompute-up-to <n>", "largest width of the PyTorch script that recomputes everything", "4096")
  .option("--only <text...>", "contenders whose names contain one of these")
  .option("--backend <name>", "cpu, or gpu: the model of a step's traffic, and what an adapter reaches", "cpu")
  .option("--runs <k>", "with --backend gpu, runs at once", "64")
  .addOption(
    new Option("--activations <format>", "with --backend gpu, how they are stored")
      .choices(ACTIVATIONS)
      .default("float32"),
  )
  .option("--model", "with --backend gpu, the model alone")
  .option("--array-library", "with --backend gpu, kernels written from a program beside TensorFlow.js on WebGPU")
  .parse()
  .opts<{
    widths: string[]
    samples: string
    repeats: string
    seconds: string
    python?: string
    plainUpTo: string
    recomputeUpTo: string
    only?: string[]
    backend: string
    runs: string
    activations: Activations
    model?: boolean
    arrayLibrary?: boolean
  }>()

const say = (line: string) => process.stdout.write(`${line}\n`)
if (options.backend === "gpu") {
  const { model = false, activations } = options
  const [widths, runs] = [options.widths.map(Number), Number(options.runs)]
  if (options.arrayLibrary) await benchArrayLibrary({ widths, seeds: runs, repeats: Number(options.repeats) }, say)
  else await benchGpu({ widths, runs, model, activations }, say)
  process.exit()
}
const folder = await mkdtemp(join(tmpdir(), "bench-"))
try {
  const compiler = await compiled()
  if (compiler === null) say("no C compiler (cc): the plain C loops and the roofline are left out")
  if (options.python === undefined) say("no --python: PyTorch is left out")
  say(`${process.version}, ${cpus()[0]!.model}, ${cpus().length} cores, N = ${options.samples}, r = 4\n`)
  const limits = compiler === null ? null : await machine(join(folder, "machine"))
  if (limits !== null)
    say(`one core: ${(limits.flops / 1e9).toFixed(1)} GFLOP/s, ${(limits.bytes / 1e9).toFixed(1)} GB/s read\n`)
  for (const width of options.widths.map(Number)) await compare(width, compiler !== null, limits)
} finally {
  await rm(folder, { recursive: true })
}

async function compare(
  width: number,
  hasC: boolean,
  limits: Awaited<ReturnType<typeof machine>> | null,
): Promise<void> {
  const config: TeacherStudentConfig = {
    width,
    rank: 4,
    inputs: 5,
    samples: Number(options.samples),
    teacherWidth: 64,
    readout: 0.5,
    steps: 50,
    seed: 1,
    start: { A: width ** -0.5, B: 0 },
    rates: RATES,
    recordEvery: 1000,
  }
  const contenders = await open(config, hasC)
  const [ours] = contenders
  const expected = (await ours!.train(50)).loss
  for (const { name, train } of contenders) {
    const { loss } = await train(50)
    if (!(Math.abs(loss - expected) <= 1e-3 * expected)) throw new Error(`${name}: loss ${loss}, ours ${expected}`)
  }
  // As many steps as last long enough, per contender.
  const steps = new Map<Contender, number>()
  for (const contender of contenders) {
    const { seconds } = await contender.train(3)
    steps.set(contender, Math.max(3, Math.min(2000, Math.ceil((Number(options.seconds) / seconds) * 3))))
  }
  const times = new Map(contenders.map((contender) => [contender, [] as number[]]))
  for (let repeat = 0; repeat < Number(options.repeats); repeat++)
    for (const contender of contenders) {
      const count = steps.get(contender)!
      times.get(contender)!.push((await contender.train(count)).seconds / count)
    }
  const reference = times.get(ours!)!
  const rows = contenders.map((contender) => {
    const own = times.get(contender)!
    const ratios = own.map((time, i) => time / reference[i]!).sort((x, y) => x - y)
    const digits = (x: number) => x.toPrecision(3)
    return [
      contender.name,
      digits(median(own) * 1000),
      digits(median(ratios)),
      `${digits(ratios[0]!)} … ${digits(ratios.at(-1)!)}`,
    ]
  })
  say(`n = ${width}; loss after 50 steps ${expected.toPrecision(6)}, all within 1e-3 of it\n`)
  say(markdownTable([["contender", "ms a step", "ratio", "spread"], ...rows], { align: ["l", "r", "r", "r"] }))
  say(limits === null ? "" : `\n${roofline(config, median(reference), limits)}\n`)
  for (const contender of contenders) await contender.close()
}

async function open(config: TeacherStudentConfig, hasC: boolean): Promise<Contender[]> {
  const { width, samples, inputs } = config
  const data = await writeRun(config, folder)

  const kernel = async (threads: number) => {
    const trainer = await openTrainer(config, { threads })
    const name = `our kernel, ${trainer.backend}, ${threads} thread${threads > 1 ? "s" : ""}`
    return inside(name, async (steps) => (await trainer.train({ ...config, steps })).finalLoss, trainer.close)
  }
  const wanted = (name: string) => options.only === undefined || options.only.some((text) => name.includes(text))
  const contenders = [await kernel(1), await kernel(2)]
  const add = async (name: string, make: () => Contender | Promise<Contender>) => {
    if (wanted(name)) contenders.push(await make())
  }
  const sizes = [folder, String(width), String(samples)]
  if (hasC) await add("C", () => outside("C, plain loops, 1 thread", join(folder, "adapter"), sizes, 1))
  if (options.python !== undefined)
    for (const mode of ["eager", "compiled", "recomputed"])
      for (const threads of [1, 2]) {
        if (mode === "recomputed" && width > Number(options.recomputeUpTo)) continue
        const name = `PyTorch ${mode}, ${threads} thread${threads > 1 ? "s" : ""}`
        const parameters = [join(here, "adapter.py"), ...sizes, String(inputs), mode, String(threads)]
        await add(name, () => outside(name, options.python!, parameters, threads))
      }
  if (width <= Number(options.plainUpTo)) {
    await add("reference interpreter", () => inside("our reference interpreter, float64", interpreter(config)))
    await add("ml-matrix", () => inside("ml-matrix, float64", mlMatrix(config, data)))
  }
  return contenders
}

/** The C programs, built into the folder; null where there is no compiler. -ffast-math, or cc vectorises no sum. */
async function compiled(): Promise<true | null> {
  try {
    await run("cc", ["--version"])
  } catch {
    return null
  }
  for (const name of ["adapter", "machine"])
    await run("cc", ["-O3", "-march=native", "-ffast-math", join(here, `${name}.c`), "-o", join(folder, name), "-lm"])
  return true
}

function median(values: readonly number[]): number {
  return [...values].sort((x, y) => x - y)[Math.floor(values.length / 2)]!
}
