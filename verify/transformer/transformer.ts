/**
 * Claim: with an adapter on every layer of a block as in Llama or in BERT, Z_A, B and Z_B of every site, the scores'
 * change, the block's and the output's follow their derived exponents through training; every site has the bound of one
 * layer.
 */
import { formatCondition } from "../../src/exponent/grammar.js"
import { everySite } from "../../src/program/model.js"
import { type SiteExponent, sitesFigure } from "../../src/report/figures/sites.js"
import type { Section, SectionFinding } from "../../src/report/section.js"
import type { ReportTable } from "../../src/report/table.js"
import { type Scheme, scheme } from "../../src/scheme/scheme.js"
import type { SweepOptions } from "../../src/sweep/sweep.js"
import { exponentsAnswer } from "../compare/answers.js"
import { type Budget, seedsAt } from "../compare/budget.js"
import { judgeMeasurements, type MeasuredClaim } from "../compare/claim.js"
import { claimsTable } from "../compare/claimTable.js"
import { derivationOf } from "../compare/derivationOf.js"
import { claimFindings } from "../compare/findings.js"
import { measure, taskCount } from "../compare/measure.js"
import { rechecked } from "../compare/recheck.js"
import { FIRST_SEED } from "../compare/seeds.js"
import { type Setting, settingAt, settingName } from "../compare/setting.js"
import { powersOfTwo } from "../compare/widths.js"
import type { Effort, Experiment } from "../experiment.js"

/** What is measured of blocks. */
export interface TransformerSize {
  readonly settings: readonly Setting[]
  readonly budget: Budget
  /** The steps that are judged. */
  readonly steps: readonly number[]
}

const BLOCKS = ["llama-block", "bert-block"]

/** Each start on both blocks, at its largest rate. */
const ONE_RATE = BLOCKS.flatMap((block) => [
  settingAt(`${block}/init-a`, { c: "-1/2" }),
  settingAt(`${block}/init-b`, { c: "-1" }),
])
const TWO_RATES = BLOCKS.map((block) => settingAt(`${block}/lora-plus`, { cA: "-1", cB: "-1/2" }))

const COMMON = { rank: 4, firstSeed: FIRST_SEED.transformer, fewerSeedsBeyond: 128, seedsPerTask: 4 }

const SIZES: Readonly<Record<Effort["size"], TransformerSize>> = {
  quick: {
    settings: ONE_RATE,
    budget: { ...COMMON, widths: powersOfTwo(6, 11), steps: 3, seeds: 64 },
    steps: [1, 2, 3],
  },
  full: {
    settings: [...ONE_RATE, ...TWO_RATES],
    budget: { ...COMMON, widths: powersOfTwo(6, 12), steps: 8, seeds: 128 },
    steps: [1, 2, 3, 8],
  },
}

function sized({ size, seeds }: Effort): TransformerSize {
  const { budget, ...rest } = SIZES[size]
  return { ...rest, budget: { ...budget, seeds: budget.seeds * seeds } }
}

/** A transformer through training. */
export const transformer: Experiment = {
  id: "transformer",
  title: "A transformer through training",
  configuration: (effort) => {
    const { settings, budget, steps } = sized(effort)
    return { ...budget, judged: steps, settings: settings.map(settingName) }
  },
  tasks: (effort) => taskCount(sized(effort).settings, sized(effort).budget),
  run: (effort, options) => transformerLaws(sized(effort), options),
}

/** The quantities that are judged: the features of every site, what the block watches and the output. */
function judgedOf({ program: { model, quantities } }: Scheme): string[] {
  const ofSites = ["zA", "b", "zB"].flatMap((name) => everySite(model, name))
  return Object.keys(quantities).filter((name) => ofSites.includes(name) || !/\[/.test(name))
}

interface JudgedBlock {
  readonly setting: Setting
  readonly claims: readonly MeasuredClaim[]
}

/** The experiment at any size. */
export async function transformerLaws(size: TransformerSize, options: SweepOptions): Promise<Section> {
  const { settings, budget, steps } = size
  const measurements = await measure(settings, budget, options)
  const judged: JudgedBlock[] = []
  for (const [i, setting] of settings.entries()) {
    const asked = { families: settings.length, quantitiesOf: judgedOf, steps }
    const own = judgeMeasurements([setting], budget, [measurements[i]!], asked)
    const wider = budget.widths.map((width) => 4 * width)
    judged.push({ setting, claims: await rechecked(setting, own, budget, [wider], options, asked) })
  }
  return section(judged, size)
}

function section(judged: readonly JudgedBlock[], { budget, steps }: TransformerSize): Section {
  const claims = judged.flatMap((block) => block.claims)
  const last = steps.at(-1)!
  const { widths, seeds } = budget
  const bounds = boundTable(judged)
  return {
    id: transformer.id,
    title: transformer.title,
    answer: {
      question: "Does it reach a whole block of a transformer, site by site?",
      text: exponentsAnswer(claims),
    },
    claim:
      "With an adapter on every layer of a block as in Llama (RMSNorm, grouped-query attention with rotary positions, SwiGLU) or as in BERT (LayerNorm, attention both ways, GELU), the sizes at every site follow their derived exponents through training. Every site has the bound of one layer: c ≤ −1/2 from Init[A], c ≤ −1 from Init[B]; with a rate for each factor the bounds become narrower from site to site along the block (ours).",
    parts: [
      {
        kind: "text",
        text: `Random frozen weights, four tokens, two heads, Adam on a linear loss, rank ${budget.rank}, rates n^c for A and n^c/8 for B (exponents do not see these constants; with them the adapters' changes are about as large as what they are added to), widths ${widths[0]} … ${widths.at(-1)}, ${seeds} seeds at the narrowest and ${seedsAt(budget, widths.at(-1)!)} at the widest, float64; judged at steps ${steps.join(", ")}. *scores* (of the first head), *block* and *f* are changes by the adapters.`,
      },
      { kind: "table", caption: "Derived bounds of the rates, by site and for the output.", table: bounds },
      {
        kind: "figure",
        name: "transformer-sites",
        caption: `Exponents at t = ${last} site by site, each start at its largest rate: derived (grey bars) and measured (points, 95 % intervals).`,
        spec: sitesFigure(siteExponents(judged, last)),
      },
      { kind: "table", caption: "What is no site's own.", table: claimsTable(claims.filter(isOfBlock)) },
    ],
    findings: judged.flatMap(findings),
    data: { transformer: claimsTable(claims), "transformer-bounds": bounds },
  }
}

function findings({ setting, claims }: JudgedBlock): SectionFinding[] {
  return claimFindings(settingName(setting), claims)
}

const isOfBlock = ({ quantity }: MeasuredClaim) => !/\[/.test(quantity)

/** The starts as people call them, by their schemes' titles. */
const startOf = ({ definition: { title } }: Setting) => title.split(":")[0]!

const blockOf = ({ definition: { model } }: Setting) =>
  model?.kind === "bert-block" ? "BERT's block" : "Llama's block"

function boundTable(judged: readonly JudgedBlock[]): ReportTable {
  return {
    columns: ["block", "start", "site", "Z_B = O(1) iff", "f - f0 = O(1) iff"],
    rows: judged.flatMap(({ setting }) => {
      const { stable, stableOutput, stableSites } = derivationOf(setting.definition)
      const output = formatCondition(stableOutput)
      const rows = Object.entries(stableSites).map(([tag, bound]) => [
        blockOf(setting),
        startOf(setting),
        tag.replace(/[[\]]/g, ""),
        formatCondition(bound),
        "",
      ])
      return [...rows, [blockOf(setting), startOf(setting), "all", formatCondition(stable), output]]
    }),
  }
}

const SHOWN: Readonly<Record<string, string>> = { zA: "Z_A", b: "B", zB: "Z_B" }

function siteExponents(judged: readonly JudgedBlock[], last: number): SiteExponent[] {
  return judged.flatMap(({ setting, claims }) => {
    const { sites } = scheme(setting.definition, setting.values).program.model
    return claims.flatMap(({ quantity, step, derived, measured: { plain, corrected } }): SiteExponent[] => {
      const site = sites.find(({ tag }) => quantity.endsWith(tag))
      const fit = corrected ?? plain
      if (site === undefined || step !== last || fit === null || derived.kind === "zero") return []
      const exponent = derived.exponent.valueOf()
      return [
        {
          model: blockOf(setting),
          scheme: startOf(setting),
          quantity: SHOWN[quantity.slice(0, -site.tag.length)]!,
          site: site.name,
          derived: exponent,
          measured: fit.exponent,
          low: fit.interval.low,
          high: Number.isFinite(fit.interval.high) ? fit.interval.high : fit.exponent + 9,
        },
      ]
    })
  })
}
