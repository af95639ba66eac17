/** Contenders in turn on the step of the teacher-student experiment: ratios to our kernel, with their spread. */
import { mkdtemp, rm } from "node:fs/promises"
import { cpus, tmpdir } from "node:os"
import { join } from "node:path"
import { Command, Option } from "commander"
import { markdownTable } from "markdown-table"
import { openTrainer } from "../src/train/backend.js"
import { ACTIVATIONS, type Activations } from "../src/train/teacherStudent.js"
import type { TeacherStudentConfig } from "../src/train/teacherStudentConfig.js"
import { openCpu } from "../src/train/wasm/cpu.js"
import { nativeBuilds } from "../src/train/wasm/kernel.js"
import { benchArrayLibrary } from "./arrayLibrary.js"
import { benchCommands } from "./commands.js"
import { type Contender, inside, outside, RATES } from "./contender.js"
import { benchFineTuning } from "./fineTuning.js"
import { benchFrozenWeights } from "./frozenWeights.js"
import { benchGpu } from "./gpu.js"
import { buildNative, type Native } from "./native.js"
import { interpreter, mlMatrix } from "./plain.js"
import { type Machine, machine, roofline } from "./roofline.js"
import { writeRun } from "./runFiles.js"
import { benchSchemes } from "./schemes.js"
import { benchUpperBlocks } from "./upperBlocks.js"

const here = new URL(".", import.meta.url).pathname

const options = new Command("bench")
  .option("--threads <k...>", "with --fine-tuning, threads", ["1", "2"])
  .option("--widths <n...>", "widths", ["256", "1024", "4096", "16384"])
  .option("--samples <N>", "samples", "256")
  .option("--repeats <k>", "repetitions, contenders in turn", "7")
  .option("--seconds <s>", "least length of one measurement", "0.2")
  .option("--python <path>", "a Python with bench/requirements.txt installed; without it PyTorch is left out")
  .option("--plain-up-to <n>", "largest width of the reference interpreter and ml-matrix", "1024")
  .option("--recompute-up-to <n>", "largest width of the PyTorch script that recomputes everything", "4096")
  .option("--only <text...>", "contenders whose names contain one of these")
  .option("--against <reference>", "start, derivations, proofs and checks of the built command beside another commit's")
  .option("--backend <name>", "cpu, or gpu: the model of a step's traffic, and what an adapter reaches", "cpu")
  .option("--runs <k>", "with --backend gpu, runs at once", "64")
  .addOption(
    new Option("--activations <format>", "with --backend gpu, how they are stored")
      .choices(ACTIVATIONS)
      .default("float32"),
  )
  .option(
    "--fine-tuning",
    "a LoRA training step of a Llama-type model beside PyTorch and PEFT; --widths are hidden sizes",
  )
  .option(
    "--frozen-weights",
    "frozen weights of a pretrained model's shape in float32 beside bfloat16: memory and time",
  )
  .option(
    "--upper-blocks",
    "a LoRA training step whose adapters are in the last two of eight blocks; --widths are hidden sizes",
  )
  .option("--schemes", "runs of schemes as fused loops beside the reference interpreter; --repeats are runs")
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
    against?: string
    backend: string
    runs: string
    activations: Activations
    model?: boolean
    fineTuning?: boolean
    schemes?: boolean
    upperBlocks?: boolean
    frozenWeights?: boolean
    threads: string[]
    arrayLibrary?: boolean
  }>()

const THREADS = [1, 2]

const say = (line: string) => process.stdout.write(`${line}\n`)
if (options.fineTuning) {
  const { python } = options
  if (python === undefined) say("nothing measured: --python, with torch, transformers and peft installed, is needed")
  else {
    const { widths, threads, repeats, only } = options
    const own = { sizes: widths.map(Number), threads: threads.map(Number), repeats: Number(repeats), python }
    await benchFineTuning(only === undefined ? own : { ...own, only }, say)
  }
  process.exit()
}
if (options.schemes) {
  benchSchemes({ widths: options.widths.map(Number), seeds: Number(options.repeats) }, say)
  process.exit()
}
if (options.frozenWeights) {
  await benchFrozenWeights(say)
  process.exit()
}
if (options.upperBlocks) {
  await benchUpperBlocks(options.widths.map(Number), say)
  process.exit()
}
if (options.backend === "gpu") {
  const { model = false, activations } = options
  const [widths, runs] = [options.widths.map(Number), Number(options.runs)]
  if (options.arrayLibrary) await benchArrayLibrary({ widths, seeds: runs, repeats: Number(options.repeats) }, say)
  else await benchGpu({ widths, runs, model, activations }, say)
  process.exit()
}
if (options.against !== undefined) {
  const { against, only } = options
  const own = { against, repeats: Number(options.repeats) }
  await benchCommands(only === undefined ? own : { ...own, only }, say)
  process.exit()
}
const folder = await mkdtemp(join(tmpdir(), "bench-"))
try {
  const native = await buildNative(folder)
  if (native === null) say("no C compiler (cc, gcc, clang): the C kernels and the roofline are left out")
  for (const line of native?.missing ?? []) say(line)
  if (options.python === undefined) say("no --python: PyTorch is left out")
  say(`${process.version}, ${cpus()[0]!.model}, ${cpus().length} cores, N = ${options.samples}, r = 4\n`)
  const limits = native === null ? null : await machine(native.machine)
  if (limits !== null) {
    const peaks = ([128, 256, 512] as const).map((bits) => `${(limits.flops[bits] / 1e9).toFixed(1)} on ${bits} bits`)
    say(`one core: GFLOP/s ${peaks.join(", ")}; ${(limits.bytes / 1e9).toFixed(1)} GB/s read\n`)
  }
  for (const width of options.widths.map(Number)) await compare(width, native, limits)
} finally {
  await rm(folder, { recursive: true })
}

async function compare(width: number, native: Native | null, limits: Machine | null): Promise<void> {
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
  const contenders = await open(config, native)
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
  const secondsOf = (contender: Contender) => times.get(contender)!
  for (const line of shares(contenders, secondsOf)) say(line)
  say(limits === null ? "" : `\n${roofline(config, median(reference), bitsOf(ours!), limits)}\n`)
  for (const contender of contenders) await contender.close()
}

async function open(config: TeacherStudentConfig, native: Native | null): Promise<Contender[]> {
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
  if (nativeBuilds().length > 0) await add("our kernel in WebAssembly", () => inWebAssembly(config))
  const sizes = [folder, String(width), String(samples)]
  for (const { name, file } of native?.vectors ?? [])
    for (const threads of THREADS)
      await add("C", () => outside(vectorName(name, threads), file, [...sizes, String(threads)], threads))
  if (native !== null) await add("C", () => outside("C, plain loops, 1 thread", native.plain, sizes, 1))
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

/** What takes the native build's place where there is no compiler. */
function inWebAssembly(config: TeacherStudentConfig): Contender {
  const trainer = openCpu(
    config,
    { precision: "float32", activations: "float32", threads: 1, memoryLimit: 2 ** 32 },
    "relaxed",
  )
  const name = `our kernel in WebAssembly, ${trainer.backend}, 1 thread`
  return inside(name, async (steps) => (await trainer.train({ ...config, steps })).finalLoss, trainer.close)
}

/** The bits of the vectors that one of our kernels works with. */
function bitsOf({ name }: Contender): 128 | 256 | 512 {
  return name.includes("avx512") ? 512 : name.includes("avx2") ? 256 : 128
}

function vectorName(instructions: string, threads: number): string {
  return `C, ${instructions} by hand, ${threads} thread${threads > 1 ? "s" : ""}`
}

/**
 * What share of the hand-written kernels ours reaches with as many threads, and what two threads gain, by times in
 * turn.
 */
function shares(contenders: readonly Contender[], times: (contender: Contender) => readonly number[]): string[] {
  const ratio = (x: Contender, y: Contender) => median(times(x).map((time, i) => time / times(y)[i]!)).toPrecision(3)
  const [one, two] = contenders as [Contender, Contender]
  const limits = contenders.filter(({ name }) => name.includes("by hand"))
  const ours = ({ name }: Contender) => (name.includes("1 thread") ? one : two)
  const pairs: (readonly [string, Contender, Contender])[] = [["our kernel", one, two]]
  for (let i = 0; i + 1 < limits.length; i += 2)
    pairs.push([limits[i]!.name.split(", 1 thread")[0]!, limits[i]!, limits[i + 1]!] as const)
  return [
    "",
    ...limits.map((limit) => `our time over that of ${limit.name}: ${ratio(ours(limit), limit)}`),
    ...pairs.map(([name, single, both]) => `two threads beside one, ${name}: ${ratio(single, both)} times as fast`),
  ]
}

function median(values: readonly number[]): number {
  return [...values].sort((x, y) => x - y)[Math.floor(values.length / 2)]!
}
