/** What is measured of tables of runs, in tables and findings of the report. */
import type { SectionFinding, SectionPart } from "../../src/report/section.js"
import type { ReportTable } from "../../src/report/table.js"
import type { Held, TableCoverage } from "./runTables.js"
import { ENOUGH, judgeShare, LEAST, MOST, percent } from "./shares.js"

/** The regime of the true best rate may be a false alarm in as many tables. */
const MOST_ALARMS = 0.05

/** Text and tables on the intervals and regimes that `fit` and `transfer` give for tables of runs. */
export function tableParts(coverages: readonly TableCoverage[]): SectionPart[] {
  return [
    {
      kind: "text",
      text: `Tables of runs, ${coverages[0]!.tables} of each kind, with a best rate and a stability edge that fall as n^-0.5, or where that is said as n^-0.1: six widths; a grid of eight rates, two a decade, or of fewer, each run once, twice or with three seeds, or random rates; losses rise by 2 % (steep) or 0.4 % (flat) over a factor of three in the rate, more steeply above the optimum than below it, and runs far above it diverge. In some, noise grows with the rate, as it does where runs come near to diverging, and seeds differ in their level. How often the interval of each exponent holds the true one: of the best rate as \`fit\` gives it and by the scatter about the line alone, and of the edge. How often the rates that the best rate and the edge of a width are said to lie between hold them. *Beyond*: how often the true best rate counts as beyond the edge. In brackets: median lengths of intervals.`,
    },
    { kind: "table", caption: "Tables of runs", table: tableTable(coverages) },
  ]
}

/** A row a kind of table. */
export function tableTable(coverages: readonly TableCoverage[]): ReportTable {
  const cell = ({ held, of, medianWidth }: Held) => `${percent(held, of)} (${medianWidth.toFixed(3)})`
  return {
    columns: [
      "tables",
      "of",
      "best rate",
      "by scatter alone",
      "edge",
      "best rate between",
      "edge between",
      "undecided",
      "beyond",
    ],
    rows: coverages.map((each) => [
      each.name,
      each.tables,
      cell(each.optimum),
      cell(each.byScatter),
      cell(each.edge),
      cell(each.optimumBetween),
      cell(each.edgeBetween),
      each.optimum.undecided,
      percent(each.beyond, each.tables),
    ]),
  }
}

/** A finding for each interval of each kind, and one for the false alarms of all. */
export function tableFindings(coverages: readonly TableCoverage[]): SectionFinding[] {
  return [
    ...coverages.flatMap((each) => [
      finding(`fit of a table, best rate, ${each.name}`, each.optimum, byNoise(each.byScatter)),
      finding(`fit of a table, stability edge, ${each.name}`, each.edge, OVER_READINGS, unseen(each)),
    ]),
    ...coverages.flatMap((each) => [
      betweenFinding(`the best rate lies between the rates that fit names, ${each.name}`, each.optimumBetween, null),
      betweenFinding(`the edge lies between the rates that fit names, ${each.name}`, each.edgeBetween, unseen(each)),
    ]),
    alarmFinding(coverages),
  ]
}

const BETWEEN_RATES =
  "conservative: where a place falls between the rates of a grid moves its estimate by more than the noise does, up and down in turn along the line, which the interval takes for scatter (the tables of random rates test this)"

const OVER_READINGS =
  "conservative: the edge is read off curves between two rates, which may be skewed or rise as another power than a parabola's, and the interval holds what each of these readings gives"

function byNoise({ held, of }: Held): string {
  return held / of <= MOST
    ? "conservative: few widths may lie nearer to a line than their noise lets them, by luck, and the interval is never shorter than the noise alone makes it (the column by scatter alone tests this)"
    : BETWEEN_RATES
}

/** Why an edge may be held too rarely. */
function unseen({ isUnseen }: TableCoverage): string | null {
  return isUnseen
    ? "no run was repeated: nothing tells how much more losses vary at the edge than near the least one (the same tables with repeated runs test this)"
    : null
}

function finding(what: string, { held, of }: Held, cause: string, short: string | null = null): SectionFinding {
  const verdict = judgeShare(held, of)
  const isMore = held / of > MOST
  const why =
    verdict === "inconclusive" ? `${ENOUGH} tables decide` : verdict === "contradicts" ? (isMore ? cause : short) : null
  return { claim: `${what}: ${percent(held, of)} covered`, verdict, why }
}

/** What lies between rates is not held to 95 %: a range of what is possible may be sure. */
function betweenFinding(claim: string, { held, of }: Held, short: string | null): SectionFinding {
  const isHeld = held / of >= LEAST
  return {
    claim: `${claim}: ${percent(held, of)}`,
    verdict: isHeld ? "agrees" : "contradicts",
    why: isHeld ? null : short,
  }
}

function alarmFinding(coverages: readonly TableCoverage[]): SectionFinding {
  const worst = coverages.reduce((most, each) => (each.beyond > most.beyond ? each : most))
  return {
    claim: `the true best rate counts as beyond the stability edge in less than ${100 * MOST_ALARMS} % of tables of each kind: at most ${percent(worst.beyond, worst.tables)} (${worst.name})`,
    verdict: worst.beyond / worst.tables < MOST_ALARMS ? "agrees" : "contradicts",
    why: null,
  }
}
