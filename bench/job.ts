/**
 * A finished teacher-student sweep beside the same job in PyTorch, of which a stated part is run: some steps of one run
 * a width, one run after the other with two threads. Our time is what the store says: seconds of its runs over the
 * threads.
 */
import { mkdtemp, rm } from "node:fs/promises"
import { cpus, tmpdir } from "node:os"
import { join } from "node:path"
import { Command } from "commander"
import { markdownTable } from "markdown-table"
import { plan, plannedSoFar } from "../src/sweep/plan.js"
import type { PlannedRun } from "../src/sweep/plannedRun.js"
import { readConfig } from "../src/sweep/readConfig.js"
import { openStore } from "../src/sweep/store.js"
import type { TeacherStudentConfig } from "../src/train/teacherStudentConfig.js"
import { outside } from "./contender.js"
import { writeRun } from "./runFiles.js"

const here = new URL(".", import.meta.url).pathname
const THREADS = 2

const command = new Command("job")
  .argument("<config>", "the sweep's configuration file; rank 4")
  .requiredOption("--store <file>", "the store of the finished sweep")
  .requiredOption("--python <path>", "a Python with bench/requirements.txt installed")
  .option("--steps <k>", "steps of PyTorch that are timed a width", "3")
  .option("--modes <mode...>", "eager or compiled (given the frozen activations), recomputed", ["eager", "recomputed"])
  .parse()
const options = command.opts<{ store: string; python: string; steps: string; modes: string[] }>()
const steps = Number(options.steps)

const config = await readConfig(command.args[0]!)
const store = await openStore(options.store, {})
const runs = await plannedSoFar(plan(config), store)
const missing = runs.filter(({ id }) => !store.finished.has(id)).length
if (missing > 0) throw new Error(`${missing} runs of the sweep are not in ${options.store}: finish it first`)
const rows = await store.connection.runAndReadAll("select id, seconds from stored")
const stored = new Map(rows.getRows().map(([id, seconds]) => [String(id), Number(seconds)]))
await store.close()

const widths = [...new Set(runs.map((run) => configOf(run).width))].sort((x, y) => x - y)
const folder = await mkdtemp(join(tmpdir(), "job-"))
const table: { width: number; runs: number; ours: number; theirs: number[] }[] = []
try {
  for (const width of widths) {
    const own = runs.filter((run) => configOf(run).width === width)
    const ours = own.reduce((sum, { id }) => sum + stored.get(id)!, 0) / THREADS
    const one = configOf(own[0]!)
    await writeRun(one, folder)
    const theirs: number[] = []
    for (const mode of options.modes) theirs.push((await secondsAStep(one, mode)) * one.steps * own.length)
    table.push({ width, runs: own.length, ours, theirs })
  }
} finally {
  await rm(folder, { recursive: true })
}

const all = runs.reduce((sum, run) => sum + configOf(run).steps, 0)
const total = table.reduce((sum, { ours }) => sum + ours, 0)
const totals = options.modes.map((_, i) => table.reduce((sum, { theirs }) => sum + theirs[i]!, 0))
const cells = (ours: number, theirs: readonly number[]) => [
  ours.toFixed(1),
  ...theirs.flatMap((seconds) => [seconds.toFixed(0), (seconds / ours).toFixed(1)]),
]
const head = ["width", "runs", "ours, s", ...options.modes.flatMap((mode) => [`PyTorch ${mode}, s`, "ratio"])]
const lines = table.map(({ width, runs: count, ours, theirs }) => [
  String(width),
  String(count),
  ...cells(ours, theirs),
])
process.stdout.write(
  `${process.version}, ${cpus()[0]!.model}, ${THREADS} threads each. PyTorch: ${steps * widths.length} of ${all} steps run, ` +
    `the rest reckoned from them; a run that diverges ends early in ours only.\n\n` +
    `${markdownTable([head, ...lines, ["all", String(runs.length), ...cells(total, totals)]], { align: head.map(() => "r") })}\n`,
)

function configOf({ task }: PlannedRun): TeacherStudentConfig {
  if (task.kind !== "synthetic") throw new Error("a sweep of the teacher-student experiment is needed")
  return task.config
}

async function secondsAStep({ width, samples, inputs }: TeacherStudentConfig, mode: string): Promise<number> {
  const sizes = [folder, width, samples, inputs].map(String)
  const contender = await outside(
    mode,
    options.python,
    [join(here, "adapter.py"), ...sizes, mode, String(THREADS)],
    THREADS,
  )
  const { seconds } = await contender.train(steps)
  await contender.close()
  return seconds / steps
}
