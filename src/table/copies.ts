import type { Roles } from "./runColumns.js"
import type { Table } from "./table.js"

/**
 * Rows that are in the table before, the same in every column: a file that was written twice, and no repetitions. Only
 * where the names of runs show it: without the copies each run has one row, or one a step.
 */
export function copiesOf(table: Table, { run, step }: Pick<Roles, "run" | "step">): number[] {
  if (run === null) return []
  const seen = new Set<string>()
  const own = new Set<string>()
  const copies: number[] = []
  for (const [row, cells] of table.cells.rows.entries()) {
    const all = JSON.stringify(cells)
    if (seen.has(all)) {
      copies.push(row)
      continue
    }
    seen.add(all)
    const name = JSON.stringify([run.text(row), step?.text(row) ?? ""])
    if (own.has(name)) return []
    own.add(name)
  }
  return copies
}
