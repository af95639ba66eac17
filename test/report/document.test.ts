import { execFileSync } from "node:child_process"
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { parse } from "csv-parse/sync"
import fc from "fast-check"
import { afterAll, beforeAll, describe, expect, test } from "vitest"
import type { ReportDocument } from "../../src/report/document.js"
import { environment } from "../../src/report/environment.js"
import { escapeLatex } from "../../src/report/escapeLatex.js"
import { markdownToLatex } from "../../src/report/latexText.js"
import type { Section } from "../../src/report/section.js"
import { SectionJson, sectionJson } from "../../src/report/sectionJson.js"
import { writeReport } from "../../src/report/writeReport.js"
import { isInstalled } from "../isInstalled.js"
import { EXAMPLES, OPENING_EXAMPLE } from "./examples.js"

/** Texts with anything in them: what a claim, a name or a cell may hold must never break a format. */
const odd = fc.sample(fc.oneof(fc.string({ unit: "grapheme" }), fc.string({ unit: "binary" }), fc.string()), {
  numRuns: 150,
  seed: 7,
})

const figures: Section = {
  id: "figures",
  title: "Figures & sizes: |Z_A| ~ n^{1/2}, Δf ≤ Θ(1)",
  answer: { question: "Are 1 < 2 & 50 % drawn?", text: "**Yes**: `all` of them." },
  claim:
    "Z̄, Z_A⁰ → ∞ at *η = n^(−1/2)*, `c <= -1/2`; [a link](https://example.org/a_b?c=%20#d).\n\n- one\n- two\n\n1. three",
  parts: [
    { kind: "text", text: "Some text with **strong** words, 50 % & more.\n\n```\ncode _ block\n```" },
    ...Object.entries(EXAMPLES).map(([name, spec]) => ({
      kind: "figure" as const,
      name,
      caption: `The *figure* ${name}, at n = 2¹⁰`,
      spec,
    })),
  ],
  findings: [
    { claim: "it holds for 1 < 2", verdict: "agrees", why: null },
    { claim: "it fails", verdict: "contradicts", why: "a sign flip" },
    { claim: "nobody knows why", verdict: "contradicts", why: null },
    {
      claim: "it is open",
      verdict: "inconclusive",
      why: "--budget 4 would decide",
      items: ["a", "b", "c", "zA at t = 3"],
    },
  ],
  askedAtFullSize: [
    { claim: "it is asked later", verdict: "inconclusive", why: null },
    { claim: "and so is this", verdict: "inconclusive", why: "8 seeds would decide" },
  ],
  data: { numbers: { columns: ["n", "x"], rows: [[1, 0.1]] } },
}

const texts: Section = {
  id: "texts",
  title: odd[0]!,
  answer: { question: odd[0]!, text: odd[1]! },
  claim: odd.slice(1, 30).join("\n\n"),
  parts: [
    { kind: "table", caption: odd[30]!, table: { columns: ["[a", "*b"], rows: odd.map((text) => ["[1, 2]", text]) } },
    { kind: "table", caption: "wide", table: { columns: ["a", "b"], rows: [["x".repeat(300), "a/b=".repeat(80)]] } },
    { kind: "table", caption: "empty", table: { columns: ["a"], rows: [] } },
  ],
  findings: odd.slice(31, 40).map((claim) => ({ claim, verdict: "agrees" as const, why: null })),
  data: { texts: { columns: ["text"], rows: odd.map((text) => [text]) } },
}

const document: ReportDocument = {
  title: "A report",
  opening: OPENING_EXAMPLE,
  preface: "**A quick run.**",
  chapters: [figures, texts].map((section) => ({
    section,
    command: `lora-scaling reproduce --only ${section.id}`,
    spent: { runs: 1, runSeconds: 1, seconds: 1, seeds: "0…3" },
  })),
  environment: { ...environment(), workers: 2 },
}

let out: string
let html: string
beforeAll(async () => {
  out = join(await mkdtemp(join(tmpdir(), "document-")), "report")
  await writeReport(document, { size: "quick" }, out)
  html = await readFile(join(out, "report.html"), "utf8")
})
afterAll(() => rm(join(out, ".."), { recursive: true }))

describe("the HTML page", () => {
  test("loads nothing, and runs nothing but the script that sorts the findings", () => {
    expect(html).not.toMatch(/<(link|img|iframe|object|embed|image|base)\b/i)
    expect(html.match(/<script\b[^>]*>/gi)).toEqual(["<script>"])
    expect(html).not.toMatch(/@import|url\((?!#)|\bsrc=|\bsrcset=/i)
    // The only addresses: where a reader may go, and the names of the SVG format.
    const links = [...html.matchAll(/(\S*)="(?:https?:)?\/\/[^"]*"/g)].map(([, name]) => name)
    for (const name of links) expect(name).toMatch(/^(href|xmlns(:xlink)?)$/)
  })

  test("has each name once, and every link within it leads somewhere", () => {
    const ids = [...html.matchAll(/\sid="([^"]*)"/g)].map(([, id]) => id)
    expect(new Set(ids).size).toBe(ids.length)
    const targets = [...html.matchAll(/(?:href="|url\()#([^")]*)/g)].map(([, id]) => id)
    expect(targets.length).toBeGreaterThan(5)
    for (const target of targets) expect(ids).toContain(target)
  })

  test("opens with the question, the answer, the laws and what was found against them, and draws every figure", () => {
    const first = html.slice(html.indexOf("<body>"), html.indexOf("<nav>"))
    const { question, laws } = OPENING_EXAMPLE
    expect(first).toContain(question)
    for (const { proven } of laws) expect(first).toContain(proven!.theorem)
    for (const text of ["it fails", "nobody knows why", "1 claim</a> undecided", "2 claims asked at full size"])
      expect(first).toContain(text)
    expect(html.match(/<svg\b/g)).toHaveLength(Object.keys(EXAMPLES).length + 1)
  })

  test("answers each section's question before anything else, with a summary, and ends with all findings", () => {
    const section = html.slice(html.indexOf('<section id="figures">'), html.indexOf('<section id="texts">'))
    const places = ["Are 1 &lt; 2", "<strong>Yes</strong>", "1 agree, 2 contradict, 1 undecided", "Z̄, Z_A⁰"].map(
      (text) => section.indexOf(text),
    )
    expect(places[0]).toBeGreaterThan(0)
    expect([...places].sort((x, y) => x - y)).toEqual(places)
    const end = html.slice(html.indexOf('<section id="findings">'))
    for (const text of ["a sign flip", "no cause is named", "--budget 4 would decide", "zA at t = 3"])
      expect(end).toContain(text)
    expect(end).not.toContain("it is asked later")
    expect(section).toMatch(/<details><summary>Asked at full size: 2<.*it is asked later.*8 seeds would decide/)
  })
})

test("every figure and file that the Markdown and the LaTeX name exists", async () => {
  const [md, tex] = await Promise.all(["report.md", "appendix.tex"].map((name) => readFile(join(out, name), "utf8")))
  const named = [
    ...[...md!.matchAll(/!\[[^\]]*\]\(([^)]+)\)/g)].map(([, file]) => file!),
    ...[...tex!.matchAll(/\\includegraphics\[[^\]]*\]\{([^}]+)\}/g)].map(([, file]) => file!),
  ]
  expect(named).toHaveLength(2 * (Object.keys(EXAMPLES).length + 1))
  const files = await readdir(out, { recursive: true })
  for (const file of named) expect(files).toContain(file)
})

test("Markdown and LaTeX open with the answer and end with all findings, as the page does", async () => {
  for (const name of ["report.md", "appendix.tex"]) {
    const text = (await readFile(join(out, name), "utf8")).replaceAll("\\allowbreak{}", "")
    const places = ["How fast must the rate fall", "If you fine-tune", "left open", "A quick run.", "Are 1 "].map(
      (one) => text.indexOf(one),
    )
    expect(places[0]).toBeGreaterThan(0)
    expect([...places].sort((x, y) => x - y)).toEqual(places)
    expect(text.indexOf("All findings")).toBeGreaterThan(places.at(-1)!)
    expect(text).toContain("Asked at full size: it is asked later, and 1 claim more.")
    expect(text).toContain("it is open: a, b, c and 1 more")
  }
})

test("every CSV has the command that made it", async () => {
  const rows: string[][] = parse(await readFile(join(out, "data/commands.csv"), "utf8"))
  const files = (await readdir(join(out, "data"))).filter((file) => file !== "commands.csv")
  expect(rows.slice(1).map(([file]) => file)).toEqual(expect.arrayContaining(files))
  expect(rows).toContainEqual(["figures-numbers.csv", "lora-scaling reproduce --only figures"])
  expect(parse(await readFile(join(out, "data/texts.csv"), "utf8"))).toEqual([["text"], ...odd.map((text) => [text])])
})

test("two figures of one name are refused, and the earlier report stays", async () => {
  const twice = { ...figures, parts: [...figures.parts, ...figures.parts] }
  const chapters = [{ ...document.chapters[0]!, section: twice }]
  await expect(writeReport({ ...document, chapters }, null, out)).rejects.toThrow("two figures are named figures-")
  expect(await readFile(join(out, "report.html"), "utf8")).toBe(html)
})

test("the JSON of a section follows its schema", () => {
  const json = JSON.parse(JSON.stringify(sectionJson(figures, "quick")))
  expect(SectionJson.parse(json)).toEqual(json)
})

describe("LaTeX", () => {
  test("keeps what is plain, names what it can, and shows the code of the rest", () => {
    expect(escapeLatex("Z̄ = Θ(n^½) — 50 % of {x_1}")).toBe(
      "$\\bar{Z}$ = $\\Theta$(n\\textasciicircum{}$\\frac12$) --- 50 \\% of \\{x\\_1\\}",
    )
    expect(escapeLatex("réproduire 字")).toBe("réproduire {[}U+5B57]")
    expect(markdownToLatex("*a* **b** `c_d`")).toBe("\\emph{a} \\textbf{b} \\texttt{c\\_d}")
  })

  test.skipIf(!isInstalled("pdflatex", "--version"))("compiles, whatever the texts hold", () => {
    const run = (...words: string[]) =>
      execFileSync("pdflatex", ["-interaction=nonstopmode", "-halt-on-error", ...words, "appendix.tex"], {
        cwd: out,
        encoding: "utf8",
      })
    run("-draftmode")
    // The second run reads the contents that the first wrote.
    const log = run()
    expect(log).toMatch(/Output written on appendix\.pdf \(\d+ pages/)
    expect(log).not.toMatch(/undefined references|Missing character/)
  })
})
