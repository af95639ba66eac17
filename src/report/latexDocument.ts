import {
  countsOf,
  environmentTable,
  findingsOf,
  findingsTable,
  type ReportDocument,
  spentTable,
  summaryTable,
} from "./document.js"
import { escapeLatex } from "./escapeLatex.js"
import { fileName } from "./fileName.js"
import { latexLongTable } from "./latexTable.js"
import { markdownToLatex } from "./latexText.js"
import type { Section, SectionPart } from "./section.js"

/** Points of a pixel of a figure in print, and of a line. */
const SCALE = 0.62
const LINE_WIDTH = 455

/**
 * A section as LaTeX, without its document.
 *
 * @param width of a figure in pixels, by its file's name; without it a figure is its caption.
 */
export function sectionLatex(section: Section, width?: (file: string) => number): string {
  const { id, title, claim, parts, findings } = section
  return [
    `\\section{${escapeLatex(title)}}\\label{${id}}`,
    markdownToLatex(claim),
    ...parts.map((part) => partLatex(section, part, width)),
    ...(findings.length === 0 ? [] : [latexLongTable(findingsTable(findings), `Findings: ${escapeLatex(title)}`)]),
  ].join("\n\n")
}

function partLatex(section: Section, part: SectionPart, width?: (file: string) => number): string {
  switch (part.kind) {
    case "text":
      return markdownToLatex(part.text)
    case "table":
      return latexLongTable(part.table, markdownToLatex(part.caption))
    case "figure": {
      const file = fileName(section, part.name)
      const caption = markdownToLatex(part.caption)
      if (width === undefined) return `\\emph{Figure: ${caption}}`
      const points = Math.min(LINE_WIDTH, SCALE * width(file)).toFixed(0)
      return [
        "\\begin{figure}[H]",
        "\\centering",
        `\\includegraphics[width=${points}bp,height=0.85\\textheight,keepaspectratio]{figures/${file}.pdf}`,
        `\\caption{${caption}}`,
        "\\end{figure}",
      ].join("\n")
    }
  }
}

/** The report as a LaTeX document, its figures as PDF in `figures/`; needs nothing beyond texlive-latex-recommended. */
export function documentLatex(document: ReportDocument, width: (file: string) => number): string {
  const { title, preface, chapters } = document
  return `${[
    PREAMBLE,
    `\\title{${escapeLatex(title)}}\n\\author{}\n\\date{}`,
    "\\begin{document}\n\\maketitle",
    markdownToLatex(preface),
    "\\tableofcontents",
    "\\section{Findings}",
    `${escapeLatex(countsOf(findingsOf(document)))}.`,
    latexLongTable(summaryTable(document), "All findings"),
    ...chapters.map(({ section }) => sectionLatex(section, width)),
    "\\section{What it took}",
    latexLongTable(spentTable(document), "Runs, seeds and time"),
    latexLongTable(environmentTable(document), "Environment"),
    "\\end{document}",
  ].join("\n\n")}\n`
}

// Knuth's own encoding: its fonts come as outlines with the smallest installation, those of T1 as bitmaps.
const PREAMBLE = `\\documentclass[11pt,a4paper]{article}
\\usepackage[utf8]{inputenc}
\\usepackage{textcomp,amssymb,array,booktabs,longtable,float,graphicx}
\\usepackage[margin=25mm]{geometry}
\\usepackage[hidelinks]{hyperref}
\\emergencystretch=3em`
