/** Small Llamas of one shape at several widths, pretrained and fine-tuned by us: where optima, edges and sizes lie. */

import { existsSync } from "node:fs"
import { fileURLToPath } from "node:url"
import { derive } from "../../src/derive/derive.js"
import type { CensoredFit } from "../../src/fit/censored.js"
import type { Curve } from "../../src/fit/curves.js"
import { RULES } from "../../src/fit/judge.js"
import { packageFile } from "../../src/packageFile.js"
import { powerLabel } from "../../src/report/figures/axes.js"
import { type CoordinatePoint, coordinateFigure } from "../../src/report/figures/coordinates.js"
import { lossFigure } from "../../src/report/figures/loss.js"
import { optimalRateFigure, type RatePoint, type ReferenceLine } from "../../src/report/figures/rates.js"
import { curveFitTable, curvesTable, range, readings } from "../../src/report/fit.js"
import type { Section, SectionFinding, SectionPart } from "../../src/report/section.js"
import type { ReportTable } from "../../src/report/table.js"
import { schemeNamed } from "../../src/scheme/catalogue.js"
import type { SchemeDefinition } from "../../src/scheme/definition.js"
import { onModel } from "../../src/scheme/onModel.js"
import { scheme as ready } from "../../src/scheme/scheme.js"
import { groupsOf } from "../../src/table/groups.js"
import { type MeasuredCheck, measuredChecks } from "../compare/measuredCheck.js"
import type { Experiment } from "../experiment.js"
import {
  commonRate,
  EDGE_SHARE,
  type FamilyTables,
  type FeatureThreshold,
  familyTables,
  featureThreshold,
  LIMIT,
  recordedAt,
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
      const tables = await familyTables(folder)
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
  const text = `No tables were given. They are made by\n\n${MAKE.map((line) => `    ${line}`).join("\n")}\n\nand read by \`reproduce --real-family results/family\`. The texts come from Debian's packages bible-kjv, bible-kjv-text and r-cran-janeaustenr, or are any two files (\`npm run family -- --train a.txt --tune b.txt\`); the engine is \`npm install onnxruntime-node --ignore-scripts\`.`
  return {
    ...head,
    answer: { question, text: "Nothing: no tables were given." },
    claim,
    parts: [{ kind: "text", text }],
    findings: [],
    data: {},
  }
}

/** A scheme of the sweep on the block that it adapts, all rates multiples of n^c by the scheme's own powers. */
function onBlock(name: string): SchemeDefinition {
  const definition = onModel("llama-block", schemeNamed(name))
  // The table's rate is that of A; LoRA+ at (-1, 0) has that of B at n times it.
  const rates = name === "lora-plus" ? { A: "c", B: "c + 1" } : definition.rates
  return { ...definition, rates, model: { kind: "llama-block", sites: ["q", "v"] } }
}

/** What is said of one scheme. */
interface SchemeReading {
  readonly name: string
  /** The derived exponent of the largest stable rate. */
  readonly bound: number
  readonly threshold: FeatureThreshold
  readonly rate: number | null
  readonly checks: readonly MeasuredCheck[]
}

function readingOf({ sizes }: FamilyTables, name: string): SchemeReading {
  const definition = onBlock(name)
  const bounds = derive(ready(definition)).largestRate.features!.map((form) => form.constant.valueOf())
  const rate = commonRate(sizes, name)
  // One rate at every width is n^0.
  const setting = { definition, values: { c: "0" } }
  const checks = rate === null ? [] : measuredChecks(setting, recordedAt(sizes, name, rate), 1)
  return { name, bound: Math.min(...bounds), threshold: featureThreshold(sizes, name), rate, checks }
}

function sectionOf(tables: FamilyTables): Section {
  const { curves, runs, computedBy } = tables
  const schemes = [...new Set(runs.map(({ scheme }) => scheme))]
  const read = schemes.map((name) => readingOf(tables, name))
  const widths = [...new Set(runs.map(({ width }) => width))].sort((x, y) => x - y)
  const seeds = new Set(runs.map(({ seed }) => seed)).size
  const bounds = boundsTable(tables, read)
  const sizes = sizesTable(read)
  const verdicts = (verdict: string) => sizes.rows.filter((row) => row[6] === verdict).length
  const optimum = (name: string) => curves.fits.find(({ group }) => group === name)
  const slopes = read.map(({ name, bound, threshold: { slope } }) => {
    const found = optimum(name)?.exponent
    return `${name}: the rate of least perplexity has the slope ${found?.toFixed(2) ?? "unknown"}, the largest rate with |Z_B| ≤ ${LIMIT} ${slope?.exponent.toFixed(2) ?? "unknown"}, derived ${bound}`
  })
  const text = `${runs.length} runs by ${computedBy}: ${schemes.join(", ")} at widths ${widths.join(", ")}, ${seeds} seeds. Models: two layers, four heads, byte tokens, pretrained for some minutes on the King James Bible; fine-tuned for a few steps on Jane Austen's novels with adapters of rank 4 on q and v; perplexity on 2,048 bytes that were not trained on. Made by \`${MAKE.join("`, then `")}\`.`
  const limits = `What this can say: whether sizes and edges of these models move with the width as derived, within the intervals. What it cannot: anything of accuracy, of large models, or of long training. The derivation reads frozen weights as random; these are pretrained. ${widths.length} widths and ${seeds} seeds leave intervals as wide as they are. At one fixed rate a size is a sum of terms with different powers, and only its limit is derived. The rate of least perplexity is no stability bound: the theory does not say where below the bound the loss is least.`
  const parts: SectionPart[] = [
    { kind: "text", text },
    {
      kind: "figure",
      name: "real-family-rates",
      caption: `Rates against width: of least perplexity, the edge (${100 * EDGE_SHARE} % above it), and the largest with |Z_B| ≤ ${LIMIT}; dashed the derived powers, through the first width`,
      spec: rateFigure(tables, read),
    },
    { kind: "table", caption: "Slopes against the width beside the derived bound", table: bounds },
    { kind: "figure", name: "real-family-loss", caption: "Perplexity against rate", spec: perplexityFigure(tables) },
    ...read.flatMap(({ name, rate, checks }): SectionPart[] =>
      rate === null || checks.length === 0
        ? []
        : [
            {
              kind: "figure",
              name: `real-family-sizes-${name}`,
              caption: `${name} at the rate ${rate.toPrecision(2)}, the last recorded step: sizes at v against the width, dashed the derived powers`,
              spec: coordinateFigure(coordinates(checks)),
            },
          ],
    ),
    {
      kind: "table",
      caption: "Sizes at each kind of layer, at one rate for all widths, derived beside measured",
      table: sizes,
    },
    { kind: "text", text: [limits, ...readings(EDGE_SHARE, curves.noise)].map((line) => `- ${line}`).join("\n") },
  ]
  return {
    ...head,
    answer: {
      question,
      text: `${slopes.join("; ")}. Of ${sizes.rows.length} sizes at one rate ${verdicts("agrees")} agree, ${verdicts("consistent")} are consistent, ${verdicts("contradicts")} contradict, ${verdicts("inconclusive")} are undecided.`,
    },
    claim,
    parts,
    findings: read.map(thresholdFinding(widths.length)),
    data: {
      "real-family-bounds": bounds,
      "real-family-sizes": sizes,
      "real-family-slopes": curveFitTable(curves.fits),
      "real-family-curves": curvesTable(curves.curves),
    },
  }
}

/** Whether the feature-level threshold moves as derived. */
function thresholdFinding(widths: number): (read: SchemeReading) => SectionFinding {
  return ({ name, bound, threshold: { slope } }) => {
    const about = `${name} on these Llamas: the largest rate with |Z_B| ≤ ${LIMIT} goes as n^(${bound})`
    if (slope === null || !Number.isFinite(slope.interval.low + slope.interval.high))
      return { claim: about, verdict: "inconclusive", why: "the grid does not hold it at three widths or more" }
    const { low, high } = slope.interval
    const measured = `${about}; measured ${slope.exponent.toFixed(2)}, 95 % ${range(low, high)}`
    const isWide = (high - low) / 2 > RULES.widestHalfWidth
    if (low <= bound && bound <= high)
      return isWide
        ? {
            claim: measured,
            verdict: "inconclusive",
            why: `the interval of ${widths} widths is wide: more widths would decide`,
          }
        : { claim: measured, verdict: "agrees", why: null }
    return {
      claim: measured,
      verdict: isWide ? "inconclusive" : "contradicts",
      why: `a threshold at a finite limit over ${widths} widths: below the limit Z_B is a sum of terms with other powers of width and rate, so that its slope is the bound's in the limit alone`,
    }
  }
}

function boundsTable({ curves }: FamilyTables, read: readonly SchemeReading[]): ReportTable {
  const ends = (fit: CensoredFit | null | undefined) =>
    fit == null ? [null, null] : [fit.exponent.toFixed(3), range(fit.interval.low, fit.interval.high)]
  return {
    columns: ["scheme", "derived bound", "|Z_B| ≤ 1", "95 %", "edge", "edge 95 %", "optimum", "optimum 95 %"],
    rows: read.map(({ name, bound, threshold }) => {
      const fit = curves.fits.find(({ group }) => group === name)
      const optimum = fit?.exponent == null ? [null, null] : [fit.exponent.toFixed(3), range(fit.low!, fit.high!)]
      return [name, bound, ...ends(threshold.slope), ...ends(fit?.edge), ...optimum]
    }),
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
  optimum: "rate of least perplexity",
  edge: "stability edge of the perplexity",
  features: "feature level: largest rate with |Z_B| bounded",
} as const

function rateFigure({ curves }: FamilyTables, read: readonly SchemeReading[]) {
  const place = (kind: "optimum" | "edge"): RatePoint[] =>
    curves.curves.flatMap(({ group, width, [kind]: { rate, low, high } }: Curve) =>
      rate === null || low === 0 || !Number.isFinite(high)
        ? []
        : [{ scheme: group, panel: PANELS[kind], width, rate, low, high, censored: false }],
    )
  const features = read.flatMap(({ name, threshold }): RatePoint[] =>
    threshold.widths.flatMap(({ width, low, high }) =>
      low === 0 || !Number.isFinite(high)
        ? []
        : [{ scheme: name, panel: PANELS.features, width, rate: Math.sqrt(low * high), low, high, censored: false }],
    ),
  )
  const points = [...place("optimum"), ...place("edge"), ...features]
  const groups = groupsOf(points, ({ scheme, panel }) => JSON.stringify([scheme, panel]))
  const lines = [...groups.values()].flatMap((own): ReferenceLine[] => {
    const sorted = [...own].sort((x, y) => x.width - y.width)
    const [first] = sorted as [RatePoint, ...RatePoint[]]
    const { bound } = read.find(({ name }) => name === first.scheme)!
    return sorted.map(({ scheme, panel, width }) => ({
      ...{ scheme, panel, width, label: powerLabel("n", String(bound)) },
      rate: first.rate * (width / first.width) ** bound,
    }))
  })
  return optimalRateFigure(points, lines)
}

function perplexityFigure({ runs }: FamilyTables) {
  const groups = groupsOf(runs, ({ scheme, width, rate }) => JSON.stringify([scheme, width, rate]))
  return lossFigure(
    [...groups.values()].map((own) => {
      const { scheme, width, rate } = own[0]!
      const mean = Math.exp(own.reduce((sum, { perplexity }) => sum + Math.log(perplexity), 0) / own.length)
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
