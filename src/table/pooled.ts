/** Columns in which runs of one setting differ: are they settings too, the runs are no repetitions. */
import { refusalOf } from "./refusal.js"
import type { Run } from "./runs.js"
import type { Column } from "./table.js"

/**
 * Columns in which some runs at one setting differ, with values that come back at others: they may be settings.
 * Measurements, names and dates differ everywhere and do not come back.
 *
 * @throws InputError asking for --by where that is so at half of the settings or more.
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
  if (repeated.length === 0) return []
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
