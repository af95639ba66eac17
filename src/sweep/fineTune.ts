/** The runs of a sweep of fine-tunings. */
import { Affine } from "../exponent/affine.js"
import { InputError } from "../inputError.js"
import { isPair, optimisersOf, optimiserText, type SchemeDefinition } from "../scheme/definition.js"
import { type Scheme, scheme } from "../scheme/scheme.js"
import { withRate } from "../scheme/withRate.js"
import type { CheckpointFacts, TuningFacts } from "../train/tuning/facts.js"
import type { TuningConfig, TuningResult } from "../train/tuning/run.js"
import { METRICS } from "../train/tuning/task.js"
import { trainedOf } from "../train/tuning/trained.js"
import type { FineTuneSweep } from "./fineTuneConfig.js"
import { identity } from "./identity.js"
import { seedList } from "./lists.js"
import { plannedRun } from "./plannedRun.js"
import { type Group, type RateSearch, shardKeyOf } from "./rateSearch.js"
import { type Point, pointsOf } from "./schemeEntry.js"

/** The search of a sweep's rates of the best metric. @throws InputError for a scheme, site or step that it cannot have. */
export function fineTuneSearch(config: FineTuneSweep): RateSearch {
  const { facts, rates } = config
  if (facts === undefined) throw new Error("the files of a sweep of fine-tunings are read first, by readConfig")
  const sign = METRICS[facts.task.metric] === "lower" ? 1 : -1
  return {
    groups: groups(config, facts),
    rates,
    value: (result) => {
      const { outcome, metric } = result as TuningResult
      return outcome.kind === "finished" ? sign * metric : Number.NaN
    },
  }
}

function groups(config: FineTuneSweep, facts: TuningFacts): Group[] {
  const { engine, precision, ratio, rates, torch } = config
  const points = config.schemes.flatMap((entry, i) => {
    const found = pointsOf(entry, i, asTuned)
    return found.map((point) => ({ point, ready: fitting(point, `schemes[${i}]`) }))
  })
  const { sites, layers, rank } = config
  const { classes, name: task, metric, hash: data } = facts.task
  for (const { model } of facts.checkpoints) trainedOf(model, { sites, layers, rank, classes })
  // Widest first: what does not fit fails at once, and no thread is left with a long run at the end.
  const checkpoints = [...facts.checkpoints].sort((x, y) => y.model.shape.hidden - x.model.shape.hidden)
  return checkpoints.flatMap((checkpoint) =>
    seedList(config.seeds).flatMap((seed) =>
      points.map(({ point, ready }): Group => {
        const width = checkpoint.model.shape.hidden
        const about = { experiment: "finetune", scheme: point.definition.name, precision, backend: engine } as const
        const shared = { ...ownConfig(config, checkpoint, ready), data, task, metric, seed }
        const rateOf = (rate: number) => ratesAt(ready, width, rate, ratio)
        const { checkpoint: _, width: __, seed: ___, start: ____, steps: _____, ...others } = shared
        const family = identity({ ...about, others, ratio, definition: point.definition, values: point.values })
        const group = () => identity({ ...about, shared, rates: rateOf(1) })
        const { path, parameters } = checkpoint
        const model = { shape: checkpoint.model.shape, parameters }
        const files = { checkpoint: path, task: config.task, folder: facts.folder, model, classes }
        return {
          width,
          family,
          at: (rate) => {
            const own: TuningConfig = { ...shared, rates: rateOf(rate) }
            const how = { engine, precision, ...(torch === undefined ? {} : { torch }) }
            const run = { kind: "finetune", ...how, config: own, files } as const
            return plannedRun({ ...about, task: run }, shardKeyOf(rates, { group, family }))
          },
        }
      }),
    ),
  )
}

/** What of a run is decided by the sweep's fields, the model and the scheme. */
function ownConfig(
  config: FineTuneSweep,
  { hash, model, sequences }: CheckpointFacts,
  { start, program, sizes, definition }: Scheme,
): Omit<TuningConfig, "data" | "task" | "metric" | "seed" | "rates"> {
  const { sites, layers, rank, alpha, rankStabilised, length, batch: size, accumulate } = config
  const { warmup, decay, beta1, beta2 } = config
  const width = model.shape.hidden
  const steps = config.steps ?? Math.ceil((config.epochs! * sequences!) / (size * accumulate))
  const late = config.record.find((step) => step > steps)
  if (late !== undefined)
    throw new InputError({
      field: "record",
      given: late,
      allowed: `steps up to the last, ${steps}`,
      example: `[1, ${steps}]`,
    })
  if (warmup >= steps)
    throw new InputError({ field: "warmup", given: warmup, allowed: `fewer than the ${steps} steps`, example: "0" })
  const { A, B } = program.starts[0]!
  const deviation = (leaf: typeof A) => {
    const own = start.get(leaf)!
    return own === "zero" ? { constant: 0, power: 0 } : { constant: own.constant, power: own.power.constant.valueOf() }
  }
  const sized = (constant: number, power: Affine | null) => constant * width ** (power?.constant.valueOf() ?? 0)
  const clip = sizes.clip !== null ? sized(1, sizes.clip) : config.clip === "none" ? null : config.clip
  return {
    checkpoint: hash,
    width,
    sites,
    ...(layers === undefined ? {} : { layers: increasing(layers) }),
    rank,
    alpha,
    rankStabilised,
    steps,
    size,
    length,
    accumulate,
    warmup,
    decay,
    beta1,
    beta2,
    clip,
    epsilon: sized(definition.epsilonConstant ?? (sizes.epsilon === null ? config.epsilon : 1), sizes.epsilon),
    weightDecay: definition.weightDecay ?? config.weightDecay,
    start: { A: deviation(A), B: deviation(B) },
    record: increasing(config.record),
  }
}

/** Each number once. */
function increasing(numbers: readonly number[]): number[] {
  return [...new Set(numbers)].sort((x, y) => x - y)
}

/** The rates of the two factors at a width, that of A being given: constants and powers of the width are the scheme's. */
function ratesAt(
  { rates, definition: { rateConstants = { A: 1, B: 1 } } }: Scheme,
  width: number,
  rate: number,
  ratio: number,
): TuningConfig["rates"] {
  const { A, B } = rates[0]!
  if (B === "frozen") return { A: rate, B: 0 }
  if (A === "frozen") return { A: 0, B: rate }
  const power = B.constant.valueOf() - A.constant.valueOf()
  return { A: rate, B: rate * ratio * (rateConstants.B / rateConstants.A) * width ** power }
}

/** A definition whose rate of A, or the only one, is the number that the sweep gives it. */
function asTuned(definition: SchemeDefinition): SchemeDefinition {
  return withRate(definition, "0")
}

/** A scheme as it trains here. @throws InputError naming it where a pretrained model cannot be trained so. */
function fitting({ definition, values }: Point, field: string): Scheme {
  const ready = scheme(asTuned(definition), values)
  const reason = misfit(ready)
  if (reason === null) return ready
  throw new InputError({
    field,
    given: definition.name,
    allowed: `schemes of two drawn factors under AdamW on a model of one's own: ${reason}`,
    example: "init-a",
  })
}

/** Why a scheme does not fit a pretrained model; null where it does. */
function misfit({ definition, sizes, rates }: Scheme): string | null {
  const { network, model, spaces, loss, domain, adapter = "lora" } = definition
  const { A, B } = optimisersOf(definition)
  if (network !== undefined || model !== undefined || spaces !== undefined) return "this one has a model of its own"
  if (adapter !== "lora") return `this one's adapter is ${adapter}`
  if (!isPair(definition.rates) || rates.length !== 1) return "this one has rates for several layers"
  if (A !== "adam" || B !== "adam") return `this one is updated by ${optimiserText(definition)}`
  if (loss !== undefined) return `this one has a ${loss} loss of its own`
  if ((definition.shrinkage ?? 0) > 0) return "this one shrinks A in each step"
  if (definition.subtractStart === true) return "this one takes its start out of the frozen weights"
  if (domain !== undefined) return "this one's start is computed from weights or data"
  if (sizes.rank.key !== Affine.ZERO.key || sizes.multiplier.key !== Affine.ZERO.key)
    return "this one scales rank or multiplier, which are rank, alpha and rankStabilised here"
  if (sizes.input.key !== Affine.ZERO.key) return "this one scales its input"
  return null
}
