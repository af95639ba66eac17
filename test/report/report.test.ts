import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { parse } from "csv-parse/sync"
import fc from "fast-check"
import { afterAll, describe, expect, test } from "vitest"
import { InputError } from "../../src/inputError.js"
import { replaceFolder } from "../../src/report/files.js"
import { narrowed, renderTable } from "../../src/report/table.js"

describe("tables", () => {
  test("one too wide for a terminal is told cell by cell, each column in turn", () => {
    const [short, long] = ["c", "c + ".repeat(40)]
    const columns = ["t", "zA", "zB"]
    const table = (cell: string) => ({
      columns,
      rows: [
        [1, "0", short],
        [2, cell, short],
      ],
    })
    expect(narrowed(table(short), ["quantity", "exponent"])).toEqual(table(short))
    expect(narrowed(table(long), ["quantity", "exponent"])).toEqual({
      columns: ["quantity", "t", "exponent"],
      rows: [
        ["zA", 1, "0"],
        [null, 2, long],
        ["zB", 1, short],
        [null, 2, short],
      ],
    })
  })
  test("CSV survives a round trip whatever the cells hold", () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.string(), fc.string()), { minLength: 1 }), (rows) => {
        const text = renderTable({ columns: ["x", "y"], rows }, "csv")
        expect(parse(text, { relax_column_count: false })).toEqual([["x", "y"], ...rows.map((row) => [...row])])
      }),
    )
  })

  test("LaTeX escapes what is special", () => {
    const text = renderTable({ columns: ["a_b"], rows: [["50% & c <= 1"]] }, "latex")
    expect(text).toContain("a\\_b")
    expect(text).toContain("50\\% \\& c $<$= 1")
  })
})

describe("folders", () => {
  const places: string[] = []
  const fresh = async () => {
    const folder = await mkdtemp(join(tmpdir(), "report-"))
    places.push(folder)
    return folder
  }
  afterAll(() => Promise.all(places.map((place) => rm(place, { recursive: true }))))

  test("appear whole, replace an earlier report, and leave nothing behind on failure", async () => {
    const place = await fresh()
    const target = join(place, "report")
    const fill = (text: string) => (folder: string) => writeFile(join(folder, "marker"), text)
    await replaceFolder(target, "marker", fill("one"))
    await replaceFolder(target, "marker", fill("two"))
    const failing = replaceFolder(target, "marker", async (folder) => {
      await fill("three")(folder)
      throw new Error("no")
    })
    await expect(failing).rejects.toThrow("no")
    expect(await readFile(join(target, "marker"), "utf8")).toBe("two")
    expect(await readdir(place)).toEqual(["report"])
  })

  test("that are not a report are refused", async () => {
    const target = join(await fresh(), "mine")
    await mkdir(target)
    await writeFile(join(target, "thesis.tex"), "precious")
    await expect(replaceFolder(target, "marker", async () => {})).rejects.toThrow(InputError)
    expect(await readdir(target)).toEqual(["thesis.tex"])
  })
})
