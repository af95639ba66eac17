import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { parse } from "csv-parse/sync"
import fc from "fast-check"
import { afterAll, describe, expect, test } from "vitest"
import { InputError } from "../../src/inputError.js"
import { replaceFolder } from "../../src/report/files.js"
import { fits, renderTable } from "../../src/report/table.js"

describe("tables", () => {
  test("one fits a screen if each of its rows does, and is narrow enough to read", () => {
    const table = (length: number) => ({ columns: ["t", "zA"], rows: [[1, "c".repeat(length)]] })
    expect(fits(table(40))).toBe(true)
    expect(fits(table(200))).toBe(false)
    const screen = { width: 30, paint: (text: string) => text }
    expect(fits(table(20), screen)).toBe(true)
    expect(fits(table(40), screen)).toBe(false)
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
