import { readTable } from "../../src/table/readTable.js"

/** The rows of a table as records of texts. */
export async function records(path: string): Promise<Record<string, string>[]> {
  const { columns, cells } = await readTable(path)
  return cells.rows.map((row) => Object.fromEntries(columns.map((name, i) => [name, row[i]!])))
}
