import {
  askedLine,
  countsOf,
  environmentTable,
  findingsOf,
  findingsTable,
  type ReportDocument,
  spentTable,
  summaryOf,
  summaryTable,
} from "./document.js"
import { escapeLatex } from "./escapeLatex.js"
import { fileName } from "./fileName.js"
import { latexLongTable } from "./latexTable.js"
import { markdownToLatex } from "./latexText.js"
import { againstMarkdown } from "./markdownDocument.js"
import { lawTable, OPENING } from "./opening.js"
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
  const { id, title, answer, claim, parts, findings } = section
  const asked = askedLine(section)
  return [
    `\\section{${escapeLatex(title)}}\\label{${id}}`,
    ...(answer === null
      ? []
      : [
          `\\textbf{${escapeLatex(answer.question)}} ${markdownToLatex(answer.text)}`,
          `\\emph{${escapeLatex(summaryOf(section))}}`,
        ]),
    markdownToLatex(claim),
    ...parts.map((part) => partLatex(section, part, width)),
    ...(findings.length === 0 ? [] : [latexLongTable(findingsTable(findings), `Findings: ${escapeLatex(title)}`)]),
    ...(asked === null ? [] : [escapeLatex(asked)]),
  ].join("\n\n")
}

function partLatex(section: { readonly id: string }, part: SectionPart, width?: (file: string) => number): string {
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
    ...openingLatex(document, width),
    markdownToLatex(preface),
    "\\tableofcontents",
    ...chapters.map(({ section }) => sectionLatex(section, width)),
    "\\section{All findings}",
    `${escapeLatex(countsOf(findingsOf(document)))}.`,
    latexLongTable(summaryTable(document), "All findings"),
    "\\section{What it took}",
    latexLongTable(spentTable(document), "Runs, seeds and time"),
    latexLongTable(environmentTable(document), "Environment"),
    "\\end{document}",
  ].join("\n\n")}\n`
}

function openingLatex(document: ReportDocument, width: (file: string) => number): string[] {
  const { opening } = document
  const against = ["\\paragraph{Against the paper, or left open}", markdownToLatex(againstMarkdown(document))]
  if (opening === null) return against
  return [
    `\\textbf{${escapeLatex(opening.question)}}`,
    markdownToLatex(opening.answer),
    latexLongTable(lawTable(opening), "The laws: derived, proven, measured"),
    partLatex(OPENING, { kind: "figure", ...opening.figure }, width),
    "\\paragraph{If you fine-tune}",
    markdownToLatex(opening.practice),
    ...against,
  ]
}

// Knuth's own encoding: its fonts come as outlines with the smallest installation, those of T1 as bitmaps.
const PREAMBLE = `\\documentclass[11pt,a4paper]{article}
\\usepackage[utf8]{inputenc}
\\usepackage{textcomp,amssymb,array,booktabs,longtable,float,graphicx}
\\usepackage[margin=25mm]{geometry}
\\usepackage[hidelinks]{hyperref}
\\emergencystretch=3em`
