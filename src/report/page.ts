import { micromark } from "micromark"
import { renderFigure } from "./figure.js"
import { fileName } from "./fileName.js"
import { htmlPage, sectionHtml } from "./html.js"
import { escapeHtml } from "./htmlTable.js"
import type { Section } from "./section.js"

/** Sections as one HTML file that loads nothing, without the report's chapters and verdicts. */
export async function pageHtml(
  title: string,
  preface: string,
  sections: readonly Section[],
  command: string,
): Promise<string> {
  const drawn = new Map<string, string>()
  for (const section of sections)
    for (const part of section.parts)
      if (part.kind === "figure") drawn.set(fileName(section, part.name), (await renderFigure(part.spec)).svg)
  const svg = (file: string) => drawn.get(file)!
  const body = sections.map((section) => sectionHtml({ ...section, data: {} }, command, svg)).join("\n")
  const head = `<header><h1>${escapeHtml(title)}</h1>${micromark(preface)}</header>`
  return htmlPage(title, `${head}\n<main>\n${body}\n</main>`)
}
