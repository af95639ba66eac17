import { mkdtemp, rm, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterAll, beforeAll, expect, test } from "vitest"
import { curveTable } from "../../src/fit/curves.js"
import { InputError } from "../../src/inputError.js"
import { measuredRuns } from "../../src/table/measured.js"
import { csv, type MadeRun, madeRuns } from "./made.js"

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "fuzz-"))
})
afterAll(() => rm(folder, { recursive: true }))

const TABLES = 10_000
/** Each table is a few kilobytes: what stays after all of them must not grow with their number. */
const MEMORY = 400e6

/** Whole numbers below a bound, the same each time (Numerical Recipes' quick generator). */
function generator(seed: number): (below: number) => number {
  let state = seed
  return (below) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return Math.floor((state / 2 ** 32) * below)
  }
}

/** Tables of every form, short enough to be mutated everywhere. */
function originals(): string[] {
  const runs = madeRuns().filter(({ width }) => width <= 1024)
  const cells = (run: MadeRun) => [run.width, run.lr, run.seed, run.loss]
  const header = ["width", "lr", "seed", "loss"]
  const rows = runs.map(cells)
  const objects = runs.map(({ loss, ...rest }) => ({ ...rest, loss: Number.isNaN(loss) ? null : loss }))
  const steps = rows.flatMap(([n, lr, seed, loss]) =>
    [100, 200].map((step) => [n!, lr!, seed!, step, Number(loss) + 100 / step]),
  )
  return [
    csv(header, rows),
    csv(header, rows, { separator: ";" }).replaceAll(".", ","),
    csv(header, rows, { separator: "\t" }),
    csv(header, rows, { separator: "  " }),
    csv(["width", "lr", "seed", "step", "loss"], steps),
    JSON.stringify(objects),
    objects.map((row) => JSON.stringify(row)).join("\n"),
    JSON.stringify(Object.fromEntries(header.map((name, k) => [name, rows.map((row) => row[k])]))).replaceAll(
      "null",
      "NaN",
    ),
    `| ${header.join(" | ")} |\n|---|---|---|---|\n${rows.map((row) => `| ${row.join(" | ")} |`).join("\n")}\n`,
    `# comment\n${csv(
      ["Name", "State", ...header],
      runs.map((run, i) => [`run-${i}`, i % 7 === 0 ? "crashed" : "finished", ...cells(run)]),
      { word: "" },
    )}`,
  ]
}

const PIECES = [
  ..."\"',;|\t\n\r #%{}[]:\\\0-+.eE0",
  "nan",
  "inf",
  "-inf",
  "1e999",
  "1e-999",
  "-1",
  "0",
  "null",
  "OOM",
  "crashed",
  '""',
  "1,024",
  "1.024,5",
  "−5",
  "\uFEFF",
  "é",
  "\uD800",
  "# ",
  "---|---",
  "width",
  "loss",
  "9".repeat(40),
  "[".repeat(300),
  '{"a":'.repeat(50),
  "1;2",
  "sep=;\n",
]

function mutated(text: string, below: (bound: number) => number): string {
  let changed = text
  for (let n = 1 + below(4); n > 0; n--) {
    const at = below(changed.length + 1)
    const lines = changed.split("\n")
    const line = below(lines.length)
    const piece = PIECES[below(PIECES.length)]!
    const ways: (() => string)[] = [
      () => changed.slice(0, at) + piece + changed.slice(at),
      () => changed.slice(0, at) + changed.slice(at + 1 + below(5)),
      () => changed.slice(0, at),
      () => lines.filter((_, i) => i !== line).join("\n"),
      () => [...lines.slice(0, line + 1), ...lines.slice(line)].join("\n"),
      () => [...lines.slice(0, line), lines[below(lines.length)]!, ...lines.slice(line)].join("\n"),
      () => lines.map((own, i) => (i === line ? own.replace(/[\d.,e-]+(?=\D*$)/, piece) : own)).join("\n"),
      () => lines.map((own, i) => (i === line ? own.replace(/[^,;\t|]+/, piece) : own)).join("\n"),
      () => changed.replaceAll(changed[at] ?? ",", piece),
    ]
    changed = ways[below(ways.length)]!()
  }
  return changed
}

test(`${TABLES} mutated tables are read or refused: no other error, no hang, bounded memory`, async () => {
  const below = generator(20_260_301)
  const texts = originals()
  let [read, refused] = [0, 0]
  const path = join(folder, "table.txt")
  for (let i = 0; i < TABLES; i++) {
    const text = mutated(texts[i % texts.length]!, below)
    await writeFile(path, text)
    const columns = { width: "width", rate: "lr", value: "loss", seed: "seed", by: [], model: null }
    const start = performance.now()
    try {
      const { table, runs, mixed } = await measuredRuns(path, {
        columns,
        rules: { at: "last", goal: "min", words: {} },
      })
      curveTable(table, runs, { family: null, share: 0.02, goal: "min" }, mixed)
      read++
    } catch (error) {
      if (!(error instanceof InputError)) throw new Error(`table ${i}: ${JSON.stringify(text)}`, { cause: error })
      expect(error.message.length, error.message).toBeLessThan(2000)
      refused++
    }
    expect(performance.now() - start, `table ${i}`).toBeLessThan(5000)
  }
  expect(read).toBeGreaterThan(TABLES / 10)
  expect(refused).toBeGreaterThan(TABLES / 10)
  expect(process.memoryUsage().heapUsed).toBeLessThan(MEMORY)
}, 900_000)
