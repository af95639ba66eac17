import { mkdtemp, rm, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { gzipSync } from "node:zlib"
import { DuckDBInstance } from "@duckdb/node-api"
import fc from "fast-check"
import { afterAll, beforeAll, describe, expect, test } from "vitest"
import { parseNumber } from "../../src/table/number.js"
import { readTable } from "../../src/table/readTable.js"

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "tables-"))
})
afterAll(() => rm(folder, { recursive: true }))

let count = 0
async function file(content: string | Uint8Array): Promise<string> {
  const path = join(folder, `${count++}.txt`)
  await writeFile(path, content)
  return path
}

const HEADER = ["width", "lr", "loss"]
const ROWS = [
  [256, 1e-5, 1.4927],
  [1024, 0.0031622776601683794, 1.25],
  [4096, 0.1, 2],
]

/** The numbers of width, lr and loss, and where the last row stands. */
async function numbers(content: string | Uint8Array): Promise<unknown> {
  const table = await readTable(await file(content))
  const columns = HEADER.map((name) => table.column(name))
  return Array.from({ length: table.length }, (_, row) => columns.map((column) => column.number(row)))
}

const delimited = (separator: string, mark: string, header = HEADER.join(separator)) =>
  [header, ...ROWS.map((row) => row.map((x) => String(x).replace(".", mark)).join(separator))].join("\n")
const objects = ROWS.map(([width, lr, loss]) => ({ width, lr, loss }))
const utf16 = (text: string, mark: boolean) => Buffer.from(`${mark ? "\uFEFF" : ""}${text}`, "utf16le")

describe("the same table in many forms", () => {
  test.each<[string, string | Uint8Array]>([
    ["comma", delimited(",", ".")],
    ["semicolon", delimited(";", ".")],
    ["semicolon, decimal comma", delimited(";", ",")],
    ["tab", delimited("\t", ".")],
    ["tab, decimal comma", delimited("\t", ",")],
    ["bar", delimited("|", ".")],
    ["spaces", delimited("   ", ".")],
    [
      "comma, decimal comma in quotes",
      delimited(",", ",")
        .replace(/(\d+),(\d\S*?),(\d.*)/g, "$1,$2,$3")
        .split("\n")
        .map((line, i) => (i === 0 ? line : ROWS[i - 1]!.map((x) => `"${String(x).replace(".", ",")}"`).join(",")))
        .join("\n"),
    ],
    ["CRLF and empty lines", delimited(",", ".").replaceAll("\n", "\r\n\r\n")],
    ["CR alone", delimited(",", ".").replaceAll("\n", "\r")],
    ["byte order mark", `\uFEFF${delimited(",", ".")}`],
    ["UTF-16 with a mark", utf16(delimited(";", ","), true)],
    ["UTF-16 without one", utf16(delimited(",", "."), false)],
    ["UTF-16, big end first", utf16(delimited(",", "."), true).swap16()],
    ["gzip", gzipSync(delimited(",", "."))],
    ["comments", `# made by hand, "twice\n${delimited(",", ".").replace("\n", "\n# more\n")}\n# end`],
    ["a header in a comment", `# seed 1\n${delimited(",", ".", "# width,lr,loss")}`],
    ["sep=", `sep=;\n${delimited(";", ",")}`],
    ["thousands in quotes", `width,lr,loss\n256,1e-5,1.4927\n"1,024",0.0031622776601683794,1.25\n"4,096",.1,2\n`],
    ["thousands with spaces", `width;lr;loss\n256;1e-5;1,4927\n1\u202F024;0,0031622776601683795;1,25\n4 096;0,1;2\n`],
    ["empty columns of a spreadsheet", `${delimited(";", ",").replaceAll("\n", ";;\n")};;\n;;;;\n`],
    ["JSON", JSON.stringify(objects)],
    ["JSON lines", objects.map((row) => JSON.stringify(row)).join("\n")],
    ["JSON in a name", JSON.stringify({ version: 2, runs: objects })],
    ["JSON by column", JSON.stringify(Object.fromEntries(HEADER.map((name, k) => [name, ROWS.map((row) => row[k])])))],
    [
      "JSON by column and label",
      JSON.stringify(
        Object.fromEntries(HEADER.map((name, k) => [name, Object.fromEntries(ROWS.map((row, i) => [i, row[k]]))])),
      ),
    ],
    ["JSON split", JSON.stringify({ columns: HEADER, index: [0, 1, 2], data: ROWS })],
    ["JSON rows", JSON.stringify([HEADER, ...ROWS])],
    [
      "Markdown",
      `# Runs\n\n| width | lr | loss |\n|--:|:-:|---|\n${ROWS.map(([w, l, x]) => `| ${w} | ${l} | **${x}** |`).join("\n")}\n\nDone.\n`,
    ],
    [
      "Markdown without outer bars",
      `width | lr | loss\n--- | --- | ---\n${ROWS.map((row) => row.join(" | ")).join("\n")}\n`,
    ],
  ])("%s", async (_name, content) => {
    expect(await numbers(content)).toEqual(ROWS)
  })

  test("Parquet, and a DuckDB file with one table or a named one", async () => {
    const connection = await (await DuckDBInstance.create(":memory:")).connect()
    const values = ROWS.map((row) => `(${row.join(", ")})`).join(", ")
    const select = `select * from (values ${values}) t(width, lr, loss)`
    const [parquet, duckdb] = [join(folder, "t.parquet"), join(folder, "t.db")]
    await connection.run(`copy (${select}) to '${parquet}' (format parquet)`)
    await connection.run(`attach '${duckdb}' as other`)
    await connection.run(`create table other.runs as ${select}`)
    await connection.run("detach other")
    for (const path of [parquet, duckdb]) {
      const table = await readTable(path)
      expect([0, 1, 2].map((row) => HEADER.map((name) => table.column(name).number(row)))).toEqual(ROWS)
    }
    await connection.run(`attach '${duckdb}' as other`)
    await connection.run("create table other.more as select 1 as x")
    await connection.run("detach other")
    await expect(readTable(duckdb)).rejects.toThrow(/got "2 tables".*--table-name: more, runs/)
    await expect(readTable(duckdb, { table: "rums" })).rejects.toThrow(/got "rums".*for example --table-name runs/)
    expect((await readTable(duckdb, { table: "runs" })).columns).toEqual(HEADER)
    await expect(readTable(parquet, { table: "runs" })).rejects.toThrow(/only a DuckDB file/)
  })

  test("objects in objects by path, Python's NaN, long numbers digit by digit", async () => {
    const table = await readTable(
      await file(`{"config": {"lr": 3e-4, "seed": 12345678901234567891}, "loss": NaN, "note": "a NaN"}`),
    )
    expect(table.columns).toEqual(["config.lr", "config.seed", "loss", "note"])
    expect(table.cells.rows).toEqual([["3e-4", "12345678901234567891", "NaN", "a NaN"]])
  })

  test("a quoted value goes on over lines that look like comments, rulers and headers", async () => {
    const line = fc.constantFrom("# done", "// twice", "% of it", "----", 'a "b" c', "width,lr,loss,notes", "", "x, y")
    const notes = fc.array(line, { minLength: 1, maxLength: 4 }).map((lines) => `n ${lines.join("\n")} .`)
    await fc.assert(
      fc.asyncProperty(fc.tuple(notes, notes, notes), async (texts) => {
        const rows = ROWS.map((row, i) => `${row.join(",")},"${texts[i]!.replaceAll('"', '""')}"\n`)
        const content = `# by hand, "twice\n${HEADER.join(",")},notes\n# more\n${rows.join("")}`
        const table = await readTable(await file(content))
        expect(ROWS.map((_, row) => HEADER.map((name) => table.column(name).number(row)))).toEqual(ROWS)
        expect(ROWS.map((_, row) => table.column("notes").text(row))).toEqual(texts)
      }),
      { numRuns: 50 },
    )
  })

  test("Latin-1 is read and said", async () => {
    const table = await readTable(await file(Buffer.from("Größe,loss\n1,2\n", "latin1")))
    expect(table.columns).toEqual(["Größe", "loss"])
    expect(table.cells.notes.join()).toContain("Windows-1252")
  })
})

describe("what cannot be read names the place", () => {
  test.each<[string, string | Uint8Array, RegExp]>([
    ["two columns of one name", "width,loss,loss\n1,2,3\n", /column: got "loss".*2 columns have this one/],
    ["a name twice in an object", '[{"lr": 1, "lr": 2}]', /"lr\\" twice/],
    ["too few values", "width,lr,loss\n1,2,3\n4,5\n", /line 3: got "4,5".*3 values/],
    ["too many values", "width,lr,loss\n1,2,3\n\n4,5,6,7\n", /line 4: got "4,5,6,7".*3 values/],
    ["a quote without end", 'width,lr\n1,"2\n3,4\n', /[Qq]uote.*line/],
    ["bytes", Buffer.from([1, 2, 0, 200, 7]), /none of them/],
    ["a workbook", Buffer.from("PK\x03\x04rest"), /CSV/],
    ["nothing", "", /empty/],
    ["a header alone", "width,lr,loss\n", /at least one row/],
    ["prose", "hello\nthere\n", /a table with a header/],
    ["broken JSON lines", '{"width": 1}\n{"width": \n', /line 2/],
    ["two Markdown tables", "|a|b|\n|-|-|\n|1|2|\n\ntext\n\n|a|c|\n|-|-|\n|1|2|\n", /line 7.*one table/],
    ["columns of different length", '{"a": [1, 2], "b": [1]}', /column b.*1 values.*2/],
  ])("%s", async (_name, content, message) => {
    await expect(readTable(await file(content))).rejects.toThrow(message)
  })

  test("a cell names file, line, column and text", async () => {
    const path = await file("# note\nwidth,lr\n256,1e-3\n\n512,fast\n")
    const table = await readTable(path)
    expect(() => table.column("lr").number(1)).toThrow(`${path}, line 5, column lr: got "fast"`)
    expect(() => table.column("Width", "--width")).toThrow(/--width: got "Width".*for example --width width/)
  })

  test("a comma that may be either is asked for; --decimal answers; two marks in one column are refused", async () => {
    const either = await file("width\tloss\n256\t1,492\n512\t1,313\n")
    await expect(readTable(either).then((table) => table.column("loss").number(0))).rejects.toThrow(
      /line 2, column loss.*--decimal/,
    )
    expect((await readTable(either, { decimal: "," })).column("loss").number(0)).toBe(1.492)
    expect((await readTable(either, { decimal: "." })).column("loss").number(0)).toBe(1492)
    const both = await file("width;loss\n256;1,49\n512;1.31\n")
    await expect(readTable(both).then((table) => table.column("loss").number(0))).rejects.toThrow(/line 3.*line 2/)
  })
})

describe("numbers", () => {
  test.each<[string, "." | ",", number | null]>([
    ["−1.5e−3", ".", -1.5e-3],
    ["1'024", ".", 1024],
    ["1_024", ".", 1024],
    ["75 %", ".", 0.75],
    ["1.024,5", ",", 1024.5],
    ["1,024.5", ",", null],
    ["12,34", ".", null],
    ["1e-3x", ".", null],
    ["0x10", ".", null],
    ["", ".", null],
    ["1.", ".", 1],
    ["nan", ".", null],
  ])("%s with %s", (text, mark, value) => {
    expect(parseNumber(text, mark)).toBe(value)
  })

  test("every double survives, with either mark", () => {
    fc.assert(
      fc.property(fc.double({ noNaN: true, noDefaultInfinity: true }), fc.boolean(), (x, comma) => {
        const text = comma ? String(x).replace(".", ",") : String(x)
        expect(parseNumber(text, comma ? "," : ".")).toBe(x === 0 ? 0 : x)
      }),
    )
  })
})
