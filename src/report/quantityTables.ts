/** A derivation with a row for each quantity: for programs of more quantities than a table has columns. */
import { atStep, type Derivation } from "../derive/derive.js"
import { Condition } from "../exponent/condition.js"
import { formatCondition, formatExponent } from "../exponent/grammar.js"
import type { Site } from "../program/model.js"
import { formatLimit, siteName } from "./derivation.js"
import type { ReportTable } from "./table.js"

/** The exponents step by step; sites with the same ones share a row, and steps with the same ones a column. */
export function quantityTable({ quantities, scheme }: Derivation, steps: number): ReportTable {
  const heads = [...Array.from({ length: steps }, (_, i) => String(i + 1)), "limit"]
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
      ...spans.map((span) => `t = ${spanText(span.map((i) => heads[i]!))}`.replace("t = limit", "limit")),
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
  const rows = new Map<string, { readonly base: string; readonly tags: string[]; readonly cells: readonly string[] }>()
  for (const [name, quantity] of Object.entries(quantities)) {
    const tag = sites.find(({ tag }) => tag !== "" && name.endsWith(tag))?.tag ?? ""
    const [base, cells] = [name.slice(0, name.length - tag.length), cellsOf(quantity, name)]
    const key = JSON.stringify([base, tag === "", cells])
    const known = rows.get(key)
    if (known === undefined) rows.set(key, { base, tags: [tag], cells })
    else known.tags.push(tag)
  }
  return [...rows.values()].map(({ base, tags, cells }) => {
    const isNamed = tags.length > 1 && tags.every((tag) => tag.startsWith("["))
    const name = isNamed ? `${base}[${tags.map(siteName).join(", ")}]` : tags.map((tag) => base + tag).join(", ")
    return { name, cells }
  })
}

/** "3", "3, limit", "2 … 5, limit". */
function spanText(heads: readonly string[]): string {
  const steps = heads.filter((head) => head !== "limit")
  const [first, last] = [steps[0], steps.at(-1)]
  const range = steps.length > 1 ? `${first} … ${last}` : (first ?? "")
  return [range, ...heads.filter((head) => head === "limit")].filter((text) => text !== "").join(", ")
}
