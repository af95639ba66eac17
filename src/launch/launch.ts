import { readFile, rm } from "node:fs/promises"
import type { SweepConfig } from "../sweep/config.js"
import type { PlannedRun } from "../sweep/plannedRun.js"
import { gather, prepare } from "./gather.js"
import { type Launcher, LaunchFailure, type TaskEnd } from "./launcher.js"
import { logOf, partsOf, type SweepArray } from "./sweepArray.js"

/** How an array is brought to its end. */
export interface LaunchOptions {
  /** Whether to wait for the tasks, begin again those that were killed, and merge; else they are only begun. */
  readonly wait: boolean
  /** What a person is told meanwhile, line by line. */
  readonly tell: (line: string) => void
  readonly signal: AbortSignal
  /** Versions, kept with every store that is made. */
  readonly environment: unknown
}

/**
 * Does an array's tasks and merges their stores into one, whatever an earlier launch has left of it. Tasks that ended
 * before their runs were done are begun again, as long as that stores something new and nobody cancelled them.
 *
 * @returns the sweep's runs, all stored; null where they are under way and nobody waits.
 * @throws LaunchFailure if tasks end without doing what they have to; the signal's reason if it aborts.
 */
export async function launch(
  config: SweepConfig,
  array: SweepArray,
  launcher: Launcher,
  { wait, tell, signal, environment }: LaunchOptions,
): Promise<readonly PlannedRun[] | null> {
  const found = await launcher.underWay()
  if (found > 0) tell(`${found} tasks are under way`)
  if (found > 0 && !wait) return null
  let before = -1
  for (;;) {
    const ends = await launcher.ended((progress) => tell(progressText(progress)), signal)
    const now = await gather(config, array, environment)
    if (now.missing.length === 0) {
      // All that the parts have is in the one store.
      for (const part of await partsOf(array)) await rm(part)
      return now.runs
    }
    const cancelled = now.missing.some((task) => ends.get(task)?.cancelled)
    if (before >= 0 && (cancelled || now.finished.size === before))
      throw new LaunchFailure(await failureText(array, now.missing, ends))
    tell(`${now.finished.size} runs are stored; ${now.missing.length} of ${array.count} tasks have runs to do`)
    await prepare(now, array, environment)
    await launcher.start(now.missing)
    if (!wait) return null
    before = now.finished.size
  }
}

function progressText({ running, waiting, ended, why }: Parameters<Parameters<Launcher["ended"]>[0]>[0]): string {
  return `tasks: ${ended} ended, ${running} running, ${waiting} waiting${why === undefined ? "" : ` (${why})`}`
}

/** How many tasks a failure names. */
const NAMED = 5

async function failureText(
  array: SweepArray,
  missing: readonly number[],
  ends: ReadonlyMap<number, TaskEnd>,
): Promise<string> {
  const lines = await Promise.all(
    missing.slice(0, NAMED).map(async (task) => {
      const said = await lastLine(logOf(array, task))
      return `  task ${task}: ${ends.get(task)?.words ?? "ended"}${said === "" ? "" : `; ${said}`}`
    }),
  )
  const more = missing.length > NAMED ? [`  and ${missing.length - NAMED} more`] : []
  return [
    `${missing.length} of ${array.count} tasks ended before their runs were done:`,
    ...lines,
    ...more,
    `what they said: ${logOf(array, "*")}`,
    "the same command goes on from what is stored",
  ].join("\n")
}

async function lastLine(path: string): Promise<string> {
  const text = await readFile(path, "utf8").catch(() => "")
  return text.trimEnd().split("\n").at(-1)!
}
