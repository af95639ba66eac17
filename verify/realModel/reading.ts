/** What the tables of one width say of each scheme, and of two beside each other. */

import { derive } from "../../src/derive/derive.js"
import { termsOf } from "../../src/derive/terms.js"
import { formatAffine } from "../../src/exponent/grammar.js"
import { optimalRate, type RateFit, rateAgainstWidth } from "../../src/fit/optimum.js"
import { type PairedDifference, pairedDifference } from "../../src/fit/paired.js"
import type { SchemeDefinition } from "../../src/scheme/definition.js"
import { scheme as ready } from "../../src/scheme/scheme.js"
import { groupsOf } from "../../src/table/groups.js"
import { METRICS, type Metric } from "../../src/train/tuning/task.js"
import { quantityOf, type TuningRun, type TuningSize, type TuningTables } from "../tunings.js"

/** A number of a run of which less is better. */
export interface Measure {
  readonly name: string
  readonly of: (run: TuningRun) => number
}

/** The training loss, and the metric: where more of it is better, what it lacks to 1. */
export function measuresOf(metric: Metric): readonly [Measure, Measure] {
  const isLower = METRICS[metric] === "lower"
  return [
    { name: "training loss", of: ({ trainingLoss }) => trainingLoss },
    isLower
      ? { name: metric, of: (run) => run.metric }
      : { name: `1 − ${metric.replace("_", " ")}`, of: (run) => 1 - run.metric },
  ]
}

/** The one value of a measure that all runs have, so that no rate is best; null where they differ. */
export function onlyValue({ runs }: TuningTables, { of }: Measure): number | null {
  const [value, ...others] = new Set(runs.map(of))
  return value === undefined || others.length > 0 ? null : value
}

/** Where a measure of a scheme is least, seed by seed. */
export interface Best {
  readonly scheme: string
  readonly measure: string
  readonly rate: RateFit["widths"][number]
  /** By seed: the best rate and the least value. */
  readonly seeds: ReadonlyMap<number, { readonly rate: number; readonly least: number }>
}

/** Null where every run of a seed diverged. */
export function bestOf({ runs }: TuningTables, scheme: string, { name, of }: Measure): Best | null {
  const curves = groupsOf(
    runs.filter((run) => run.scheme === scheme),
    ({ seed }) => String(seed),
  )
  const found = [...curves.values()].flatMap((own) => {
    const values = own.map(of).filter(Number.isFinite)
    if (values.length === 0) return []
    const { seed, width } = own[0]!
    const located = optimalRate(own.map((run) => ({ rate: run.rate, value: of(run) })))
    return [{ seed, width, ...located, least: Math.min(...values) }]
  })
  if (found.length < curves.size) return null
  const [rate] = rateAgainstWidth(found).widths
  return { scheme, measure: name, rate: rate!, seeds: new Map(found.map((each) => [each.seed, each])) }
}

/** The rate of the grid at which the mean of the measure over all seeds is least; null where at each some run diverged. */
export function commonBest({ runs }: TuningTables, scheme: string, { of }: Measure): number | null {
  const rates = groupsOf(
    runs.filter((run) => run.scheme === scheme),
    ({ rate }) => String(rate),
  )
  const means = [...rates.values()].flatMap((own) => {
    const mean = own.reduce((sum, run) => sum + of(run), 0) / own.length
    return Number.isFinite(mean) ? [{ rate: own[0]!.rate, mean }] : []
  })
  return means.length === 0 ? null : means.reduce((best, each) => (each.mean < best.mean ? each : best)).rate
}

/** What is compared of two schemes. */
export interface Compared {
  /** Means over the seeds that both have. */
  readonly first: number
  readonly second: number
  /** The first over the second, or less the second; paired over these seeds, with a 95 % interval. */
  readonly difference: PairedDifference
}

/** Two positive numbers of each seed by their ratio; null without a seed that both have, or a number that is not > 0. */
export function ratioOf(first: ReadonlyMap<number, number>, second: ReadonlyMap<number, number>): Compared | null {
  const logs = (of: ReadonlyMap<number, number>) => new Map([...of].map(([seed, value]) => [seed, Math.log(value)]))
  const found = differenceOf(logs(first), logs(second))
  if (found === null) return null
  const { mean, low, high } = found.difference
  return {
    first: Math.exp(found.first),
    second: Math.exp(found.second),
    difference: { mean: Math.exp(mean), low: Math.exp(low), high: Math.exp(high) },
  }
}

/** Two numbers of each seed by their difference; null as `ratioOf`. */
export function differenceOf(first: ReadonlyMap<number, number>, second: ReadonlyMap<number, number>): Compared | null {
  const seeds = [...first.keys()].filter((seed) => second.has(seed))
  const values = (of: ReadonlyMap<number, number>) => seeds.map((seed) => of.get(seed)!)
  const [x, y] = [values(first), values(second)]
  if (seeds.length === 0 || ![...x, ...y].every(Number.isFinite)) return null
  const mean = (of: readonly number[]) => of.reduce((sum, value) => sum + value, 0) / of.length
  return { first: mean(x), second: mean(y), difference: pairedDifference(x.map((value, i) => value - y[i]!)) }
}

/** A derived power of n: exact, as a text, and as a number; −∞ for what is exactly zero. */
export interface Exponent {
  readonly text: string
  readonly value: number
}

/** How a measured ratio reads beside two derived exponents: those that are equal do not say which is larger. */
export function reading(
  { low, high }: PairedDifference,
  first: Exponent | null,
  second: Exponent | null,
): "as derived" | "the other way" | "undecided" | "of one order" | "not derived" {
  if (first === null || second === null) return "not derived"
  if (first.value === second.value) return "of one order"
  if (low <= 1 && high >= 1) return "undecided"
  return low > 1 === first.value > second.value ? "as derived" : "the other way"
}

/** The sizes at a rate and a step, root mean squares over the layers of a kind, by seed. */
export function sizesBySeed(
  sizes: readonly TuningSize[],
  at: Pick<TuningSize, "scheme" | "rate" | "step" | "kind" | "quantity">,
): ReadonlyMap<number, number> {
  const keys = Object.keys(at) as (keyof typeof at)[]
  const own = sizes.filter((size) => keys.every((key) => size[key] === at[key]))
  const seeds = groupsOf(own, ({ seed }) => String(seed))
  return new Map(
    [...seeds.values()].map((of) => [
      of[0]!.seed,
      Math.sqrt(of.reduce((sum, { value }) => sum + value ** 2, 0) / of.length),
    ]),
  )
}

/** What is derived of a scheme on a block with one free rate n^c. */
export interface Derived {
  /** The largest c at which features stay bounded. */
  readonly bound: Exponent
  /** A size's exponent at that rate; null for what is not derived by name. */
  readonly exponent: (kind: string, quantity: string, step: number) => Exponent | null
}

/** The bound, and sizes at it. */
export function derivedOf(definition: SchemeDefinition): Derived {
  const bounds = derive(ready(definition)).largestRate.features!
  const least = bounds.reduce((low, form) => (form.constant.compare(low.constant) < 0 ? form : low))
  const text = formatAffine(least)
  const terms = termsOf(ready(definition, { c: text }))
  return {
    bound: { text, value: least.constant.valueOf() },
    exponent: (kind, quantity, step) => {
      const name = quantityOf(kind, quantity)
      if (name === null) return null
      const found = terms(name, step)
      return found.kind === "zero"
        ? { text: "-inf", value: Number.NEGATIVE_INFINITY }
        : { text: found.exponent.toFraction(), value: found.exponent.valueOf() }
    },
  }
}
