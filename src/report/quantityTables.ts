/** A derivation with a row for each quantity: for programs of more quantities than a table has columns. */
import { atStep, type Derivation } from "../derive/derive.js"
import { Condition } from "../exponent/condition.js"
import { formatCondition, formatExponent } from "../exponent/grammar.js"
import type { Site } from "../program/model.js"
import { groupsOf } from "../table/groups.js"
import { formatLimit, siteName } from "./derivation.js"
import type { ReportTable } from "./table.js"

/** The exponents step by step; sites with the same ones share a row, and steps with the same ones a column. */
export function quantityTable({ quantities, scheme }: Derivation, steps: number): ReportTable {
  const heads = [...Array.from({ length: steps }, (_, i) => String(i + 1)), LIMIT]
  const rows = rowsOfSites(scheme.program.model.sites, quantities, (quantity) => [
    ...heads.slice(0, -1).map((_, i) => formatExponent(atStep(quantity, i + 1))),
    formatExponent(quantity.limit),
    String(quantity.from ?? "later"),
    quantity.relation,
  ])
  const isSame = (i: number) => rows.every(({ cells }) => cells[i] === cells[i - 1])
  const spans = heads.reduce<number[][]>((all, _, i) => {
    if (i > 0 && isSame(i)) all.at(-1)!.push(i)
    else all.push([i])
    return all
  }, [])
  const isBound = rows.some(({ cells }) => cells.at(-1) === "atMost")
  return {
    columns: [
      "quantity",
      ...spans.map((span) => spanText(span.map((i) => heads[i]!))),
      "holds from",
      ...(isBound ? ["is"] : []),
    ],
    rows: rows.map(({ name, cells }) => [
      name,
      ...spans.map(([i]) => cells[i!]!),
      cells.at(-2)!,
      ...(isBound ? [cells.at(-1) === "atMost" ? "at most" : ""] : []),
    ]),
  }
}

/** The phase diagram: a row for each form of a quantity's limit, and where it holds; sites with the same share rows. */
export function formTable({ quantities, regions, scheme }: Derivation): ReportTable {
  const limits = (name: string) => regions.map(({ limits }) => formatLimit(limits[name]!))
  const rows = rowsOfSites(scheme.program.model.sites, quantities, (_, name) => limits(name))
  return {
    columns: ["quantity", "exponent", "where"],
    rows: rows.flatMap(({ name, cells }) =>
      [...new Set(cells)].map((form, i, forms) => {
        const own = regions.filter((_, k) => cells[k] === form).map(({ where }) => where)
        const where = forms.length === 1 ? "in all regions" : formatCondition(Condition.NEVER.or(...own).merged())
        return [i === 0 ? name : null, form, where]
      }),
    ),
  }
}

/** A row for each quantity, those of several sites that are equal in one: "zA[q, k]" for "zA[q]" and "zA[k]". */
function rowsOfSites<T>(
  sites: readonly Site[],
  quantities: Readonly<Record<string, T>>,
  cellsOf: (quantity: T, name: string) => readonly string[],
): { readonly name: string; readonly cells: readonly string[] }[] {
  const rows = Object.entries(quantities).map(([name, quantity]) => {
    const tag = sites.find(({ tag }) => tag !== "" && name.endsWith(tag))?.tag ?? ""
    return { base: name.slice(0, name.length - tag.length), tag, cells: cellsOf(quantity, name) }
  })
  const groups = groupsOf(rows, ({ base, tag, cells }) => JSON.stringify([base, tag === "", cells]))
  return [...groups.values()].map((own) => {
    const [{ base, cells }] = own as [(typeof own)[number]]
    const isNamed = own.length > 1 && own.every(({ tag }) => tag.startsWith("["))
    const name = isNamed
      ? `${base}[${own.map(({ tag }) => siteName(tag)).join(", ")}]`
      : own.map(({ tag }) => base + tag).join(", ")
    return { name, cells }
  })
}

/** "t = 3", "t = 3, limit", "t = 2 … 5, limit", "limit": the heads of columns from the first to the last. */
function spanText(heads: readonly string[]): string {
  const steps = heads.filter((head) => head !== LIMIT)
  const range = steps.length > 1 ? `${steps[0]} … ${steps.at(-1)}` : steps[0]
  return [...(range === undefined ? [] : [`t = ${range}`]), ...heads.filter((head) => head === LIMIT)].join(", ")
}

const LIMIT = "limit"
