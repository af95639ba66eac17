/**
 * Claim: with two, three and six adapted ReLU layers every layer's Z_A, B, Z_B and change of the pre-activation, and
 * the output's change, follow their derived exponents through t = 3; Init[B] on all L layers keeps the output bounded
 * iff c ≤ −1 + (o − 1/2)/L (ours, for 1/2 ≤ o ≤ 1).
 */
import type { Derivation } from "../../src/derive/derive.js"
import { type LayerExponent, layersFigure } from "../../src/report/figures/layers.js"
import type { Section, SectionFinding } from "../../src/report/section.js"
import type { ReportTable } from "../../src/report/table.js"
import { schemeNamed } from "../../src/scheme/catalogue.js"
import type { SchemeDefinition } from "../../src/scheme/scheme.js"
import type { SweepOptions } from "../../src/sweep/sweep.js"
import { exponentsAnswer } from "../compare/answers.js"
import { boundThrough, leastAt } from "../compare/bounds.js"
import type { Budget } from "../compare/budget.js"
import { judgeMeasurements, type MeasuredClaim } from "../compare/claim.js"
import { claimsTable } from "../compare/claimTable.js"
import { derivationOf } from "../compare/derivationOf.js"
import { deriveMeanwhile } from "../compare/derivedSetting.js"
import { claimFindings } from "../compare/findings.js"
import { measure, taskCount } from "../compare/measure.js"
import { rechecked, widened } from "../compare/recheck.js"
import { FIRST_SEED } from "../compare/seeds.js"
import type { Setting } from "../compare/setting.js"
import { powersOfTwo } from "../compare/widths.js"
import type { Effort, Experiment } from "../experiment.js"

/** Rates at which a network is measured: its two derived bounds, and 1/4 beyond that of the output. */
const PLACES = {
  features: { level: "features", beyond: "0", name: "at the largest rate of the features" },
  output: { level: "output", beyond: "0", name: "at the largest rate of the output" },
  beyond: { level: "output", beyond: "1/4", name: "1/4 beyond the largest rate of the output" },
} as const
type Place = keyof typeof PLACES

/** What is measured of deep networks. */
export interface LayersSize {
  readonly layers: readonly number[]
  /** Readout exponents o. */
  readonly readouts: readonly string[]
  readonly budget: Budget
  readonly places: readonly Place[]
}

const fixed = { rank: 4, steps: 3, firstSeed: FIRST_SEED.layers }

const SIZES: Readonly<Record<Effort["size"], LayersSize>> = {
  // Deriving six layers takes longer than a quick run may.
  quick: {
    layers: [2, 3],
    readouts: ["1/2"],
    budget: { ...fixed, widths: powersOfTwo(6, 11), seeds: 32 },
    places: ["features"],
  },
  full: {
    layers: [2, 3, 6],
    readouts: ["1/2", "1"],
    budget: { ...fixed, widths: powersOfTwo(7, 13), seeds: 64 },
    places: ["features", "output", "beyond"],
  },
}

const STARTS = [
  { name: "Init[A]", base: schemeNamed("two-layers-init-a") },
  { name: "Init[B]", base: schemeNamed("two-layers-init-b") },
] as const

/** One start on every layer of a network, at one readout. */
export interface Deep {
  readonly start: string
  readonly layers: number
  readonly readout: string
  readonly definition: SchemeDefinition
  readonly derivation: Derivation
}

/** A start of one of the catalogue's networks on L ReLU layers, derived with c free. */
function deepScheme({ name, base }: (typeof STARTS)[number], layers: number, readout: string): Deep {
  const definition: SchemeDefinition = {
    ...base,
    name: `layers-${layers}-${base.name.slice("two-layers-".length)}`,
    network: { ...base.network!, layers },
  }
  return { start: name, layers, readout, definition, derivation: derivationOf(definition, { o: readout }) }
}

/** All networks of a size. */
export function deepSchemes({ layers, readouts }: Pick<LayersSize, "layers" | "readouts">): Deep[] {
  return STARTS.flatMap((start) => layers.flatMap((l) => readouts.map((o) => deepScheme(start, l, o))))
}

/** The experiment at any size. */
export async function layerLaws(size: LayersSize, options: SweepOptions): Promise<Section> {
  const deep = deepSchemes(size)
  const points = deep.flatMap((of) => placed(of, size))
  const settings = points.map(({ of, c }): Setting => ({ definition: of.definition, values: { c, o: of.readout } }))
  const [measurements] = await Promise.all([
    measure(settings, size.budget, options),
    deriveMeanwhile(settings, size.budget.steps),
  ])
  const judged: JudgedNetwork[] = []
  for (const [i, point] of points.entries()) {
    const own = judgeMeasurements([settings[i]!], size.budget, [measurements[i]!], { families: settings.length })
    const claims = await rechecked(settings[i]!, own, size.budget, widened(size.budget.widths), options)
    judged.push({ ...point, claims })
  }
  return section(deep, judged, size)
}

/** Several adapted layers. */
export const layers: Experiment = {
  id: "layers",
  title: "Two, three and six adapted layers",
  tasks: (effort) => {
    const size = sized(effort)
    const points = deepSchemes(size).flatMap((of) => placed(of, size))
    return taskCount(
      points.map(({ of, c }) => ({ definition: of.definition, values: { c } })),
      size.budget,
    )
  },
  run: (effort, options) => layerLaws(sized(effort), options),
}

function sized({ size, seeds }: Effort): LayersSize {
  const { budget, ...rest } = SIZES[size]
  return { ...rest, budget: { ...budget, seeds: budget.seeds * seeds } }
}

/** The largest c at which f − f₀, or every layer's Z_B, is O(1) in the measured steps and for all t. */
export function deepBounds({ derivation, layers: depth }: Deep, level: "features" | "output", last: number) {
  const names = level === "output" ? ["f"] : Array.from({ length: depth }, (_, l) => `zB${l + 1}`)
  const through = boundThrough(derivation, { names, last, symbol: "c", values: new Map() })
  const forms = derivation.largestRate[level]
  if (through === null || forms === null) throw new Error(`${derivation.scheme.definition.name} has no bound`)
  return { through, forAll: leastAt(forms, new Map()) }
}

/** A network at one rate; where its two bounds are one, that is said of it. */
interface Placed {
  readonly of: Deep
  readonly c: string
  readonly places: readonly Place[]
}

interface JudgedNetwork extends Placed {
  readonly claims: readonly MeasuredClaim[]
}

function placed(of: Deep, { budget, places }: LayersSize): Placed[] {
  const at = places.map((place) => {
    const { level, beyond } = PLACES[place]
    return { place, c: deepBounds(of, level, budget.steps).forAll.add(beyond).toFraction() }
  })
  return [...new Set(at.map(({ c }) => c))].map((c) => {
    return { of, c, places: at.filter((other) => other.c === c).map(({ place }) => place) }
  })
}

function section(deep: readonly Deep[], judged: readonly JudgedNetwork[], { budget, readouts }: LayersSize): Section {
  const last = budget.steps
  const claims = judged.flatMap((setting) => setting.claims)
  return {
    id: layers.id,
    title: layers.title,
    answer: {
      question: "Does the theory of one layer reach networks with several adapted layers?",
      text: exponentsAnswer(claims),
    },
    claim:
      "With an adapter on each of L ReLU layers every layer's sizes follow their derived exponents through t = 3. Init[A] keeps the bound of one layer; Init[B] on all L layers keeps the output bounded iff c ≤ −1 + (o − 1/2)/L (ours).",
    parts: [
      {
        kind: "text",
        text: `ReLU, no residual connections, sign updates, one sample, linear loss, ${last} steps (misses grow with t), rank ${budget.rank}, widths ${budget.widths[0]} … ${budget.widths.at(-1)}, ${budget.seeds} seeds, float64. The rates n^c are the largest derived ones${judged.some(({ places }) => places.includes("beyond")) ? ", and n^(1/4) times those of the output" : ""}.`,
      },
      {
        kind: "table",
        caption: "Derived largest rates.",
        table: boundTable(deep, last),
      },
      {
        kind: "figure",
        name: "layers-features",
        caption: `Exponents per layer at t = ${last} at the largest rate of the features: derived (grey bars) and measured (points, 95 % intervals). Readout exponent ${readouts[0]}; the sign of a gradient does not see the readout's size, so that at others the features are the same.`,
        spec: layersFigure(
          exponents(
            judged.filter(({ of, places }) => of.readout === readouts[0] && places.includes("features")),
            last,
          ),
        ),
      },
      {
        kind: "table",
        caption: `The output's change at t = ${last}.`,
        table: outputTable(judged, last),
      },
    ],
    findings: judged.flatMap(findings),
    data: {
      layers: claimsTable(claims),
      "layer-bounds": boundTable(deep, last),
      "layer-outputs": outputTable(judged, last),
    },
  }
}

function findings({ of, c, places, claims }: JudgedNetwork): SectionFinding[] {
  const where = places.map((place) => PLACES[place].name).join(", ")
  return claimFindings(`${of.start} on ${of.layers} layers, o = ${of.readout}, c = ${c} (${where})`, claims)
}

function boundTable(deep: readonly Deep[], last: number): ReportTable {
  return {
    columns: ["scheme", "layers", "o", "Z_B of every layer, all t", `t <= ${last}`, "f - f0, all t", `t <= ${last}`],
    rows: deep.map((of) => {
      const [features, output] = (["features", "output"] as const).map((level) => deepBounds(of, level, last))
      return [
        of.start,
        of.layers,
        of.readout,
        features!.forAll.toFraction(),
        features!.through.toFraction(),
        output!.forAll.toFraction(),
        output!.through.toFraction(),
      ]
    }),
  }
}

function outputTable(judged: readonly JudgedNetwork[], last: number): ReportTable {
  return {
    columns: ["scheme", "layers", "o", "c", "derived", "plain slope", "measured", "95 % interval", "verdict"],
    rows: judged.flatMap(({ of, c, claims }) =>
      claims
        .filter(({ quantity, step }) => quantity === "f" && step === last)
        .map(({ derived, measured: { plain, corrected, verdict } }) => {
          const fit = corrected ?? plain
          return [
            of.start,
            of.layers,
            of.readout,
            c,
            derived.kind === "zero" ? "−∞" : derived.exponent.toFraction(),
            plain?.exponent.toFixed(3) ?? "",
            fit?.exponent.toFixed(3) ?? "",
            fit === null ? "" : `[${fit.interval.low.toFixed(2)}, ${fit.interval.high.toFixed(2)}]`,
            verdict,
          ]
        }),
    ),
  }
}

const SHOWN: Readonly<Record<string, string>> = { zA: "Z_A", zB: "Z_B", h: "Δh" }

function exponents(judged: readonly JudgedNetwork[], last: number): LayerExponent[] {
  return judged.flatMap(({ of, claims }) =>
    claims.flatMap(({ quantity, step, derived, measured: { plain, corrected } }): LayerExponent[] => {
      const [, name, layer] = /^([a-zA-Z]+)(\d+)$/.exec(quantity) ?? []
      const fit = corrected ?? plain
      const shown = SHOWN[name ?? ""]
      if (shown === undefined || step !== last || fit === null || derived.kind === "zero") return []
      return [
        {
          layers: of.layers,
          scheme: of.start,
          quantity: shown,
          layer: Number(layer),
          derived: derived.exponent.valueOf(),
          measured: fit.exponent,
          low: fit.interval.low,
          high: Number.isFinite(fit.interval.high) ? fit.interval.high : fit.exponent + 9,
        },
      ]
    }),
  )
}
