import Table from "cli-table3"

/** What a text is printed on. */
export interface Screen {
  /** Characters of a line; Infinity for a file or a pipe. */
  readonly width: number
  /** Colours a verdict. */
  readonly paint: (text: string, verdict: Verdict) => string
}

/** A file or a pipe: lines as long as they are, no colours. */
export const UNBOUNDED: Screen = { width: Number.POSITIVE_INFINITY, paint: (text) => text }

const VERDICTS = ["agrees", "contradicts", "inconclusive"] as const
type Verdict = (typeof VERDICTS)[number]

/** Characters between two columns. */
const GAP = 2

/** No column is made narrower than its longest word, up to so many characters. */
const LONGEST_WORD = 24

type Cells = readonly (readonly string[])[]

/**
 * A table for a screen: columns side by side while they fit, long cells over several lines where that helps, otherwise
 * each row as a block of lines "column cell", and a word on how to see it as a table.
 */
export function textTable(columns: readonly string[], cells: Cells, screen: Screen): string {
  const widths = columnWidths(columns, cells, screen.width)
  if (widths === null) return blocks(columns, cells, screen)
  const verdict = columns.indexOf("verdict")
  const fitted = (row: readonly string[], isHead: boolean) =>
    row.map((cell, j) => {
      const lines = wrapped(cell, widths[j]!)
      const shown = j === verdict && !isHead ? lines.map((line) => painted(line, cell, screen)) : lines
      return shown.join("\n")
    })
  const table = new Table({
    head: fitted(columns, true),
    chars: CHARS,
    style: { head: [], border: [], "padding-left": 0, "padding-right": 0 },
  })
  table.push(...cells.map((row) => fitted(row, false)))
  return `${trimmed(table.toString())}\n`
}

/** Nothing but the gap between columns. */
const CHARS = {
  ...Object.fromEntries(
    ["top", "top-mid", "top-left", "top-right", "bottom", "bottom-mid", "bottom-left", "bottom-right"].map((k) => [
      k,
      "",
    ]),
  ),
  ...Object.fromEntries(["left", "left-mid", "mid", "mid-mid", "right", "right-mid"].map((k) => [k, ""])),
  middle: " ".repeat(GAP),
}

/** The widths of the columns, the widest made narrower first; null where even their words do not fit. */
function columnWidths(columns: readonly string[], cells: Cells, width: number): number[] | null {
  const all = [columns, ...cells]
  const most = (of: (cell: string) => number) => columns.map((_, j) => Math.max(...all.map((row) => of(row[j]!))))
  const natural = most((cell) => Math.max(...cell.split("\n").map(lengthOf)))
  const least = most((cell) => Math.min(LONGEST_WORD, Math.max(...cell.split(/\s/).map(lengthOf))))
  const room = width - GAP * (columns.length - 1)
  const total = (at: readonly number[]) => at.reduce((sum, value) => sum + value, 0)
  if (total(natural) <= room) return natural
  if (total(least) > room) return null
  const capped = (cap: number) => natural.map((value, j) => Math.min(value, Math.max(least[j]!, cap)))
  let cap = Math.max(...natural)
  while (total(capped(cap)) > room) cap--
  return capped(cap)
}

/** Each row as lines "column  cell", rows apart by an empty line. */
function blocks(columns: readonly string[], cells: Cells, screen: Screen): string {
  const names = Math.max(...columns.map(lengthOf))
  const room = Math.max(LONGEST_WORD, screen.width - names - GAP)
  const line = (column: string, cell: string) =>
    wrapped(cell, room).map((part, i) => {
      const shown = column === "verdict" ? painted(part, cell, screen) : part
      return `${(i === 0 ? column : "").padEnd(names)}${" ".repeat(GAP)}${shown}`.trimEnd()
    })
  const rows = cells.map((row) => row.flatMap((cell, j) => (cell === "" ? [] : line(columns[j]!, cell))).join("\n"))
  const note = `(${columns.length} columns, folded to fit ${screen.width} characters; --format csv or a wider terminal: a row a line)`
  return `${[...rows, wrapped(note, screen.width).join("\n")].join("\n\n")}\n`
}

/** The text in lines of at most so many characters, broken between words, within one that is longer. */
function wrapped(text: string, width: number): string[] {
  return text.split("\n").flatMap((paragraph) => {
    if (lengthOf(paragraph) <= width) return [paragraph]
    const lines: string[] = []
    let line = ""
    for (const word of paragraph.split(" ").flatMap((long) => pieces(long, width))) {
      if (line !== "" && lengthOf(line) + 1 + lengthOf(word) > width) {
        lines.push(line)
        line = word
      } else line = line === "" ? word : `${line} ${word}`
    }
    return [...lines, line]
  })
}

function pieces(word: string, width: number): string[] {
  const letters = [...word]
  return letters.length <= width
    ? [word]
    : Array.from({ length: Math.ceil(letters.length / width) }, (_, i) =>
        letters.slice(i * width, (i + 1) * width).join(""),
      )
}

function painted(line: string, cell: string, { paint }: Screen): string {
  const verdict = VERDICTS.find((name) => cell.startsWith(name))
  return verdict === undefined ? line : paint(line, verdict)
}

function lengthOf(text: string): number {
  return [...text].length
}

function trimmed(text: string): string {
  return text
    .split("\n")
    .map((line) => line.trimEnd())
    .join("\n")
}
