import { groupsOf } from "./groups.js"
import type { Outcome } from "./outcome.js"
import type { Roles } from "./runColumns.js"
import type { Table } from "./table.js"
import type { RunSetting } from "./traces.js"

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

/**
 * The runs without those that end as another of their setting, whatever the seed, where no repeated run ends otherwise:
 * copies of rows, or seeds that were not set. Taken for repetitions they would say that there is no noise.
 */
export function withoutTwins<T extends RunSetting & { readonly outcome: Outcome }>(runs: readonly T[]): readonly T[] {
  const repeated = groupsOf(runs, ({ by, model, width, rate }) => JSON.stringify([by, model, width, rate]))
  const once = [...repeated.values()].flatMap((own) => [...groupsOf(own, ({ outcome }) => endOf(outcome)).values()])
  const isTold = [...repeated.values()].some(
    (own) => new Set(own.flatMap(({ outcome }) => (outcome.kind === "value" ? [outcome.value] : []))).size > 1,
  )
  const hasTwins = once.some((own) => own.length > 1 && own[0]!.outcome.kind === "value")
  return isTold || !hasTwins ? runs : once.map(([run]) => run!)
}

function endOf(outcome: Outcome): string {
  return outcome.kind === "value" ? String(outcome.value) : outcome.kind
}
