import { mkdir } from "node:fs/promises"
import { join } from "node:path"
import type { TopLevelSpec } from "vega-lite"
import { writeFileAtomic } from "../writeFileAtomic.js"
import type { ReportDocument } from "./document.js"
import { type Drawing, renderFigure } from "./figure.js"
import { fileName } from "./fileName.js"
import { replaceFolder } from "./files.js"
import { documentHtml } from "./html.js"
import { documentLatex } from "./latexDocument.js"
import { documentMarkdown } from "./markdownDocument.js"
import { OPENING } from "./opening.js"
import { sizeOf } from "./pdf.js"
import { renderTable } from "./table.js"

/** Its presence says that a folder is an earlier report. */
export const MARKER = "environment.json"

/**
 * Writes a report's folder, whole or not at all: report.html, report.md, appendix.tex, figures as SVG, PNG and PDF,
 * every number as CSV with the command that made it, the configuration and the environment.
 *
 * @throws InputError as `replaceFolder`.
 */
export async function writeReport(document: ReportDocument, configuration: unknown, out: string): Promise<void> {
  const drawings = await draw(document)
  const drawing = (file: string) => drawings.get(file)!
  await replaceFolder(out, MARKER, async (folder) => {
    for (const part of ["figures", "data"]) await mkdir(join(folder, part))
    const write = (path: string, data: string | Uint8Array) => writeFileAtomic(join(folder, path), data)
    const json = (value: unknown) => `${JSON.stringify(value, null, 2)}\n`
    for (const [file, { svg, png, pdf }] of drawings)
      for (const [ending, data] of Object.entries({ svg, png, pdf })) await write(`figures/${file}.${ending}`, data)
    const commands: [string, string][] = []
    for (const { section, command } of document.chapters)
      for (const [name, table] of Object.entries(section.data)) {
        const file = `${fileName(section, name)}.csv`
        await write(`data/${file}`, renderTable(table, "csv"))
        commands.push([file, command])
      }
    await write("data/commands.csv", renderTable({ columns: ["file", "command"], rows: commands }, "csv"))
    await write("configuration.json", json(configuration))
    await write("report.md", documentMarkdown(document))
    await write(
      "report.html",
      documentHtml(document, (file) => drawing(file).svg),
    )
    await write(
      "appendix.tex",
      documentLatex(document, (file) => sizeOf(drawing(file).svg)[0]),
    )
    const spent = document.chapters.map(({ section, spent }) => [section.id, spent])
    await write(MARKER, json({ ...document.environment, spent: Object.fromEntries(spent) }))
  })
}

/** Every figure by its file's name. @throws Error if two have one name. */
async function draw({ opening, chapters }: ReportDocument): Promise<Map<string, Drawing>> {
  const specs = new Map<string, TopLevelSpec>()
  if (opening !== null) specs.set(fileName(OPENING, opening.figure.name), opening.figure.spec)
  for (const { section } of chapters)
    for (const part of section.parts) {
      if (part.kind !== "figure") continue
      const file = fileName(section, part.name)
      if (specs.has(file)) throw new Error(`two figures are named ${file}`)
      specs.set(file, part.spec)
    }
  const drawings = new Map<string, Drawing>()
  for (const [file, spec] of specs) drawings.set(file, await renderFigure(spec))
  return drawings
}
