/** Columns in which runs of one setting differ: are they settings too, the runs are no repetitions. */
import { groupsOf } from "./groups.js"
import { refusalOf } from "./refusal.js"
import type { Run } from "./runs.js"
import type { Column } from "./table.js"

/**
 * Columns in which some runs at one setting differ, with values that come back at others: they may be settings.
 * Measurements, names and dates differ everywhere and do not come back.
 *
 * @throws InputError asking for --by where that is so at half of the settings or more, or in the curves of most widths.
 */
export function partlyPooled(runs: readonly Run[], others: readonly Column[]): string[] {
  const groups = new Map<string, number[]>()
  for (const { by, model, width, rate, seed, row } of runs) {
    const key = JSON.stringify([by, model, width, rate, seed])
    const own = groups.get(key)
    if (own === undefined) groups.set(key, [row])
    else own.push(row)
  }
  const repeated = [...groups.values()].filter((rows) => rows.length > 1)
  const differing = repeated.length === 0 ? [] : someDiffer(runs, repeated, others)
  refuseHidden(runs, others)
  return differing
}

/** Columns in which runs differ at some settings with several. @throws InputError where they do at half or more. */
function someDiffer(
  runs: readonly Run[],
  repeated: readonly (readonly number[])[],
  others: readonly Column[],
): string[] {
  const most = repeated.reduce((least, rows) => Math.max(least, rows.length), 0)
  const rowsRepeated = repeated.reduce((sum, rows) => sum + rows.length, 0)
  const bound = Math.min(1.5 * most, rowsRepeated / 2)
  const differing: string[] = []
  for (const column of others) {
    const values = new Set<string>()
    for (const { row } of runs) {
      values.add(column.label(row))
      if (values.size > bound) break
    }
    if (values.size > bound || values.size < 2) continue
    const varied = repeated.filter((rows) => rows.some((row) => column.label(row) !== column.label(rows[0]!)))
    if (varied.length < repeated.length / 2) {
      if (varied.length > 0) differing.push(column.name)
      continue
    }
    const [first] = varied
    const other = first!.find((row) => column.label(row) !== column.label(first![0]!))!
    const name = JSON.stringify(column.name)
    throw refusalOf({
      field: `${column.table.place(first![0]!)} and ${column.table.place(other)}`,
      given: `${column.name} ${column.text(first![0]!)} and ${column.text(other)}`,
      allowed: `rows with the same settings: these differ in column ${name} alone. Is it a setting, fit each with --by; does it number repetitions, --seed; does it not matter, --pool`,
      example: `--by ${name}`,
    })
  }
  return differing
}

/** So many runs of a curve a value has on average that is one of a setting's few. */
const RUNS_A_VALUE = 3

/**
 * A setting that no two runs at one rate tell, as where rates are drawn at random: a column of few values in
 * the curves of most widths, mixed over the rates of each. What depends on the rate alone, such as a
 * warm-up or whether a run went well, is in order of the rates.
 *
 * @throws InputError asking for --by.
 */
function refuseHidden(runs: readonly Run[], others: readonly Column[]): void {
  const curves = [
    ...groupsOf(
      runs.filter(({ rate }) => rate !== null),
      ({ by, model, width, seed }) => JSON.stringify([by, model, width, seed]),
    ).values(),
  ].map((own) => [...own].sort((x, y) => x.rate! - y.rate!))
  for (const column of others) {
    const mixed = curves.filter((own) => isMixed(own.map(({ row }) => column.label(row))))
    if (mixed.length === 0 || mixed.length < curves.length / 2) continue
    const [first] = mixed
    const row = first![0]!.row
    const other = first!.find((run) => column.label(run.row) !== column.label(row))!.row
    const name = JSON.stringify(column.name)
    throw refusalOf({
      field: `${column.table.place(row)} and ${column.table.place(other)}`,
      given: `${column.name} ${column.text(row)} and ${column.text(other)}`,
      allowed: `runs of one curve that differ in the rate alone: at each width these differ in column ${name} too. Is it a setting, fit each with --by; does it name models, --model; does it number repetitions, --seed; does it not matter, --pool`,
      example: `--by ${name}`,
    })
  }
}

/** Whether values, in the order of the rates, are few and change more often than those of an order would. */
function isMixed(values: readonly string[]): boolean {
  const few = new Set(values).size
  const changes = values.filter((value, i) => i > 0 && value !== values[i - 1]).length
  return few > 1 && few * RUNS_A_VALUE <= values.length && changes > 2 * (few - 1)
}
