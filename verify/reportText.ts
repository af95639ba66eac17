import { renderTable } from "../src/report/table.js"
import { claimsTable } from "./claims.js"
import type { CoverageCase } from "./coverage.js"
import { derivedTable, rateLawTable } from "./tables.js"
import type { RateLaw, TeacherStudentConfig } from "./teacherStudent.js"
import type { Claim } from "./theorySetting.js"

/** How much is computed. */
export type Size = "quick" | "full"

/** What a reproduction found, in counts. */
export interface Summary {
  readonly size: Size
  readonly verdicts: Readonly<Record<"agrees" | "contradicts" | "inconclusive", number>>
  readonly cases: number
  readonly covered: number
  readonly plainCovered: number
  readonly seconds: number
}

/** All that the report's text speaks of. */
export interface Numbers {
  readonly claims: readonly Claim[]
  readonly cases: readonly CoverageCase[]
  readonly laws: readonly RateLaw[]
  readonly summary: Summary
  readonly config: TeacherStudentConfig
}

/** The report as Markdown. */
export function reportMarkdown({ claims, cases, laws, summary, config }: Numbers, figures: readonly string[]): string {
  const { verdicts, covered, plainCovered, size } = summary
  const share = (k: number) => `${k} of ${cases.length} (${((100 * k) / cases.length).toFixed(0)} %)`
  const largest = Math.max(...claims.map(plainMiss))
  const picture = (name: string) => `![${name}](figures/${name}.svg)`
  return `# The impact of initialisation on LoRA: derived and measured

A ${size} run. Every number is in \`data/\`, made by \`lora-scaling reproduce --${size}\`; constants are in
\`configuration.json\`, versions in \`environment.json\`. Where the paper (arXiv 2406.08447) leaves a constant open, the one
used here is our choice, not the paper's.

## What is derived (feature level)

From each scheme's program, for all t and all values of the symbols (c, cA, cB: exponents of the rates; a0, b0: of the
starts). Adam; linear loss; fixed rank.

${renderTable(derivedTable(), "markdown")}
## Derived against measured in the theory's setting (feature level)

One sample, linear loss, widths ${claims[0]!.widths[0]} … ${claims[0]!.widths.at(-1)}, ${claims[0]!.seeds} seeds, float64.
**${verdicts.agrees} agree, ${verdicts.contradicts} contradict, ${verdicts.inconclusive} inconclusive.** Where a max has one
term, or its two leading terms are at least 1/2 apart, the plain slope misses the derived exponent by at most
${largest.toFixed(3)}. A verdict rests on the fit with the derived other terms where there are any.

${picture("exponents-derived-measured")}

${renderTable(claimsTable(claims), "markdown")}
## Do the intervals cover?

${cases.length} quantities whose two leading terms are less than 1/2 apart, on seeds that nothing else used. The 95 %
interval of the fit with the derived other terms contains the derived exponent in ${share(covered)}, that of the plain slope
in ${share(plainCovered)}. Quantities of one setting share runs, so the cases are correlated.

## Teacher and student

f(x) = W_out φ((W_h + BA) φ(W_in x)), ReLU, rank ${config.rank}, input dimension ${config.inputs}, ${config.samples} samples,
${config.steps} steps of full-batch Adam, ${config.seeds.length} seeds, readout entries N(0, n^(−2o)). Two levels, which are
not the same thing:

- *feature level*: the largest rate at which the root mean square of Z_B stays within ${config.featureLimit} through
  training. Derived: −1/2 for Init[A], −1 for Init[B].
- *output level*: the rate of least final loss. What is derived here bounds features, not the output, so this level is
  measured only.

${renderTable(rateLawTable(laws), "markdown")}
Intervals are Student's over seeds. A width with a censored seed (a minimum at the grid's edge, a limit never met) does not
enter its slope. Training moves in ${config.steps} steps and the widths are finite: these slopes are descriptive and carry no
verdict.

${figures
  .filter((name) => name !== "exponents-derived-measured")
  .map(picture)
  .join("\n\n")}
`
}

/** How far the plain slope of a claim lies from the derived exponent, if its terms are well apart. */
function plainMiss({ derived, measured: { plain } }: Claim): number {
  if (derived.kind === "zero" || plain === null) return 0
  const [next] = derived.others
  if (next !== undefined && derived.exponent.sub(next).compare("1/2") < 0) return 0
  return Math.abs(plain.exponent - derived.exponent.valueOf())
}
