/** A table as it was read: texts in columns, every cell knowing where it stands in its file. */
import type { InputError } from "../inputError.js"
import { nearest } from "../nearest.js"
import { type DecimalMark, markOf, parseNumber } from "./number.js"
import { refusalOf } from "./refusal.js"

/** What a reader of a format found. */
export interface Cells {
  readonly columns: readonly string[]
  /** A text a column in each row; empty where there is no value. */
  readonly rows: readonly (readonly string[])[]
  /** Where each row stands, from 1: a line of the file, or an entry of it. */
  readonly places: readonly number[]
  readonly placed: "line" | "entry" | "row"
  /** What was left out or taken for granted, a sentence each. */
  readonly notes: readonly string[]
}

/** A table of measurements. Rows are named by their index, from 0. */
export class Table {
  readonly #columns = new Map<string, Column>()
  #mark: DecimalMark | null | undefined

  /**
   * @param file its path, as the user gave it.
   * @param decimal the decimal mark; null: told by the cells.
   * @throws InputError where two columns have one name.
   */
  constructor(
    readonly file: string,
    readonly cells: Cells,
    readonly decimal: DecimalMark | null = null,
  ) {
    const twice = cells.columns.find((name, i) => cells.columns.indexOf(name) < i)
    if (twice === "")
      throw refusalOf({
        field: `${file}, header`,
        given: cells.columns.join(", "),
        allowed:
          "a first row that names the columns: in this one several have no name. Lines above the header are to begin with #",
        example: "width,lr,loss",
      })
    if (twice !== undefined)
      throw refusalOf({
        field: `${file}, column`,
        given: twice,
        allowed: `names that differ: ${cells.columns.filter((name) => name === twice).length} columns have this one`,
        example: `${twice}_2`,
      })
  }

  /** The names of the columns, in the file's order. */
  get columns(): readonly string[] {
    return this.cells.columns
  }
  /** How many rows it has. */
  get length(): number {
    return this.cells.rows.length
  }

  has(name: string): boolean {
    return this.columns.includes(name)
  }

  /** The first of these names that is a column, whatever the case; null if none is. */
  find(names: readonly string[]): string | null {
    for (const name of names) {
      const found = this.columns.find((column) => column.toLowerCase() === name.toLowerCase())
      if (found !== undefined) return found
    }
    return null
  }

  /**
   * A column by its name.
   *
   * @param option how the name was given, for the message.
   * @throws InputError that lists the columns, the nearest name first, if there is none.
   */
  column(name: string, option = "column"): Column {
    const known = this.#columns.get(name)
    if (known !== undefined) return known
    const index = this.columns.indexOf(name)
    const near = nearest(name, this.columns)
    if (index < 0)
      throw refusalOf({
        field: option === "column" ? `${this.file}, column` : option,
        given: name,
        allowed: `a column of ${this.file}: ${shortList(this.columns)}`,
        example: `${option === "column" ? "" : `${option} `}${near ?? this.columns[0]}`,
      })
    const column = new Column(this, name, index)
    this.#columns.set(name, column)
    return column
  }

  /** Where a row stands: "runs.csv, line 12". */
  place(row: number): string {
    return `${this.file}, ${this.cells.placed} ${this.cells.places[row]}`
  }

  /** A table of some of the rows, read with the same decimal mark. */
  select(rows: readonly number[]): Table {
    const { rows: cells, places } = this.cells
    const chosen = { ...this.cells, rows: rows.map((i) => cells[i]!), places: rows.map((i) => places[i]!) }
    return new Table(this.file, chosen, this.mark)
  }

  /** The decimal mark that its cells tell: null where they tell none, or both in different columns. */
  get mark(): DecimalMark | null {
    if (this.decimal !== null) return this.decimal
    if (this.#mark === undefined) {
      const seen = new Set<string | null>()
      for (const row of this.cells.rows) for (const text of row) if (seen.size < 4) seen.add(markOf(text))
      this.#mark = seen.has(",") === seen.has(".") ? null : seen.has(",") ? "," : "."
    }
    return this.#mark
  }
}

/** One column of a table. */
export class Column {
  #mark: DecimalMark | undefined

  constructor(
    readonly table: Table,
    readonly name: string,
    readonly index: number,
  ) {}

  /** Whether no row has a value here. */
  get isEmpty(): boolean {
    return this.table.cells.rows.every((row) => row[this.index] === "")
  }

  /** The cell as the file has it, without spaces around it; empty where there is no value. */
  text(row: number): string {
    return this.table.cells.rows[row]![this.index]!
  }

  /** The cell as a name: a number without regard to its spelling, so that 8 and 8.0 are one. */
  label(row: number): string {
    const text = this.text(row)
    const value = parseNumber(text, this.mark)
    return value === null || !Number.isFinite(value) || Math.abs(value) > Number.MAX_SAFE_INTEGER ? text : `${value}`
  }

  /** The cell as a number; null where it is empty or no number. */
  value(row: number): number | null {
    return parseNumber(this.text(row), this.mark)
  }

  /** @throws InputError naming file, row, column and text where the cell is no number. */
  number(row: number, allowed = "a number", example = "0.25"): number {
    const value = this.value(row)
    if (value === null || !Number.isFinite(value)) throw this.refusal(row, allowed, example)
    return value
  }

  /** @throws InputError naming file, row, column and text where the cell is no number > 0. */
  positive(row: number, example = "1024"): number {
    const value = this.number(row, "a number > 0", example)
    if (value > 0) return value
    throw this.refusal(row, "a number > 0", example)
  }

  /** The error of a cell: where it stands, what it says and what is allowed. */
  refusal(row: number, allowed: string, example: string): InputError {
    const field = `${this.table.place(row)}, column ${this.name === "" ? "without a name" : this.name}`
    return refusalOf({ field, given: this.text(row), allowed, example })
  }

  /** @throws InputError naming two rows where some numbers are in per cent and others, but for 0, are not. */
  requireOneUnit(): void {
    const rows = [...this.table.cells.rows.keys()]
    const isPercent = (row: number) => this.text(row).endsWith("%")
    const percent = rows.find((row) => isPercent(row) && this.value(row) !== null)
    if (percent === undefined) return
    const plain = rows.find((row) => !isPercent(row) && (this.value(row) ?? 0) !== 0)
    if (plain === undefined) return
    throw this.refusal(
      plain,
      `numbers in per cent in all rows or in none: ${this.table.place(percent)} has ${JSON.stringify(this.text(percent))}`,
      "75.3%",
    )
  }

  /**
   * @throws InputError naming two rows where 256 stands beside 1.024, which may be a little more than 1 or 1024: such
   * numbers would be of one kind.
   */
  requireOneScale(): void {
    if (this.table.decimal !== null) return
    const rows = [...this.table.cells.rows.keys()]
    const whole = rows.find((row) => /^\d{3}$/.test(this.text(row)))
    if (whole === undefined) return
    const small = rows.find((row) => markOf(this.text(row)) === "either" && this.text(row).includes(this.mark))
    if (small === undefined) return
    throw this.refusal(
      small,
      `numbers with one meaning: ${this.table.place(whole)} has ${this.text(whole)}, so that this one may be in thousands; --decimal says whether its mark is the decimal one`,
      `--decimal ${this.text(small).includes(".") ? "comma" : "point"}`,
    )
  }

  /**
   * The column's decimal mark: what its cells tell, else what the table's tell, else a point.
   *
   * @throws InputError naming the rows where the cells tell both marks, or may be thousands as well as decimals.
   */
  get mark(): DecimalMark {
    this.#mark ??= this.table.decimal ?? this.toldMark()
    return this.#mark
  }

  private toldMark(): DecimalMark {
    const { table } = this
    const first = new Map<string, number>()
    for (let row = 0; row < table.length; row++) {
      const mark = markOf(this.text(row))
      if (mark !== null && !first.has(mark)) first.set(mark, row)
    }
    const [point, comma, either] = [first.get("."), first.get(","), first.get("either")]
    if (point !== undefined && comma !== undefined)
      throw this.refusal(
        Math.max(point, comma),
        `one decimal mark in a column: ${table.place(Math.min(point, comma))} has ${JSON.stringify(this.text(Math.min(point, comma)))}; --decimal says which it is`,
        "--decimal point",
      )
    if (point !== undefined) return "."
    if (comma !== undefined) return ","
    const told = table.mark
    if (either !== undefined && told === null && this.text(either).includes(","))
      throw this.refusal(
        either,
        "a number whose comma is surely a decimal mark or surely one between thousands: no other cell tells which; --decimal says it",
        "--decimal comma",
      )
    return told ?? "."
  }
}

/** A list that is cut off where it gets long. */
function shortList(names: readonly string[], most = 12): string {
  const shown = names.slice(0, most).map((name) => (name === "" ? '""' : name))
  return `${shown.join(", ")}${names.length > most ? `, … (${names.length})` : ""}`
}
