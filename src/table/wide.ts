/** Wide tables: one column a width, or a rate, made long. */

import { parseNumber } from "./number.js"
import { refusalOf } from "./refusal.js"
import { Table } from "./table.js"

/** A column whose name is a number, alone or after a word: 256, w=256, width_256, lr 1e-3. */
const NAMED = /^(?:[\p{L}_][\p{L}_ ]*?[ =:_-]*)?(\d[\d.,]*(?:[eE][+-]?\d+)?)$/u

/** The columns whose names hold a number. */
export function numberedColumns(table: Table, pattern: RegExp = NAMED) {
  return table.columns.flatMap((column, index) => {
    const text = pattern.exec(column)?.[1]
    const number = text === undefined ? null : parseNumber(text, text.includes(".") || !text.includes(",") ? "." : ",")
    return number === null ? [] : [{ column, index, text: text!, number }]
  })
}

/**
 * The long form of a wide table: a row for each of its rows and each column whose name holds a number.
 *
 * @param name the new column of those numbers: the width's or the rate's.
 * @param value the new column of the cells.
 * @param pattern which columns, and which number of their names (its first group); by default a number, alone or after
 * a word.
 * @throws InputError where fewer than two columns have such names, or a new column has the name of one that is there.
 */
export function madeLong(table: Table, name: string, value: string, pattern: string | null): Table {
  const refuse = (field: string, given: string, allowed: string) =>
    refusalOf({ field, given, allowed, example: "--wide width --wide-columns '^w=(\\d+)$'" })
  let regular = NAMED
  try {
    if (pattern !== null) regular = new RegExp(pattern, "u")
  } catch {
    throw refuse("--wide-columns", pattern ?? "", "a regular expression")
  }
  const found = numberedColumns(table, regular)
  if (found.length < 2)
    throw refuse(
      "--wide",
      table.columns.join(", "),
      "a table in which two columns or more have a number in their names",
    )
  const stems = [...new Set(found.map(({ column, text }) => column.replace(text, "")))]
  if (pattern === null && stems.length > 1)
    throw refuse(
      "--wide",
      stems.map((stem) => `${stem}…`).join(", "),
      "columns whose names differ in the number alone; --wide-columns picks some of them",
    )
  const kept = table.columns.flatMap((column, index) =>
    found.some((each) => each.index === index) ? [] : [{ column, index }],
  )
  const taken = kept.find(({ column }) => column === name || column === value)
  if (taken !== undefined)
    throw refusalOf({
      field: "--wide",
      given: taken.column,
      allowed: `names that the table does not have yet: what columns are made of is called ${name} and ${value} unless --width, --rate, --loss or --value name it`,
      example: `${taken.column === name ? "--width" : "--loss"} ${taken.column}_2`,
    })
  const { rows, places, ...cells } = table.cells
  const written = (number: number) => (table.mark === "," ? String(number).replace(".", ",") : String(number))
  return new Table(
    table.file,
    {
      ...cells,
      columns: [...kept.map(({ column }) => column), name, value],
      rows: rows.flatMap((row) =>
        found.map(({ index, number }) => [...kept.map((each) => row[each.index]!), written(number), row[index]!]),
      ),
      places: places.flatMap((place) => found.map(() => place)),
      notes: [
        ...cells.notes,
        `Each of ${found.length} columns, ${found[0]!.column} … ${found.at(-1)!.column}, is a ${name}.`,
      ],
    },
    table.mark,
  )
}
