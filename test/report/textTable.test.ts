import fc from "fast-check"
import { describe, expect, test } from "vitest"
import { renderTable } from "../../src/report/table.js"
import { UNBOUNDED } from "../../src/report/textTable.js"

const word = fc.stringMatching(/^[a-z0-9<=/(),.+-]{1,12}$/)
const cell = fc.array(word, { maxLength: 8 }).map((words) => words.join(" "))
const table = fc.integer({ min: 1, max: 6 }).chain((columns) =>
  fc.record({
    columns: fc.array(word, { minLength: columns, maxLength: columns }),
    rows: fc.array(fc.array(cell, { minLength: columns, maxLength: columns }), { maxLength: 5 }),
  }),
)

/** The words of a text, in any order. */
const words = (text: string) => text.split(/\s+/).filter(Boolean).sort()

describe("a table on a screen", () => {
  test("keeps within its width and loses no word, however narrow it is", () => {
    fc.assert(
      fc.property(table, fc.integer({ min: 44, max: 200 }), ({ columns, rows }, width) => {
        const text = renderTable({ columns, rows }, "text", { ...UNBOUNDED, width })
        for (const line of text.split("\n")) expect([...line].length).toBeLessThanOrEqual(width)
        for (const one of words(rows.flat().join(" "))) expect(words(text)).toContain(one)
      }),
    )
  })

  test("is the same as anywhere while it fits", () => {
    fc.assert(
      fc.property(table, (given) => {
        const free = renderTable(given, "text")
        const widest = Math.max(...free.split("\n").map((line) => [...line].length))
        // Cells that end a line in blanks are trimmed, so the columns may need a little more than is seen.
        expect(renderTable(given, "text", { ...UNBOUNDED, width: widest + 100 })).toBe(free)
      }),
    )
  })

  const claims = {
    columns: ["claim", "derived", "verdict"],
    rows: [
      ["the largest rate with bounded features goes as n^(-1/2)", "c <= -1/2", "agrees"],
      ["the rate of least loss goes as n^(-1)", "c <= -1", "contradicts: sign flip"],
    ],
  }

  test("has long cells on several lines where the columns still fit", () => {
    expect(renderTable(claims, "text", { ...UNBOUNDED, width: 60 })).toBe(
      [
        // 60 characters less two gaps, 9 for the conditions and 21 for the verdicts: 26 are left.
        "claim                     derived    verdict",
        "the largest rate with     c <= -1/2  agrees",
        "bounded features goes as",
        "n^(-1/2)",
        "the rate of least loss    c <= -1    contradicts: sign flip",
        "goes as n^(-1)",
        "",
      ].join("\n"),
    )
  })

  test("is a block a row where they do not, with a word on how to see it as a table", () => {
    const wide = {
      columns: ["a long heading of a column", "and-another-long-one", "a-third-heading", "the-verdict-of-all"],
      rows: [["x", "c <= -1/2", "y", "z"]],
    }
    const text = renderTable(wide, "text", { ...UNBOUNDED, width: 46 })
    expect(text).toContain("and-another-long-one        c <= -1/2")
    expect(text).toContain("--format csv")
  })

  test("colours verdicts and nothing else", () => {
    const text = renderTable(claims, "text", { width: 50, paint: (part, verdict) => `<${verdict}:${part}>` })
    expect(text.match(/<[a-z]+:[^>]*>/g)).toEqual([
      "<agrees:agrees>",
      "<contradicts:contradicts: sign>",
      "<contradicts:flip>",
    ])
  })
})
