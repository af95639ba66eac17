/**
 * Question: which changes of Init[A] remove Z_A's growth with the width, by derivation and measured, and what do they
 * cost?
 */
import { logAverage } from "simple-statistics"
import { formatExponent } from "../../src/exponent/grammar.js"
import { type PairedDifference, pairedDifference } from "../../src/fit/paired.js"
import type { SectionFinding, SectionPart } from "../../src/report/section.js"
import type { ReportTable } from "../../src/report/table.js"
import type { SweepOptions } from "../../src/sweep/sweep.js"
import type { RunResult } from "../../src/train/run.js"
import type { Budget } from "../compare/budget.js"
import { claimsOf, judgeMeasurements, type MeasuredClaim } from "../compare/claim.js"
import { decidingBudget, intervalOf } from "../compare/deciding.js"
import { derivationOf } from "../compare/derivationOf.js"
import { measure } from "../compare/measure.js"
import { type Setting, settingName, trained } from "../compare/setting.js"

/** A way to train, as a remedy for what Init[A] alone does. */
export interface Remedy {
  /** In words. */
  readonly name: string
  readonly setting: Setting
}

/** What the remedies are compared with. */
export const PLAIN: Remedy = { name: "Init[A] alone", setting: trained("init-a", { c: "-3/4" }) }

/** The same start and rate, trained otherwise. */
export const CHANGED: readonly Remedy[] = [
  { name: "Init[A], gradients clipped to norm 1", setting: trained("clip-init-a", { c: "-3/4" }) },
  { name: "Init[A], A shrunk in each step (Stable-LoRA)", setting: trained("stable-lora", { c: "-3/4" }) },
]

/** Other starts or rates, each at the largest rates that keep the output bounded. */
export const REPLACED: readonly Remedy[] = [
  { name: "Init[B]", setting: trained("init-b", { c: "-1" }) },
  { name: "LoRA+ at (-1, -1/2)", setting: trained("lora-plus", { cA: "-1", cB: "-1/2" }) },
]

const ALL = [PLAIN, ...CHANGED, ...REPLACED]

/** Training runs in float64 of one setting at one width, a run a seed; seeds of different settings share their data. */
export interface Float64Runs {
  readonly setting: Setting
  readonly width: number
  readonly runs: readonly RunResult[]
}

/** Z_A's size after the budget's last step, a verdict for each of the settings. */
export async function growthClaims(budget: Budget, options: SweepOptions): Promise<MeasuredClaim[]> {
  const settings = ALL.map(({ setting }) => setting)
  const measurements = await measure(settings, budget, options)
  return judgeMeasurements(settings, budget, measurements, { quantitiesOf: () => ["zA"], steps: [budget.steps] })
}

/** The tables and the price of each remedy in words. */
export function remedyParts(
  claims: readonly MeasuredClaim[],
  measured: readonly Float64Runs[],
  steps: number,
): SectionPart[] {
  const widest = Math.max(...measured.map(({ width }) => width))
  const step = claims[0]!.step
  const prices = [...CHANGED, ...REPLACED].map((remedy) => priceSentence(remedy, widest, measured))
  return [
    {
      kind: "text",
      text: `What removes Z_A's growth: its exponent for all later t is derived; the slope is that of its root mean square at t = ${step} (A of Init[A] moves from t = 2 on; later residuals turn their signs, of which exponents know nothing), ${claims[0]!.seeds} seeds at n = ${claims[0]!.widths.join(", ")}. Adam's direction has no scale: clipping leaves A's first step as it is, and the size of every later one. Shrinking A bounds Z_A in t, not in n. The price: the final loss after ${steps} steps in float64 over that of Init[A] alone on the same data, geometric means over seeds with Student's 95 % interval.`,
    },
    { kind: "table", caption: "Growth of Z_A with the width", table: growthTable(claims) },
    { kind: "table", caption: "Largest |Z_A| in training and final loss, float64", table: priceTable(measured) },
    { kind: "text", text: prices.join(" ") },
  ]
}

/** Whether each setting's Z_A grows, and what was measured. */
export function growthTable(claims: readonly MeasuredClaim[]): ReportTable {
  return {
    columns: ["scheme", "derived", "grows", "plain slope", "slope", "95 % interval", "verdict"],
    rows: ALL.map(({ setting }) => {
      const claim = claimOf(setting, claims)
      const { plain, corrected, verdict } = claim.measured
      return [
        settingName(setting),
        derivedExponent(setting),
        grows(setting) ? "yes" : "no",
        plain?.exponent.toFixed(3) ?? "",
        (corrected ?? plain)?.exponent.toFixed(3) ?? "",
        intervalText(claim),
        verdict,
      ]
    }),
  }
}

/** Largest |Z_A| and loss by setting and width. */
export function priceTable(measured: readonly Float64Runs[]): ReportTable {
  return {
    columns: ["scheme", "n", "largest |Z_A|", "loss", "over Init[A]", "95 % interval"],
    rows: ALL.flatMap(({ setting }) =>
      measured
        .filter((of) => of.setting === setting)
        .map(({ width, runs }) => {
          const price = setting === PLAIN.setting ? null : priceOf(setting, width, measured)
          return [
            settingName(setting),
            width,
            logAverage(runs.map(({ precision }) => precision!.tensors.zA!.largest)).toPrecision(3),
            finalLoss(runs)?.toPrecision(3) ?? "none",
            price === null ? null : Math.exp(price.mean).toPrecision(3),
            price === null ? null : priceInterval(price),
          ]
        }),
    ),
  }
}

/** Which of the remedies remove the growth of Z_A, as derived, in a sentence. */
export function remedyAnswer(): string {
  const remedies = [...CHANGED, ...REPLACED]
  const names = (grow: boolean) => remedies.filter(({ setting }) => grows(setting) === grow).map(({ name }) => name)
  return `Z_A's growth is removed by ${names(false).join(" and ")}, not by ${names(true).join(" or ")} (derived; the prices are below).`
}

/** For each setting whether it removes the growth of Z_A. */
export function remedyFindings(claims: readonly MeasuredClaim[]): SectionFinding[] {
  return ALL.map(({ name, setting }) => {
    const claim = claimOf(setting, claims)
    const { verdict, why } = claim.measured
    const said =
      setting === PLAIN.setting
        ? `Z_A ${grows(setting) ? "grows" : "does not grow"} with the width`
        : `${grows(setting) ? "does not remove" : "removes"} the growth of Z_A`
    const slope = claim.measured.corrected ?? claim.measured.plain
    const measured = slope === null ? "no slope measured" : `slope ${slope.exponent.toFixed(2)} ${intervalText(claim)}`
    return {
      claim: `${name}: ${said}, derived exponent ${derivedExponent(setting)}; ${measured} at t = ${claim.step}`,
      verdict,
      why: { agrees: null, contradicts: claim.cause, inconclusive: why && decidingBudget([claim]) }[verdict],
    }
  })
}

/** The geometric mean of the last losses; null where a run ended early. */
export function finalLoss(runs: readonly RunResult[]): number | null {
  const mean = logAverage(runs.map(lastLoss))
  return Number.isFinite(mean) ? mean : null
}

function lastLoss({ outcome, history }: RunResult): number {
  return outcome.kind === "finished" ? history.at(-1)!.loss : Number.NaN
}

/** γ[Z_A] for all later t, as text. */
function derivedExponent(setting: Setting): string {
  return formatExponent(limitOf(setting))
}

function limitOf({ definition, values }: Setting) {
  return derivationOf(definition, values).quantities.zA!.limit!
}

/** Whether Z_A grows with the width. */
function grows(setting: Setting): boolean {
  return limitOf(setting).minima.some((forms) => forms.every((form) => form.constant.compare(0) > 0))
}

function claimOf(setting: Setting, claims: readonly MeasuredClaim[]): MeasuredClaim {
  return claimsOf(setting, claims)[0]!
}

function intervalText(claim: MeasuredClaim): string {
  const interval = intervalOf(claim)
  return interval === null ? "" : `[${interval.low.toFixed(2)}, ${interval.high.toFixed(2)}]`
}

/** The logarithm of the loss over that of Init[A] alone, seed by seed; null where a run ended early. */
function priceOf(setting: Setting, width: number, measured: readonly Float64Runs[]): PairedDifference | null {
  const lossesOf = (of: Setting) =>
    measured.find((each) => each.setting === of && each.width === width)!.runs.map((each) => Math.log(lastLoss(each)))
  const plain = lossesOf(PLAIN.setting)
  const price = pairedDifference(lossesOf(setting).map((loss, i) => loss - plain[i]!))
  return Number.isFinite(price.mean) ? price : null
}

function priceInterval({ low, high }: PairedDifference): string {
  return `[${Math.exp(low).toPrecision(2)}, ${Math.exp(high).toPrecision(2)}]`
}

function priceSentence({ name, setting }: Remedy, width: number, measured: readonly Float64Runs[]): string {
  const price = priceOf(setting, width, measured)
  if (price === null) return `${name}: some runs left the finite numbers.`
  const ratio = `at n = ${width} the final loss is ${Math.exp(price.mean).toPrecision(2)} times that of Init[A] alone ${priceInterval(price)}`
  if (price.low > 0) return `${name} has a price: ${ratio}.`
  if (price.high < 0) return `${name} costs nothing here: ${ratio}.`
  return `${name}: no price is seen, ${ratio}.`
}
