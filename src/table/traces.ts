/** Which rows are one run. */
import { groupsOf } from "./groups.js"
import { refusalOf } from "./refusal.js"
import type { Roles } from "./runColumns.js"
import type { Column, Table } from "./table.js"

/** What was set for a run. */
export interface RunSetting {
  /** Its values in the columns of `by`. */
  readonly by: readonly string[]
  readonly model: string | null
  readonly width: number
  /** null where no rate is asked for. */
  readonly rate: number | null
  /** Empty where the table has none. */
  readonly seed: string
}

/** A run before its outcome is known: rows in the order of their steps. */
export interface RunRows {
  readonly rows: readonly number[]
  readonly setting: RunSetting
}

/**
 * Rows put together to runs, in the order of their steps.
 *
 * @param settings of each row; null for a row that belongs to no run.
 * @param says gets a sentence for what was left out or taken for granted.
 * @throws InputError for several values at a step of a run, or a scheduled rate without a column that names the runs.
 */
export function tracesOf(
  table: Table,
  roles: Roles,
  settings: readonly (RunSetting | null)[],
  says: string[],
): RunRows[] {
  const used = settings.flatMap((setting, row) => (setting === null ? [] : [row]))
  const keyOf = (row: number, withRate = true) => {
    const { by, model, width, rate, seed } = settings[row]!
    return JSON.stringify([by, model, width, seed, withRate ? rate : 0])
  }
  const steps = roles.step === null ? null : stepsOf(table, roles)
  const plain = (rows: readonly number[]): RunRows[] => rows.map((row) => ({ rows: [row], setting: settings[row]! }))
  const named =
    roles.run === null || steps === null
      ? null
      : byName(roles.run.name, used, (row) => roles.run!.text(row), keyOf, steps)
  const traces: RunRows[] = []
  if (named !== null) {
    refuseSeveral(table, roles, named, steps!)
    let [scheduled, rising] = [0, 0]
    for (const rows of named) {
      const ordered = [...rows].sort((x, y) => steps![x]! - steps![y]!)
      const rates = ordered.map((row) => settings[row]!.rate).filter((x): x is number => x !== null && !Number.isNaN(x))
      const peak = rates.length === 0 ? null : Math.max(...rates)
      if (new Set(rates).size > 1) scheduled++
      if (rates.length > 1 && rates.at(-1)! > rates.at(-2)!) rising++
      else if (roles.rate === null || peak !== null)
        traces.push({ rows: ordered, setting: { ...settings[ordered[0]!]!, rate: peak } })
    }
    if (scheduled > 0)
      says.push(
        `Column ${roles.rate!.name} varies within ${scheduled} runs, a schedule: each run counts at its largest rate. If the table has the base rate, name its column with --rate.`,
      )
    if (rising > 0)
      says.push(`${rising} runs ended while their rate was still rising: their base rate is unknown, left out.`)
    return traces
  }
  const withRate = used.filter((row) => !Number.isNaN(settings[row]!.rate))
  if (withRate.length < used.length) says.push(`${used.length - withRate.length} rows without a rate: left out.`)
  if (steps === null) return plain(withRate)
  refuseSchedule(table, roles, withRate, keyOf, steps)
  for (const rows of groupsOf(withRate, keyOf).values()) {
    // Of rows that repeat a step, the k-th of each belongs to the k-th run.
    const seen = new Map<number, number>()
    const own: number[][] = []
    for (const row of rows) {
      const before = seen.get(steps[row]!) ?? 0
      seen.set(steps[row]!, before + 1)
      own[before] ??= []
      own[before]!.push(row)
    }
    for (const run of own) traces.push({ rows: run.sort((x, y) => steps[x]! - steps[y]!), setting: settings[run[0]!]! })
  }
  return traces
}

function stepsOf(table: Table, { step, value }: Roles): Float64Array {
  return Float64Array.from({ length: table.length }, (_, row) => {
    if (step!.text(row) === "" && value.value(row) === null) return -1
    return step!.number(row, "a step, a number", "100")
  })
}

/**
 * The rows of each name, if the column names runs: a name has one setting but for the rate, and is not just the row's
 * number.
 */
function byName(
  column: string,
  rows: readonly number[],
  nameOf: (row: number) => string,
  keyOf: (row: number, withRate?: boolean) => string,
  steps: Float64Array,
): readonly number[][] | null {
  const names = groupsOf(rows, nameOf)
  if (names.has("")) return null
  for (const own of names.values()) if (own.some((row) => keyOf(row, false) !== keyOf(own[0]!, false))) return null
  if (names.size < rows.length) return [...names.values()]
  // A name of its own for each row: runs, unless rows of one setting go through the steps.
  const keys = [...groupsOf(rows, (row) => keyOf(row)).values()]
  const logs = keys.filter((own) => own.length > 1 && new Set(own.map((row) => steps[row])).size === own.length)
  return column !== "" && logs.length < keys.length / 2 ? [...names.values()] : null
}

/**
 * @throws InputError naming two rows where most runs have several values at a step that a column tells apart: what was
 * measured, not when.
 */
function refuseSeveral(
  table: Table,
  { value, run, others }: Roles,
  named: readonly (readonly number[])[],
  steps: Float64Array,
): void {
  let runs = 0
  let first: readonly [number, number, Column] | null = null
  for (const rows of named) {
    const seen = new Map<number, number>()
    const pair = rows.flatMap((row) => {
      if (value.value(row) === null) return []
      const before = seen.get(steps[row]!)
      seen.set(steps[row]!, row)
      return before === undefined ? [] : [[before, row] as const]
    })[0]
    if (pair === undefined) continue
    const column = others.find(
      (other) => other.label(pair[0]) !== other.label(pair[1]) && !NUMERIC.test(other.text(pair[0])),
    )
    if (column === undefined) continue
    runs++
    first ??= [...pair, column]
  }
  if (first === null || runs <= named.length / 2) return
  const [before, row, column] = first
  const name = JSON.stringify(column.name)
  throw refusalOf({
    field: `${table.place(before)} and ${table.place(row)}`,
    given: `${column.name} ${column.text(before)} and ${column.text(row)}`,
    allowed: `one value at a step of a run (${run!.name} ${run!.text(row)}): these differ in column ${name}. --by fits each, --pool says that it does not matter`,
    example: `--by ${name}`,
  })
}
/** Other measurements, and times, differ from row to row and tell nothing apart. */
const NUMERIC = /^[-+\d]/

/** @throws InputError where the rate changes from step to step, and no column says which rows are one run. */
function refuseSchedule(
  table: Table,
  { rate, step }: Roles,
  rows: readonly number[],
  keyOf: (row: number, withRate?: boolean) => string,
  steps: Float64Array,
): void {
  if (rate === null) return
  const single = [...groupsOf(rows, (row) => keyOf(row)).values()].filter((own) => own.length === 1).length
  if (single <= rows.length / 2) return
  let inSegments = 0
  for (const own of groupsOf(rows, (row) => keyOf(row, false)).values()) {
    let start = 0
    for (let i = 1; i <= own.length; i++) {
      if (i < own.length && steps[own[i]!]! > steps[own[i - 1]!]!) continue
      if (i - start >= 3) inSegments += i - start
      start = i
    }
  }
  if (inSegments <= rows.length / 2) return
  throw refusalOf({
    field: `${table.file}, column ${rate.name}`,
    given: `rates that change with ${step!.name}`,
    allowed:
      "a base rate for each run: the scheduled rate tells it only where a column names the runs; --run names that column, --step none says that these are no steps",
    example: "--run run_name",
  })
}
