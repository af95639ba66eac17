/** What a trainer logged beside the checkpoints: losses, rates and gradient norms by step. */
import { readdir } from "node:fs/promises"
import { basename, join } from "node:path"
import { z } from "zod"
import { allowedBy, valueAt } from "../checkpoint/issue.js"
import { MalformedFile } from "../checkpoint/malformed.js"
import { readJson } from "../checkpoint/readJson.js"
import { InputError } from "../inputError.js"
import { readTable } from "../table/readTable.js"
import type { Table } from "../table/table.js"
import { type LogEntry, LOG_NAMES as NAMES } from "./logEntry.js"
import { readEvents } from "./tensorBoard.js"

/** A log, and the file that it was read from. */
export interface Log {
  readonly source: string
  readonly entries: readonly LogEntry[]
}

/** What was found beside checkpoints. */
interface Found {
  /** Null where no log lies there. */
  readonly log: Log | null
  /** Files that could have been a log and are no table at all, each with what is wrong with it. */
  readonly unread: readonly string[]
}

/** JSON has no nan; a diverged loss stands as NaN, which Python writes and JSON forbids, or as a text. */
const Logged = z.union([z.number(), z.string(), z.null()]).optional()
const State = z.object({
  log_history: z.array(z.looseObject({ step: z.number(), loss: Logged, learning_rate: Logged, grad_norm: Logged })),
})

/** A `trainer_state.json` as the transformers library writes it. @throws MalformedFile for one that is not. */
async function readTrainerState(path: string): Promise<LogEntry[]> {
  const given = await readJson(path, 256 * 2 ** 20, true)
  const state = State.safeParse(given)
  if (!state.success) {
    const [issue] = state.error.issues
    const part = issue!.path.map(String).join(".") || "file"
    throw new MalformedFile(
      { file: path, byte: null, part },
      valueAt(given, issue!),
      allowedBy(issue!),
      '{"log_history":[{"step":5}]}',
    )
  }
  const entries = state.data.log_history
    .filter((entry) => entry.loss !== undefined || entry.learning_rate !== undefined)
    .map(({ step, loss, learning_rate, grad_norm }) => ({
      step,
      loss: numberOf(loss),
      rate: numberOf(learning_rate),
      gradientNorm: numberOf(grad_norm),
    }))
  return entries
}

function numberOf(value: string | number | null | undefined): number | null {
  return value === undefined || value === null ? null : Number(value)
}

/** A table with a column of steps, as exported by W&B or written by a script; null where it has none of the columns. */
function logOf(table: Table): LogEntry[] | null {
  const find = (names: readonly string[]) => {
    const name = table.find(names)
    return name === null ? null : table.column(name)
  }
  const [step, loss, rate, norm] = [find(NAMES.step), find(NAMES.loss), find(NAMES.rate), find(NAMES.gradientNorm)]
  if (step === null || (loss === null && rate === null)) return null
  return Array.from({ length: table.length }, (_, row) => ({
    step: step.number(row, "a step"),
    loss: loss?.value(row) ?? null,
    rate: rate?.value(row) ?? null,
    gradientNorm: norm?.value(row) ?? null,
  })).filter((entry) => entry.loss !== null || entry.rate !== null)
}

/** The most files of one kind that are looked at in a folder. */
const MOST_FILES = 50

/**
 * The log that lies in one of the folders: a trainer's state first (the longest, for each checkpoint keeps its own),
 * then TensorBoard's events, then tables.
 *
 * @throws InputError for a log that cannot be read.
 */
export async function findLog(folders: readonly string[]): Promise<Found> {
  const files = (
    await Promise.all(folders.map(async (folder) => (await names(folder)).map((name) => join(folder, name))))
  ).flat()
  const states: Log[] = []
  for (const source of files.filter((path) => basename(path) === "trainer_state.json"))
    states.push({ source, entries: await readTrainerState(source) })
  const state = longest(states)
  if (state !== null && state.entries.length > 0) return { log: state, unread: [] }
  const events: Log[] = []
  for (const source of files.filter((path) => /\.tfevents\./.test(basename(path))).slice(0, MOST_FILES))
    events.push({ source, entries: await readEvents(source) })
  const event = longest(events)
  if (event !== null && event.entries.length > 0) return { log: event, unread: [] }
  const tables: Log[] = []
  const unread: string[] = []
  for (const source of files.filter((path) => /\.(csv|tsv|jsonl)$/.test(path)).slice(0, MOST_FILES)) {
    const table = await readTable(source).catch((error: unknown) => {
      // Data and predictions lie beside adapters too.
      if (!(error instanceof InputError)) throw error
      unread.push(error.message)
      return null
    })
    const entries = table === null ? null : logOf(table)
    if (entries !== null) tables.push({ source, entries })
  }
  return { log: longest(tables) ?? state, unread }
}

function longest(logs: readonly Log[]): Log | null {
  return logs.reduce<Log | null>(
    (best, log) => (best === null || log.entries.length > best.entries.length ? log : best),
    null,
  )
}

async function names(folder: string): Promise<string[]> {
  return (await readdir(folder).catch(() => [])).sort()
}

/** Steps that are summed one by one; of more, every second, third … stands for its neighbours. */
const MOST_STEPS = 1_000_000

/**
 * The sum of the learning rates of the steps after `from` up to `to`: linear between logged steps, and before the first
 * and after the last as the nearest two say, never below 0; null where no rate is logged.
 */
export function rateSum(log: Log | null, from: number, to: number): number | null {
  const known = (log?.entries ?? []).flatMap(({ step, rate }) =>
    rate === null || !(rate >= 0) ? [] : [{ step, rate }],
  )
  if (known.length === 0) return null
  known.sort((p, q) => p.step - q.step)
  // A folder may claim any number of steps.
  const stride = Math.ceil((to - from) / MOST_STEPS)
  let sum = 0
  let i = 0
  for (let step = from + 1; step <= to; step += stride) {
    while (i + 2 < known.length && known[i + 1]!.step < step) i++
    const [p, q] = [known[i]!, known[Math.min(i + 1, known.length - 1)]!]
    const slope = q.step === p.step ? 0 : (q.rate - p.rate) / (q.step - p.step)
    sum += stride * Math.max(0, p.rate + slope * (step - p.step))
  }
  return sum
}
