import { micromark } from "micromark"
import { renderFigure } from "./figure.js"
import { fileName } from "./fileName.js"
import { escapeHtml, sectionHtml } from "./html.js"
import type { Section } from "./section.js"
import { STYLE } from "./style.js"

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
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escapeHtml(title)}</title>
<style>${STYLE}</style>
</head>
<body>
<header><h1>${escapeHtml(title)}</h1>${micromark(preface)}</header>
<main>
${sections.map((section) => sectionHtml({ ...section, data: {} }, command, (file) => drawn.get(file)!)).join("\n")}
</main>
</body>
</html>
`
}
