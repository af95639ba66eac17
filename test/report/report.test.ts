import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { parse } from "csv-parse/sync"
import fc from "fast-check"
import { afterAll, describe, expect, test } from "vitest"
import { InputError } from "../../src/inputError.js"
import { renderFigure } from "../../src/report/figure.js"
import { exponentFigure, lossFigure, optimalRateFigure, trajectoryFigure } from "../../src/report/figures.js"
import { replaceFolder } from "../../src/report/files.js"
import { renderTable } from "../../src/report/table.js"

describe("tables", () => {
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

describe("figures", () => {
  const width = 128
  const specs = {
    rates: optimalRateFigure(
      [128, 256].map((w) => ({
        scheme: "Init[A]",
        panel: "output level",
        width: w,
        rate: 1 / w,
        low: 0.5 / w,
        high: 2 / w,
        censored: w === 256,
      })),
      [128, 256].map((w) => ({ panel: "output level", label: "n^(−1)", width: w, rate: 1 / w })),
    ),
    trajectory: trajectoryFigure(
      [1, 2].map((step) => ({ scheme: "Init[A]", width, quantity: "|Z_A|", step, value: step })),
    ),
    loss: lossFigure([0.1, 1].map((rate) => ({ scheme: "Init[A]", width, rate, loss: rate }))),
    exponents: exponentFigure([
      { quantity: "zA", derived: 0.5, measured: 0.49, low: 0.4, high: 0.6, verdict: "agrees" },
    ]),
  }
  test.each([
    ["rates", ["width n", "learning rate", "output level", "n^(−1)"]],
    ["trajectory", ["training step t", "root mean square", "|Z_A|"]],
    ["loss", ["final training loss", "learning rate"]],
    ["exponents", ["derived exponent", "measured exponent"]],
  ] as const)("%s is drawn as SVG and PNG with its labels", async (name, labels) => {
    const { svg, png } = await renderFigure(specs[name])
    for (const label of labels) expect(svg).toContain(label)
    expect(svg).not.toContain("NaN")
    expect([...png.slice(1, 4)]).toEqual([..."PNG"].map((c) => c.charCodeAt(0)))
  })
})
