/** The built command beside another commit's, in turn: start, derivations, the catalogue, proofs, measurements. */
import { spawn } from "node:child_process"
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises"
import { cpus, tmpdir } from "node:os"
import { join } from "node:path"
import type { Readable } from "node:stream"
import { markdownTable } from "markdown-table"
import { builtCommit, ROOT } from "../scripts/builtCommit.js"

/** What one process took. */
interface Taken {
  readonly seconds: number
  /** Of processor time, all threads. */
  readonly processor: number
}

/** A command as typed; `cold` empties the cache of derivations first, `isLong` runs it only where it is named. */
interface Benchmark {
  readonly name: string
  readonly parameters: readonly string[]
  /** Whether it is a script, which is told the checkout's folder last, and not the project's command. */
  readonly isScript?: boolean
  readonly cold?: boolean
  readonly isLong?: boolean
}

/** Six adapted layers: what a derivation takes long for. */
const SIX_LAYERS = {
  name: "six-layers-init-a",
  title: "Init[A] on six layers",
  start: { A: { exponent: "-1/2" }, B: "zero" },
  rates: { A: "c", B: "c" },
  optimiser: "sign",
  network: { layers: 6, activation: "relu", residual: false },
  example: { c: "-3/4" },
}

/**
 * The full section of layers at six layers and one readout, with widths, seeds, rates and further measurements as it has
 * them: what no option of the command asks for.
 */
const SIX_LAYERS_SECTION = `
const built = (path) => import("file://" + process.argv[2] + "/dist/" + path)
const { layerLaws } = await built("verify/layers/layers.js")
const { createPool } = await built("src/train/pool.js")
const { openStore } = await built("src/sweep/store.js")
const [pool, store] = [createPool(1), await openStore(":memory:", {})]
const widths = [128, 256, 512, 1024, 2048, 4096, 8192]
const budget = { widths, rank: 4, steps: 3, seeds: 64, firstSeed: 43000000 }
await layerLaws({ layers: [6], readouts: ["1/2"], places: ["features", "output", "beyond"], budget }, { pool, store })
await store.close()
await pool.close()
`

/** Nothing is kept, and one thread measures. */
const ALONE = ["--store", ":memory:", "--workers", "1"]

/** Tells its processor time, that of all its threads, as it ends. */
const TELL = `data:text/javascript,import{writeSync}from"node:fs";import{isMainThread}from"node:worker_threads";if(isMainThread)process.on("exit",()=>writeSync(3,JSON.stringify(process.cpuUsage())))`

/** What is compared. */
export interface CommandsBench {
  /** The other commit. */
  readonly against: string
  readonly repeats: number
  /** Commands whose names contain one of these; all if left out. */
  readonly only?: readonly string[]
}

/** Prints the medians of both and of their ratios; this checkout must be built, the other commit is built first. */
export async function benchCommands(
  { against: reference, repeats, only }: CommandsBench,
  say: (line: string) => void,
): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), "bench-"))
  const built = await builtCommit(reference)
  try {
    const sixLayers = join(folder, "sixLayers.json")
    await writeFile(sixLayers, JSON.stringify(SIX_LAYERS))
    const script = join(folder, "section.mjs")
    await writeFile(script, SIX_LAYERS_SECTION)
    const section = (size: string) => {
      return ["reproduce", "--only", "layers", size, "--out", join(folder, "report"), ...ALONE]
    }
    const benchmarks: Benchmark[] = [
      { name: "start", parameters: ["--help"] },
      { name: "derive init-a", parameters: ["derive", "init-a"], cold: true },
      { name: "derive, four symbols", parameters: ["derive", "init-ab"], cold: true },
      { name: "derive, six layers", parameters: ["derive", sixLayers], cold: true },
      { name: "schemes, nothing cached", parameters: ["schemes", "--json"], cold: true },
      { name: "schemes, cached", parameters: ["schemes", "--json"] },
      { name: "prove --checker kernel", parameters: ["prove", "--checker", "kernel"], cold: true },
      { name: "check, two layers", parameters: ["check", "two-layers-init-a", ...ALONE], cold: true },
      { name: "check, six layers", parameters: ["check", sixLayers, ...ALONE], cold: true },
      { name: "check, a block of Llama", parameters: ["check", "llama-block/init-a", ...ALONE], cold: true },
      { name: "section of two and three layers", parameters: section("--quick"), cold: true },
      {
        name: "section of six layers",
        parameters: [script],
        isScript: true,
        isLong: true,
      },
      { name: "whole section of layers", parameters: section("--full"), cold: true, isLong: true },
    ]
    const chosen = benchmarks.filter(({ name, isLong = false }) =>
      only === undefined ? !isLong : only.some((text) => (isLong ? name === text : name.includes(text))),
    )
    const rows: string[][] = []
    for (const benchmark of chosen) rows.push(await row(benchmark, [ROOT, built.folder], repeats, folder))
    say(`${process.version}, ${cpus()[0]!.model}, ${cpus().length} cores; medians of ${repeats}, in turn\n`)
    const head = [
      "command",
      "node -e 0",
      "here",
      reference,
      "ratio",
      "spread",
      "CPU here",
      `CPU ${reference}`,
      "CPU ratio",
    ]
    say(markdownTable([head, ...rows], { align: ["l", ...head.slice(1).map(() => "r")] }))
  } finally {
    await built.close()
    await rm(folder, { recursive: true })
  }
}

async function programOf(checkout: string): Promise<string> {
  const { bin } = JSON.parse(await readFile(join(checkout, "package.json"), "utf8")) as { bin: Record<string, string> }
  return join(checkout, bin["lora-scaling"]!)
}

/** A benchmark's medians: of an empty process, of both programs, and of the ratios of what was run in turn. */
async function row(
  { name, parameters, cold = false, isScript = false, isLong = false }: Benchmark,
  checkouts: readonly [string, string],
  repeats: number,
  folder: string,
): Promise<string[]> {
  const caches = [join(folder, "here"), join(folder, "there")]
  const empty: Taken[] = []
  const taken: [Taken[], Taken[]] = [[], []]
  const commands = await Promise.all(
    checkouts.map(async (checkout) =>
      isScript ? [...parameters, checkout] : [await programOf(checkout), ...parameters],
    ),
  )
  // Once before, so that files are read and what may be cached is: of no weight in minutes.
  for (let repeat = isLong ? 0 : -1; repeat < repeats; repeat++) {
    const nothing = await time(["-e", "0"], folder)
    if (repeat >= 0) empty.push(nothing)
    for (const [i, command] of commands.entries()) {
      if (cold) await rm(caches[i]!, { recursive: true, force: true })
      const one = await time(command, caches[i]!)
      if (repeat >= 0) taken[i]!.push(one)
    }
  }
  const [here, there] = taken
  const ratios = (of: keyof Taken) => here.map((one, i) => one[of] / there[i]![of]).sort((x, y) => x - y)
  const seconds = (all: readonly Taken[], of: keyof Taken) => `${median(all.map((one) => one[of])).toFixed(3)} s`
  const wall = ratios("seconds")
  return [
    name,
    seconds(empty, "seconds"),
    seconds(here, "seconds"),
    seconds(there, "seconds"),
    median(wall).toFixed(2),
    `${wall[0]!.toFixed(2)} … ${wall.at(-1)!.toFixed(2)}`,
    seconds(here, "processor"),
    seconds(there, "processor"),
    median(ratios("processor")).toFixed(2),
  ]
}

/** @throws Error with what the process wrote if it fails. */
function time(parameters: readonly string[], cache: string): Promise<Taken> {
  return new Promise((resolve, reject) => {
    const start = performance.now()
    const child = spawn(process.execPath, ["--import", TELL, ...parameters], {
      env: { ...process.env, XDG_CACHE_HOME: cache },
      stdio: ["ignore", "ignore", "pipe", "pipe"],
    })
    let [errors, told] = ["", ""]
    child.stderr!.on("data", (data) => {
      errors += data
    })
    ;(child.stdio[3] as Readable).on("data", (data) => {
      told += data
    })
    child.on("error", reject)
    child.on("close", (code) => {
      const seconds = (performance.now() - start) / 1000
      // 1 and nothing else said is a claim that was contradicted, after all that takes time.
      if (code !== 0 && (code !== 1 || errors !== ""))
        return reject(new Error(`${parameters.join(" ")} ended with ${code}: ${errors.slice(-1000)}`))
      const { user, system } = JSON.parse(told) as NodeJS.CpuUsage
      resolve({ seconds, processor: (user + system) / 1e6 })
    })
  })
}

function median(values: readonly number[]): number {
  return [...values].sort((x, y) => x - y)[Math.floor(values.length / 2)]!
}
