/** Small Llamas of one shape at several widths, pretrained and fine-tuned by us: where optima, edges and sizes lie. */

import { existsSync } from "node:fs"
import { fileURLToPath } from "node:url"
import { mean } from "simple-statistics"
import { derive } from "../../src/derive/derive.js"
import { SURE } from "../../src/fit/bracket.js"
import { censoredSlope } from "../../src/fit/censored.js"
import { RULES } from "../../src/fit/judge.js"
import { studentQuantile } from "../../src/fit/normal.js"
import type { RateFit } from "../../src/fit/optimum.js"
import { packageFile } from "../../src/packageFile.js"
import { powerLabel } from "../../src/report/figures/axes.js"
import { type CoordinatePoint, coordinateFigure } from "../../src/report/figures/coordinates.js"
import { lossFigure } from "../../src/report/figures/loss.js"
import { optimalRateFigure, type RatePoint, type ReferenceLine } from "../../src/report/figures/rates.js"
import { range } from "../../src/report/fit.js"
import type { Section, SectionFinding, SectionPart } from "../../src/report/section.js"
import type { ReportTable } from "../../src/report/table.js"
import { scheme as ready } from "../../src/scheme/scheme.js"
import { groupsOf } from "../../src/table/groups.js"
import { type MeasuredCheck, measuredChecks } from "../compare/measuredCheck.js"
import type { Experiment } from "../experiment.js"
import { tunedBlock } from "../tunedBlock.js"
import { type TuningTables, tuningTables } from "../tunings.js"
import {
  alongLaw,
  EDGE_SHARE,
  LIMIT,
  lawThroughOptimum,
  type RateLaw,
  rateAt,
  ratesOf,
  recordedOf,
  type SchemeRates,
} from "./tables.js"

const MAKE = [
  "npm run family",
  "npx lora-scaling sweep examples/real/family.yaml --store results/family.duckdb --out results/family",
]

/** The folder of the kept tables; null in a package without them. */
export function keptFamily(): string | null {
  const folder = fileURLToPath(new URL("examples/real/kept/family", packageFile()))
  return existsSync(folder) ? folder : null
}

/**
 * The experiment on a folder that `sweep --out` wrote of examples/real/family.yaml.
 *
 * @param folder null where there is none: the section then says how to make one.
 */
export function realFamily(folder: string | null): Experiment {
  return {
    id: "real-family",
    title: "A family of small Llamas",
    isOneSize: true,
    tasks: () => (folder === null ? 0 : 1),
    run: async (_effort, { onFinished }) => {
      if (folder === null) return withoutTables()
      const tables = await tuningTables(folder)
      onFinished?.()
      return sectionOf(tables)
    },
  }
}

const head = { id: "real-family", title: "A family of small Llamas" }
const question =
  "Do optimum, edge and sizes of pretrained transformers of four widths move as the transformer program derives?"
const claim =
  "The largest stable rate at feature level of adapters on q and v of a Llama block: derived from the block's program, for each start."

function withoutTables(): Section {
  const text = `No tables were given. They are made by\n\n${MAKE.map((line) => `    ${line}`).join("\n")}\n\nand read by \`reproduce --real-family results/family\`. The texts come from Debian's packages bible-kjv, bible-kjv-text and r-cran-janeaustenr, or are any two files (\`npm run family -- --train a.txt --tune b.txt\`); the engine is \`npm install onnxruntime-node --no-save --save-dev --ignore-scripts\`.`
  return {
    ...head,
    answer: { question, text: "Nothing: no tables were given." },
    claim,
    parts: [{ kind: "text", text }],
    findings: [],
    data: {},
  }
}

/** A law in words, its rate at the narrowest width first. */
const lawText = (law: RateLaw) =>
  `the rate ${rateAt(law, law.narrowest).toPrecision(2)} (n / ${law.narrowest})^(${law.exponent})`

/** What is said of one scheme. */
interface SchemeReading {
  readonly name: string
  /** The derived exponent of the largest stable rate. */
  readonly bound: number
  readonly rates: SchemeRates
  /** The rates at which sizes are compared: they fall as the bound does. */
  readonly law: RateLaw | null
  readonly checks: readonly MeasuredCheck[]
}

function readingOf(tables: TuningTables, name: string): SchemeReading {
  const { sizes } = tables
  const definition = tunedBlock("llama-block", ["q", "v"], name)
  const [least] = derive(ready(definition))
    .largestRate.features!.map(({ constant }) => constant)
    .sort((x, y) => x.compare(y))
  const bound = least!.valueOf()
  const rates = ratesOf(tables, name)
  const law = lawThroughOptimum(sizes, name, rates.optimum, bound)
  const setting = { definition, values: { c: least!.toFraction() } }
  const checks = law === null ? [] : measuredChecks(setting, recordedOf(alongLaw(sizes, name, law)), 1)
  return { name, bound, rates, law, checks }
}

function sectionOf(tables: TuningTables): Section {
  const { runs, computedBy } = tables
  const schemes = [...new Set(runs.map(({ scheme }) => scheme))]
  const read = schemes.map((name) => readingOf(tables, name))
  const widths = [...new Set(runs.map(({ width }) => width))].sort((x, y) => x - y)
  const seeds = new Set(runs.map(({ seed }) => seed)).size
  const bounds = boundsTable(read)
  const sizes = sizesTable(read)
  const checks = read.flatMap((scheme) => scheme.checks)
  const verdicts = (verdict: MeasuredCheck["verdict"]) => checks.filter((check) => check.verdict === verdict).length
  const told = ({ slope }: RateFit) => (slope === null ? "unknown" : slope.exponent.toFixed(2))
  const slopes = read.map(
    ({ name, bound, rates: { optimum, features } }) =>
      `${name}: the rate of least perplexity has the slope ${told(optimum)}, the largest rate with |Z_B| ≤ ${LIMIT} ${told(features)}, derived ${bound}`,
  )
  const text = `${runs.length} runs by ${computedBy}: ${schemes.join(", ")} at widths ${widths.join(", ")}, ${seeds} seeds. Models: two layers, four heads, byte tokens, pretrained for some minutes on the King James Bible; fine-tuned for a few steps on Jane Austen's novels with adapters of rank 4 on q and v; perplexity on 2,048 bytes that were not trained on. Made by \`${MAKE.join("`, then `")}\`.`
  const limits = `What this can say: whether sizes and edges of these models move with the width as derived, within the intervals. What it cannot: anything of accuracy, of large models, or of long training. The derivation reads frozen weights as random; these are pretrained. ${widths.length} widths and ${seeds} seeds leave intervals as wide as they are. Sizes are read between measured rates by a straight line in the logarithms. Each is a sum of terms whose powers are derived, and the derived exponent is that of the largest at large widths: *agrees* means that a fit with all derived terms holds it, *consistent* that the slope by itself does, in a test that is corrected for the number of all sizes of its scheme, but that such a fit, with as many terms as there are widths, holds too much else to decide. The rate of least perplexity is no stability bound: the theory does not say where below the bound the loss is least. Intervals of rates are Student's over the seeds' own slopes: what all seeds share, such as the models, is not in them.`
  const parts: SectionPart[] = [
    { kind: "text", text },
    {
      kind: "figure",
      name: "real-family-rates",
      caption: `Rates against width: of least perplexity, the edge (${100 * EDGE_SHARE} % above it), and the largest with |Z_B| ≤ ${LIMIT}; dashed the derived powers, through the first width`,
      spec: rateFigure(read),
    },
    { kind: "table", caption: "Slopes against the width beside the derived bound", table: bounds },
    { kind: "figure", name: "real-family-loss", caption: "Perplexity against rate", spec: perplexityFigure(tables) },
    ...read.flatMap(({ name, law, checks }): SectionPart[] =>
      law === null || checks.length === 0
        ? []
        : [
            {
              kind: "figure",
              name: `real-family-sizes-${name}`,
              caption: `${name} at ${lawText(law)}, the last recorded step: sizes at v against the width, dashed the derived powers`,
              spec: coordinateFigure(coordinates(checks)),
            },
          ],
    ),
    {
      kind: "table",
      caption: "Sizes at each kind of layer, at rates that fall as the derived bound, derived beside measured",
      table: sizes,
    },
    { kind: "text", text: limits },
  ]
  return {
    ...head,
    answer: {
      question,
      text: `${slopes.join("; ")}. Of ${sizes.rows.length} sizes at rates that fall as the bound ${verdicts("agrees")} agree, ${verdicts("consistent")} are consistent, ${verdicts("contradicts")} contradict, ${verdicts("inconclusive")} are undecided${openText(checks)}.`,
    },
    claim,
    parts,
    findings: read.map((scheme) => thresholdFinding(scheme, seeds)),
    data: {
      "real-family-bounds": bounds,
      "real-family-sizes": sizes,
      "real-family-rates": ratesTable(read),
    },
  }
}

/** Why sizes are undecided, in words; empty where none is. */
function openText(checks: readonly MeasuredCheck[]): string {
  const open = checks.filter(({ verdict }) => verdict === "inconclusive")
  const wide = open.filter(({ interval }) => interval === null || halfOf(interval) > RULES.widestHalfWidth).length
  if (open.length === 0) return ""
  return ` (${wide} because the slope is known to ${RULES.widestHalfWidth} or worse, ${open.length - wide} because it is off the derived exponent as far as smaller derived terms may bend it)`
}

const halfOf = ({ low, high }: { readonly low: number; readonly high: number }) => (high - low) / 2

/** Whether the feature-level threshold moves as derived. */
function thresholdFinding({ name, bound, rates: { features } }: SchemeReading, seeds: number): SectionFinding {
  const about = `${name} on these Llamas: the largest rate with |Z_B| ≤ ${LIMIT} goes as n^(${bound})`
  const { slope, widths } = features
  if (slope === null || !Number.isFinite(slope.interval.high))
    return { claim: about, verdict: "inconclusive", why: "the grid does not hold it at three widths and two seeds" }
  const { low, high } = slope.interval
  const claim = `${about}; measured ${slope.exponent.toFixed(2)}, 95 % ${range(low, high)}`
  if (low > bound || high < bound)
    return {
      claim,
      verdict: "contradicts",
      why: towards(bound, slope.exponent, features) ?? scattered(bound, features, seeds),
    }
  return halfOf(slope.interval) > RULES.widestHalfWidth
    ? {
        claim,
        verdict: "inconclusive",
        why: `the interval of ${widths.length} widths is wide: more seeds would decide`,
      }
    : { claim, verdict: "agrees", why: null }
}

/** The cause that the numbers name: slopes between neighbouring widths that end at half the gap or less; null if not. */
function towards(bound: number, whole: number, { widths }: RateFit): string | null {
  const local = widths
    .slice(1)
    .map(({ width, rate }, i) => Math.log(rate / widths[i]!.rate) / Math.log(width / widths[i]!.width))
  const last = local.at(-1)!
  if (Math.abs(last - bound) > Math.abs(whole - bound) / 2) return null
  return `these widths are not yet wide: from one to the next the slope is ${local.map((each) => each.toFixed(2)).join(", ")}, the last nearer to the bound than all together`
}

/**
 * The cause that the numbers name: widths that lie farther off a line than their seeds' errors put them, so that the
 * slope is not known as well as seeds say; null if they do not, or their scatter excludes the bound too.
 */
function scattered(bound: number, { widths }: RateFit, seeds: number): string | null {
  const points = widths
    .filter(({ censored }) => censored === 0)
    .map(({ width, rate, low, high }) => ({ x: Math.log(width), y: Math.log(rate), half: Math.log(high / low) / 2 }))
  const line = censoredSlope(points.map(({ x, y }) => ({ x, low: y, high: y, group: "" })))
  if (line === null || bound < line.interval.low || bound > line.interval.high) return null
  const { exponent, interval } = line
  const intercept = mean(points.map(({ x, y }) => y - exponent * x))
  const quantile = studentQuantile(interval.level, seeds - 1)
  const squares = points.map(({ x, y, half }) => ((y - intercept - exponent * x) / (half / quantile)) ** 2)
  const times = Math.sqrt(squares.reduce((sum, square) => sum + square, 0) / (points.length - 2))
  if (!(times > SURE)) return null
  return `each width is one pretrained model, and these lie ${times.toFixed(1)} times as far off a line as their seeds' errors put them: by that scatter the slope is 95 % ${range(interval.low, interval.high)}`
}

const slopeCells = ({ slope }: RateFit) =>
  slope === null ? [null, null] : [slope.exponent.toFixed(3), range(slope.interval.low, slope.interval.high)]

function boundsTable(read: readonly SchemeReading[]): ReportTable {
  return {
    columns: ["scheme", "derived bound", "|Z_B| ≤ 1", "95 %", "edge", "edge 95 %", "optimum", "optimum 95 %"],
    rows: read.map(({ name, bound, rates: { features, edge, optimum } }) => [
      ...[name, bound],
      ...[features, edge, optimum].flatMap(slopeCells),
    ]),
  }
}

/** The rates at each width. */
function ratesTable(read: readonly SchemeReading[]): ReportTable {
  return {
    columns: ["scheme", "rate", "width", "geometric mean", "low", "high", "seeds beyond the grid"],
    rows: read.flatMap(({ name, rates }) =>
      KINDS.flatMap((kind) =>
        rates[kind].widths.map(({ width, rate, low, high, censored }) => [
          ...[name, PANELS[kind], width, rate.toPrecision(4), low.toPrecision(4), high.toPrecision(4), censored],
        ]),
      ),
    ),
  }
}

function sizesTable(read: readonly SchemeReading[]): ReportTable {
  return {
    columns: ["scheme", "size", "step", "derived", "slope", "95 %", "verdict", "why"],
    rows: read.flatMap(({ name, checks }) =>
      checks.map(({ module, step, derived, exponent, interval, verdict, why }) => [
        name,
        module,
        step,
        derived.map((each) => (each === null ? "-inf" : String(each))).join(" or "),
        exponent?.toFixed(3) ?? null,
        interval === null ? null : range(interval.low, interval.high),
        verdict,
        why,
      ]),
    ),
  }
}

const PANELS = {
  features: "feature level: largest rate with |Z_B| bounded",
  edge: "edge: perplexity 10 % above its least",
  optimum: "rate of least perplexity",
} as const
const KINDS = ["features", "edge", "optimum"] as const

function rateFigure(read: readonly SchemeReading[]) {
  const points = read.flatMap(({ name, rates }) =>
    KINDS.flatMap((kind) =>
      rates[kind].widths.map(
        ({ censored, ...point }): RatePoint => ({
          ...{ scheme: name, panel: PANELS[kind], ...point, censored: censored > 0 },
        }),
      ),
    ),
  )
  const groups = groupsOf(points, ({ scheme, panel }) => JSON.stringify([scheme, panel]))
  const lines = [...groups.values()].flatMap((own): ReferenceLine[] => {
    const [first] = own as [RatePoint, ...RatePoint[]]
    const { bound } = read.find(({ name }) => name === first.scheme)!
    return own.map(({ scheme, panel, width }) => ({
      ...{ scheme, panel, width, label: powerLabel("n", String(bound)) },
      rate: first.rate * (width / first.width) ** bound,
    }))
  })
  return optimalRateFigure(points, lines)
}

function perplexityFigure({ runs }: TuningTables) {
  const groups = groupsOf(runs, ({ scheme, width, rate }) => JSON.stringify([scheme, width, rate]))
  return lossFigure(
    [...groups.values()].map((own) => {
      const { scheme, width, rate } = own[0]!
      const mean = Math.exp(own.reduce((sum, { metric }) => sum + Math.log(metric), 0) / own.length)
      return { scheme, width, rate, loss: Number.isFinite(mean) ? mean : null }
    }),
    "perplexity",
  )
}

/** The sizes at v after the last recorded step. */
function coordinates(checks: readonly MeasuredCheck[]): CoordinatePoint[] {
  const last = Math.max(...checks.map(({ step }) => step ?? 0))
  return checks
    .filter(({ step, module }) => step === last && module.endsWith("v_proj"))
    .flatMap(({ module, samples, derived }) => {
      const [exponent] = derived
      const widest = samples.at(-1)
      if (exponent == null || widest === undefined) return []
      const size = (squares: readonly number[]) => Math.sqrt(squares.reduce((sum, x) => sum + x, 0) / squares.length)
      return samples.map(
        ({ width, meanSquares }): CoordinatePoint => ({
          quantity: module.split(" ")[0]!,
          width,
          value: size(meanSquares),
          derived: size(widest.meanSquares) * (width / widest.width) ** exponent,
          law: powerLabel("n", String(exponent)),
        }),
      )
    })
}
