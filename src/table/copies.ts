import { groupsOf } from "./groups.js"
import type { Outcome } from "./outcome.js"
import type { Roles } from "./runColumns.js"
import type { Table } from "./table.js"
import type { RunSetting } from "./traces.js"

/**
 * Rows that are in the table before, the same in every column: a file that was written twice, and no repetitions. So
 * they are where, without them, each run that is named has one row, or one a step; and where no names of runs are,
 * if no two rows differ in the value alone, or every row of the table is there more than once.
 */
export function copiesOf(table: Table, { run, step, value }: Pick<Roles, "run" | "step" | "value">): number[] {
  const seen = new Map<string, number>()
  const own = new Set<string>()
  const copies: number[] = []
  let isRepeated = false
  for (const [row, cells] of table.cells.rows.entries()) {
    const all = JSON.stringify(cells)
    const times = seen.get(all) ?? 0
    seen.set(all, times + 1)
    if (times > 0) {
      copies.push(row)
      continue
    }
    const name = JSON.stringify(
      run === null ? cells.filter((_, index) => index !== value.index) : [run.text(row), step?.text(row) ?? ""],
    )
    if (own.has(name)) isRepeated = true
    own.add(name)
  }
  const isTwice = run === null && [...seen.values()].every((times) => times > 1)
  return isRepeated && !isTwice ? [] : copies
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
