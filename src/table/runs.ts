/** Runs: rows with one setting, in the order of their steps, reduced to one outcome each. */

import { copiesOf } from "./copies.js"
import { groupsOf } from "./groups.js"
import { type Failure, type Meaning, meaningOf, type Outcome, type OwnWords, outcomeOf } from "./outcome.js"
import { type Roles, type RunColumns, rolesOf } from "./runColumns.js"
import { standIns } from "./standIns.js"
import type { Table } from "./table.js"
import { type RunRows, type RunSetting, tracesOf } from "./traces.js"

/** Which of a run's values counts: the last step's, the best, or the mean of the last so many. */
export type At = "last" | "best" | { readonly mean: number }

/** How runs are read. */
export interface RunRules {
  readonly at: At
  /** Which values are better. */
  readonly goal: "min" | "max"
  readonly words: OwnWords
}

/** One run: its settings and what became of it. */
export interface Run extends RunSetting {
  /** The index of the row that its outcome is from. */
  readonly row: number
  readonly outcome: Outcome
}

/** The runs of a table, and what was found, counted or left out on the way, a sentence each. */
export interface Runs {
  readonly runs: readonly Run[]
  readonly says: readonly string[]
}

/** This share of the longest run's steps at its width makes a run finished: logs skip the last few. */
const WHOLE = 0.95

/**
 * The runs of a table. Rows with the same settings that differ in the step are one run, and so are rows with one name
 * in a column that names runs. A rate that varies within such runs is a schedule: its peak counts.
 *
 * A run that stopped before the others at its width is unfinished, unless the table says that it finished; diverged where its last loss is no number, or twice
 * its first.
 *
 * @throws InputError naming file, row, column and text for a cell that cannot be read; or for a rate that is scheduled
 * in a table that does not say which rows are one run.
 */
export function runsOf(
  table: Table,
  columns: RunColumns,
  { at, goal, words }: RunRules,
): Runs & { readonly roles: Roles } {
  const meaning = meaningOf(words)
  const roles = rolesOf(table, columns, meaning)
  const says = [...table.cells.notes]
  const settings = settingsOf(table, roles, meaning, says)
  const copies = copiesOf(table, roles)
  for (const row of copies) settings[row] = null
  if (copies.length > 0)
    says.push(
      `${copies.length} rows are copies of earlier ones in every column (the first: ${table.place(copies[0]!)}): counted once.`,
    )
  const traces = tracesOf(table, roles, settings, says)
  const ended = traces.map((trace) => ({ trace, ...endOf(trace, roles, meaning, at, goal) }))
  const steps = longest(ended.map(({ trace, lastStep }) => ({ at: placeOf(trace.setting), lastStep })))
  const short = ended.filter(({ trace, lastStep }) => lastStep < WHOLE * steps.get(placeOf(trace.setting))!)
  // Where most runs end at steps of their own, ending early is no sign of anything.
  const early = new Set(short.length <= ended.length / 2 ? short : [])
  if (short.length > ended.length / 2)
    says.push(
      `Most runs end at different steps (column ${roles.step!.name}): each counts as finished at its own last step.`,
    )
  const runs = ended.map((end): Run => {
    const { trace, row, outcome, exploded, isFinished } = end
    if (!early.has(end) || isFinished || outcome.kind !== "value") return { ...trace.setting, row, outcome }
    const kind: Failure = exploded && goal === "min" ? "diverged" : "unfinished"
    const word = kind === "diverged" ? "stopped early, at twice its first loss or more" : "stopped early"
    return { ...trace.setting, row, outcome: { kind, word } }
  })
  const told = goal === "min" && roles.rate !== null ? withoutAbsurd(runs) : runs
  if (traces.some(({ rows }) => rows.length > 1)) says.push(stepsSay(roles, at))
  says.push(...counted(told, roles))
  return { runs: told, says, roles }
}

/** Losses this many times the least at their width, at a larger rate, are those of a run that diverged … */
const ABSURD = 100

/** … if none at the least one's rate or below is as large: a run that hardly learned has not diverged. */
function withoutAbsurd(runs: readonly Run[]): Run[] {
  const limits = new Map([...groupsOf(runs, placeOf)].map(([place, own]) => [place, limitOf(own)]))
  return runs.map((run) => {
    const limit = limits.get(placeOf(run))!
    if (run.outcome.kind !== "value" || limit === null || run.rate! <= limit.rate || run.outcome.value <= limit.value)
      return run
    return { ...run, outcome: { kind: "diverged", word: `more than ${ABSURD} times the least loss` } }
  })
}

/** The rate of the least loss, and the largest loss beyond it that a run may end with; null without a positive least. */
function limitOf(runs: readonly Run[]): { rate: number; value: number } | null {
  const ended = runs.flatMap(({ rate, outcome }) =>
    outcome.kind === "value" ? [{ rate: rate!, value: outcome.value }] : [],
  )
  if (ended.length === 0) return null
  const least = ended.reduce((best, run) => (run.value < best.value ? run : best))
  if (least.value <= 0) return null
  const slow = ended.filter(({ rate }) => rate <= least.rate)
  return {
    rate: least.rate,
    value: slow.reduce((largest, { value }) => Math.max(largest, value), ABSURD * least.value),
  }
}

function stepsSay({ step, run }: Roles, at: At): string {
  const which =
    at === "last"
      ? "the last step's value counts"
      : at === "best"
        ? "the best step's value counts"
        : `the mean of the last ${at.mean} values counts`
  return `Runs have several rows each, in the order of column ${step!.name}${run === null ? "" : `, named in column ${run.name}`}: ${which} (--at).`
}

/** How runs ended, in one line, and how to count otherwise. */
function counted(runs: readonly Run[], { state, rate }: Roles): string[] {
  const failures = (["diverged", "unfinished", "missing"] as const).flatMap((kind) => {
    const words = new Map<string, number>()
    for (const { outcome } of runs)
      if (outcome.kind === kind) words.set(outcome.word, (words.get(outcome.word) ?? 0) + 1)
    const total = [...words.values()].reduce((sum, n) => sum + n, 0)
    return total === 0 ? [] : [{ kind, total, words: [...words.keys()] }]
  })
  if (failures.length === 0) return []
  const valued = runs.filter(({ outcome }) => outcome.kind === "value").length
  const parts = failures.map(({ kind, total, words }) => `${total} ${kind} (${words.slice(0, 5).join(", ")})`)
  const open = failures.find(({ kind }) => kind !== "diverged")?.words[0]
  const hint =
    open === undefined || open.startsWith("stopped early") || rate === null
      ? ""
      : ` Those left out say nothing of the edge; --diverged ${JSON.stringify(open)} counts them as diverged.`
  return [
    `${runs.length} runs: ${valued} with a value, ${parts.join(", ")}${state === null ? "" : `; column ${state.name} says how they ended`}.${hint}`,
  ]
}

/** The settings of each row; null for a row that belongs to no run. */
function settingsOf(table: Table, roles: Roles, meaning: Meaning, says: string[]): (RunSetting | null)[] {
  const { width, rate, value, seed, by, model } = roles
  const rows = Array.from({ length: table.length }, (_, row) => row)
  const isMissing = (text: string) => meaning(text) === "missing"
  const zero: number[] = []
  const blank: number[] = []
  const rates = rows.map((row) => {
    if (rate === null) return null
    if (isMissing(rate.text(row))) {
      // A row of a log that has another measurement, or a run that never began.
      if (roles.step === null && value.value(row) !== null) throw rate.refusal(row, "a rate > 0 beside a value", "1e-3")
      return Number.NaN
    }
    const found = rate.number(row, "a rate > 0", "1e-3")
    if (found < 0) throw rate.refusal(row, "a rate > 0 (a logarithm of a rate is none)", "1e-3")
    return found
  })
  const widths = rows.map((row) => {
    if (isMissing(width.text(row)) && value.value(row) === null) return Number.NaN
    return width.positive(row)
  })
  const [sameWidth, sameRate] = [
    standIns(widths.filter((x) => x > 0)),
    standIns(rates.filter((x): x is number => x !== null && x > 0)),
  ]
  const spellings = (same: ReadonlyMap<number, number>) => [...same].filter(([x, y]) => x !== y).length
  if (spellings(sameRate) > 0 && roles.step === null)
    says.push(`${spellings(sameRate)} rates differ from others by less than 1e-5 of themselves and count as the same.`)
  const settings = rows.map((row): RunSetting | null => {
    const [n, lr] = [widths[row]!, rates[row]!]
    if (Number.isNaN(n)) {
      blank.push(row)
      return null
    }
    if (lr === 0) {
      zero.push(row)
      return null
    }
    return {
      by: by.map((column) => column.label(row)),
      model: model === null ? null : model.text(row),
      width: sameWidth.get(n)!,
      rate: lr === null || Number.isNaN(lr) ? lr : sameRate.get(lr)!,
      seed: seed === null ? "" : seed.label(row),
    }
  })
  if (zero.length > 0)
    says.push(
      `${zero.length} rows with rate 0 (the first: ${table.place(zero[0]!)}) have no place on a logarithmic axis: left out.`,
    )
  if (blank.length > 0)
    says.push(`${blank.length} rows with neither width nor value (the first: ${table.place(blank[0]!)}): left out.`)
  return settings
}

const placeOf = ({ by, model, width }: Omit<RunSetting, "rate" | "seed">) => JSON.stringify([by, model, width])

/** A run's outcome by its rows, and its last step with a value. */
function endOf({ rows }: RunRows, { value, step, state }: Roles, meaning: Meaning, at: At, goal: "min" | "max") {
  const cells = rows.map((row) => ({ row, outcome: outcomeOf(value, row, meaning) }))
  const told = cells.filter(({ outcome }) => outcome.kind !== "missing")
  const last = told.at(-1) ?? cells.at(-1)!
  const word = state === null ? "" : (rows.map((row) => state.word(row)).findLast((text) => text !== "") ?? "")
  const ended = word === "" ? null : meaning(word)
  if (word !== "" && ended === null)
    throw state!.columns[0]!.refusal(
      rows.findLast((row) => state!.word(row) === word)!,
      "a known word for how a run ended, such as finished, crashed, diverged; --finished, --unfinished, --diverged and --missing name others",
      `--finished ${JSON.stringify(word)}`,
    )
  const lastStep = step === null ? 0 : (step.value(last.row) ?? -1)
  const numbers = told.flatMap(({ outcome }) => (outcome.kind === "value" ? [outcome.value] : []))
  const exploded = numbers.length > 1 && numbers[0]! > 0 && numbers.at(-1)! >= 2 * numbers[0]!
  let { outcome } = last
  if (ended === "diverged") outcome = { kind: "diverged", word }
  else if (ended !== null && ended !== "finished" && outcome.kind !== "diverged") outcome = { kind: ended, word }
  else if (outcome.kind === "value") outcome = { kind: "value", value: valueAt(numbers, at, goal) }
  return { row: last.row, outcome, lastStep, exploded, isFinished: ended === "finished" }
}

function valueAt(values: readonly number[], at: At, goal: "min" | "max"): number {
  if (at === "last") return values.at(-1)!
  if (at === "best") return goal === "min" ? Math.min(...values) : Math.max(...values)
  const own = values.slice(-at.mean)
  return own.reduce((sum, x) => sum + x, 0) / own.length
}

function longest(ends: readonly { at: string; lastStep: number }[]): Map<string, number> {
  const found = new Map<string, number>()
  for (const { at, lastStep } of ends) found.set(at, Math.max(found.get(at) ?? 0, lastStep))
  return found
}
