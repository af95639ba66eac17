/** The whole reproduction: every experiment, one folder. */
import { mkdir } from "node:fs/promises"
import { join } from "node:path"
import type { TopLevelSpec } from "vega-lite"
import { environment } from "../src/report/environment.js"
import { renderFigure } from "../src/report/figure.js"
import { exponentFigure, lossFigure, optimalRateFigure, trajectoryFigure } from "../src/report/figures.js"
import { replaceFolder, writeFileAtomic } from "../src/report/files.js"
import { type ReportTable, renderTable } from "../src/report/table.js"
import type { SweepOptions } from "../src/sweep/sweep.js"
import { claimsTable, exponentPoints } from "./claims.js"
import { COVERAGE_BUDGET, coverage, NEAR_CROSSOVERS } from "./coverage.js"
import { taskCount } from "./measure.js"
import { type Numbers, reportMarkdown, type Size, type Summary } from "./reportText.js"
import * as tables from "./tables.js"
import { FULL, plan, QUICK, rateLaws, teacherStudent } from "./teacherStudent.js"
import { BUDGET, SETTINGS, verifyTheorySetting } from "./theorySetting.js"

const SIZES = {
  quick: { theory: BUDGET, coverage: COVERAGE_BUDGET, teacherStudent: QUICK },
  full: { theory: { ...BUDGET, seeds: 256 }, coverage: { ...COVERAGE_BUDGET, seeds: 64 }, teacherStudent: FULL },
} as const

/** How many tasks a reproduction has, for a progress bar. */
export function reproductionTasks(size: Size): number {
  const sizes = SIZES[size]
  return (
    taskCount(SETTINGS, sizes.theory) + taskCount(NEAR_CROSSOVERS, sizes.coverage) + plan(sizes.teacherStudent).length
  )
}

/**
 * Runs every experiment and writes the report folder: report.md, LaTeX tables, figures as SVG and PNG, every number as
 * CSV, the configuration and the environment. The folder appears whole or not at all.
 */
export async function reproduce(
  { size, out, marker }: { size: Size; out: string; marker: string },
  options: SweepOptions,
): Promise<Summary> {
  const start = performance.now()
  const sizes = SIZES[size]
  const claims = await verifyTheorySetting(SETTINGS, sizes.theory, options)
  const cases = await coverage(sizes.coverage, options)
  const runs = await teacherStudent(sizes.teacherStudent, options)
  const laws = rateLaws(runs, sizes.teacherStudent)
  const count = (kind: string) => claims.filter(({ measured }) => measured.verdict === kind).length
  const summary: Summary = {
    size,
    verdicts: { agrees: count("agrees"), contradicts: count("contradicts"), inconclusive: count("inconclusive") },
    cases: cases.length,
    covered: cases.filter(({ covered }) => covered).length,
    plainCovered: cases.filter(({ plainCovered }) => plainCovered).length,
    seconds: (performance.now() - start) / 1000,
  }
  const numbers: Numbers = { claims, cases, laws, summary, config: sizes.teacherStudent }
  const readouts = sizes.teacherStudent.readouts
  const figures: Record<string, TopLevelSpec> = {
    "exponents-derived-measured": exponentFigure(exponentPoints(claims)),
    ...Object.fromEntries(
      readouts.flatMap((readout): [string, TopLevelSpec][] => {
        const name = (figure: string) => `${figure}-readout-${String(readout).replace(".", "")}`
        return [
          [name("rate-against-width"), optimalRateFigure(...tables.rateFigureData(laws, readout))],
          [name("features-through-training"), trajectoryFigure(tables.trajectoryData(runs, laws, readout))],
          [name("loss-against-rate"), lossFigure(tables.lossData(runs, readout))],
        ]
      }),
    ),
  }
  const csv: Record<string, ReportTable> = {
    claims: claimsTable(claims),
    "theory-setting": tables.theoryValues(claims),
    coverage: tables.coverageTable(cases),
    "rate-laws": tables.rateLawTable(laws),
    "rates-per-width": tables.ratesPerWidth(laws),
    "teacher-student-runs": tables.runTable(runs),
    "teacher-student-history": tables.historyTable(runs),
  }
  const latex: Record<string, ReportTable> = {
    derived: tables.derivedTable(),
    claims: claimsTable(claims),
    "rate-laws": tables.rateLawTable(laws),
  }
  await replaceFolder(out, marker, async (folder) => {
    for (const part of ["figures", "data", "tables"]) await mkdir(join(folder, part))
    const json = (value: unknown) => `${JSON.stringify(value, null, 2)}\n`
    const write = (path: string, data: string | Uint8Array) => writeFileAtomic(join(folder, path), data)
    for (const [name, spec] of Object.entries(figures)) {
      const { svg, png } = await renderFigure(spec)
      await write(`figures/${name}.svg`, svg)
      await write(`figures/${name}.png`, png)
    }
    for (const [name, table] of Object.entries(csv)) await write(`data/${name}.csv`, renderTable(table, "csv"))
    for (const [name, table] of Object.entries(latex)) await write(`tables/${name}.tex`, renderTable(table, "latex"))
    await write("configuration.json", json({ size, ...sizes, settings: SETTINGS, nearCrossovers: NEAR_CROSSOVERS }))
    await write(marker, json({ ...environment(), workers: options.pool.workers, seconds: summary.seconds }))
    await write("report.md", reportMarkdown(numbers, Object.keys(figures)))
  })
  return summary
}
