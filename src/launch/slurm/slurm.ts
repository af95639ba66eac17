import { setTimeout as pause } from "node:timers/promises"
import { type Launcher, LaunchFailure, type Progress, type TaskEnd } from "../launcher.js"
import { nameOf, type SweepArray } from "../sweepArray.js"
import { said } from "./command.js"
import { numbersOf } from "./ranges.js"
import { arrayScript, mergeScript, type SlurmRequest } from "./script.js"

/** Milliseconds from a look at the queue to the next: few at first and after a change, then longer. */
const LOOKS = { first: 500, longer: 1.5, longest: 15_000 }

/** How often in a row the queue may not answer before the wait is given up. */
const MOST_SILENT = 20

/** A job of an array in Slurm's queue. */
interface Queued {
  readonly job: string
  /** The task's number; null for the merge. */
  readonly task: number | null
  readonly state: string
  readonly reason: string
}

/** Tasks as an array job of Slurm, with a job behind it that merges what they have stored. */
export function slurmLauncher(array: SweepArray, request: SlurmRequest, tell: (line: string) => void): Launcher {
  const jobs = new Set<string>()
  let begun: readonly number[] = []
  return {
    underWay: async () => (await queue(array)).length,
    async start(tasks) {
      const job = await submit(arrayScript(array, request, tasks))
      jobs.add(job)
      begun = tasks
      try {
        await submit(mergeScript(array, request), [`--dependency=afterany:${job}`])
      } catch (error) {
        await said("scancel", [job])
        throw error
      }
      tell(`array job ${job}: scancel ${job} ends it`)
    },
    async ended(told, signal) {
      let [seen, wait, silent] = ["", LOOKS.first, 0]
      for (;;) {
        signal.throwIfAborted()
        const rows = await queue(array).catch((error: unknown) => {
          silent++
          if (silent > MOST_SILENT) throw error
          return null
        })
        if (rows !== null) {
          silent = 0
          for (const { job, task } of rows) if (task !== null) jobs.add(job)
          const progress = progressOf(rows, begun.length)
          const now = JSON.stringify(progress)
          if (now !== seen && rows.length + begun.length > 0) told(progress)
          if (rows.length === 0) return await ends(jobs)
          // Who waits here merges here.
          if (rows.every(({ task }) => task === null))
            for (const { job } of rows) await said("scancel", ["--state=PENDING", job])
          wait = now === seen ? Math.min(LOOKS.longest, LOOKS.longer * wait) : LOOKS.first
          seen = now
        }
        await pause(wait, undefined, { signal })
      }
    },
  }
}

function progressOf(rows: readonly Queued[], begun: number): Progress {
  const tasks = rows.filter(({ task }) => task !== null)
  const waiting = tasks.filter(({ state }) => state === "PENDING")
  const why = (waiting[0] ?? rows.find(({ state }) => state === "PENDING"))?.reason
  return {
    running: tasks.length - waiting.length,
    waiting: waiting.length,
    ended: Math.max(0, begun - tasks.length),
    ...(why === undefined || why === "None" ? {} : { why }),
  }
}

/** Submits a script. @throws LaunchFailure with Slurm's words if it refuses it, or without Slurm. */
async function submit(script: string, words: readonly string[] = []): Promise<string> {
  const { out } = await asked("sbatch", ["--parsable", ...words], script)
  return out.trim().split(";")[0]!
}

/** The array's jobs that are waiting or running, a row a task. */
async function queue(array: SweepArray): Promise<Queued[]> {
  const { out } = await asked("squeue", ["--noheader", "--array", "--name", nameOf(array), "--format", "%F|%K|%T|%r"])
  return rowsOf(out).map(([job, task, state, reason]) => ({
    job: job!,
    task: /^\d+$/.test(task!) ? Number(task) : null,
    state: state!,
    reason: reason!,
  }))
}

/** How tasks ended, by Slurm's accounting; where there is none, by what it still remembers. */
async function ends(jobs: ReadonlySet<string>): Promise<Map<number, TaskEnd>> {
  const found = new Map<number, TaskEnd>()
  for (const job of jobs) {
    const words = ["--noheader", "--parsable2", "--allocations", "--format", "JobID,State,ExitCode", "--jobs", job]
    const accounted = await said("sacct", words)
    const rows =
      accounted?.code === 0
        ? rowsOf(accounted.out).map(([id, state, code]) => [id!.split("_")[1], state, code])
        : [...((await said("scontrol", ["--oneliner", "show", "job", job]))?.out ?? "").matchAll(REMEMBERED)].map(
            ([, ...row]) => row,
          )
    for (const [tasks, state, code] of rows)
      for (const task of numbersOf(tasks ?? "")) found.set(task, endOf(state!, code!))
  }
  return found
}

/** A job as scontrol shows it: the numbers of its tasks, its state, its exit code and signal. */
const REMEMBERED = /ArrayTaskId=(\S+) .*?JobState=(\w+) .*?ExitCode=(\d+:\d+)/g

/** @param code exit code and signal, as in 1:0. */
function endOf(state: string, code: string): TaskEnd {
  const [exit, signal] = code.split(":").map(Number)
  const how = signal ? `, signal ${signal}` : exit ? `, exit code ${exit}` : ""
  return { words: `${state}${how}`, cancelled: state.startsWith("CANCELLED") }
}

function rowsOf(text: string): string[][] {
  return text
    .split("\n")
    .filter((line) => line.trim() !== "")
    .map((line) => line.split("|"))
}

async function asked(program: string, words: readonly string[], input = ""): Promise<{ readonly out: string }> {
  const answer = await said(program, words, input)
  if (answer === null)
    throw new LaunchFailure(
      `no ${program} on this machine: launch slurm needs one that submits to Slurm, a login node for instance ` +
        "(Debian: apt-get install slurm-client, and the cluster's slurm.conf); launch local needs none",
    )
  if (answer.code !== 0) throw new LaunchFailure(`${program} refused: ${answer.err}`)
  return answer
}
