import { groupsOf } from "../table/groups.js"
import type { ReportTable } from "./table.js"

/**
 * Assumptions as a derivation lists them, "sum of X with Y: independent", those that say the same of several things
 * together.
 *
 * @returns a row for all X of which the same is assumed with the same Y.
 */
export function assumptionTable(assumptions: readonly string[]): ReportTable {
  const all = assumptions.map((text) => {
    const [, subject = "", assumed = text] = /^(.*?): (.*)$/s.exec(text) ?? []
    const [of, other = ""] = subject.split(" with ")
    return { assumed, of: of!, other }
  })
  const rows = [...groupsOf(all, ({ assumed, of }) => JSON.stringify([assumed, of])).values()].map((own) => {
    return { ...own[0]!, others: listed(own.map(({ other }) => other)) }
  })
  return {
    columns: ["assumed", "of", "with"],
    rows: [...groupsOf(rows, ({ assumed }) => assumed).values()].flatMap((same) =>
      [...groupsOf(same, ({ others }) => others).values()].map((own, i) => {
        const [{ assumed, others }] = own as [(typeof own)[number]]
        return [i === 0 ? assumed : null, listed(own.map(({ of }) => of)), others]
      }),
    ),
  }
}

/** A list whose items after the first leave out the words that all begin with. */
function listed(items: readonly string[]): string {
  const [first, ...others] = items as [string, ...string[]]
  const start = BEGINNINGS.find((words) => items.every((item) => item.startsWith(words))) ?? ""
  return [first, ...others.map((item) => item.slice(start.length))].join("; ")
}

const BEGINNINGS = ["sum of a part along ", "a part along "]
