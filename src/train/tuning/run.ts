/** One fine-tuning, from its files to its metric. */
import { readPretrainedConfig } from "../../checkpoint/pretrained.js"
import type { PretrainedConfig } from "../../checkpoint/pretrainedConfig.js"
import { readTokenizer, type TextTokenizer } from "../../checkpoint/tokenizer.js"
import type { AdamW, Schedule } from "../adamw.js"
import type { RunOutcome } from "../stepRecords.js"
import type { ModelSizes } from "./cost/work.js"
import {
  type SiteSizes,
  type TorchSettings,
  type TuningEngine,
  type TuningEngineName,
  TuningFailure,
  type TuningPrecision,
} from "./engine.js"
import { openTuningEngine } from "./engines.js"
import { evaluate } from "./evaluate.js"
import type { Metric, TuningTask } from "./task.js"
import { readTask } from "./tasks.js"
import { batchesOf, type Sequence, textSequences } from "./text.js"
import { type AdaptedModules, drawStart, sideOf, trainedOf } from "./trained.js"

/** All that determines a fine-tuning's result besides engine and precision; plain data. */
export interface TuningConfig extends AdaptedModules, Omit<AdamW, "rate">, Omit<Schedule, "rate"> {
  /** SHA-256 of the model's files and its tokenizer, and of the task's texts. */
  readonly checkpoint: string
  readonly data: string
  /** What the task is called, and how it is judged. */
  readonly task: string
  readonly metric: Metric
  /** The model's hidden size. */
  readonly width: number
  readonly seed: number
  readonly rank: number
  readonly alpha: number
  /** Whether B A is multiplied by α / √r in place of α / r. */
  readonly rankStabilised: boolean
  /** The deviations of the factors' starting entries: constant · n^power, n the width of a module's input; 0 for none. */
  readonly start: Readonly<Record<"A" | "B", { readonly constant: number; readonly power: number }>>
  /** Of the two factors; 0 for a frozen one. The layer that classifies goes at A's, or at B's where A is frozen. */
  readonly rates: Readonly<Record<"A" | "B", number>>
  readonly clip: number | null
  /** Sequences of a batch, tokens of a sequence, batches of a step. */
  readonly size: number
  readonly length: number
  readonly accumulate: number
  /** The steps at which sizes are recorded. */
  readonly record: readonly number[]
}

/** Where the files of a fine-tuning lie, which is no part of what determines it. */
export interface TuningFiles {
  readonly checkpoint: string
  /** The task as a configuration names it, and the folder that its paths start from. */
  readonly task: unknown
  readonly folder: string
  /** What a plan has to know to say what a run takes. */
  readonly model: ModelSizes
  readonly classes: number | null
}

/** What came of a fine-tuning. */
export interface TuningResult {
  /** What computed it. */
  readonly backend: string
  /** What failed before the run was begun again, or went on, in its order. */
  readonly failed?: readonly string[]
  readonly outcome: RunOutcome
  /** The task's metric after the last step; NaN where the run diverged. */
  readonly metric: number
  /** The mean training loss of the last tenth of the steps; NaN where the run diverged. */
  readonly finalLoss: number
  /** The training loss before each step. */
  readonly losses: readonly number[]
  readonly sites: readonly SiteSizes[]
}

/** What computes a fine-tuning, and how. */
export interface TuningHow {
  readonly engine: TuningEngineName
  readonly precision: TuningPrecision
  /** How the engine of that name computes, by default on one process: the last bits of a result may depend on it. */
  readonly torch?: TorchSettings
}

/** How often a run is begun again after what computes it died. */
const RETRIES = 2

/**
 * Trains and judges; what the last run read of the same files is still in memory.
 *
 * @throws InputError as the readers of models and tasks do; TuningFailure where the engine is missing or dies again and
 * again.
 */
export async function runTuning(
  config: TuningConfig,
  files: TuningFiles,
  { engine: name, precision, torch = {} }: TuningHow,
): Promise<TuningResult> {
  const engine = engineOf(name, torch)
  const failed: string[] = []
  for (let retries = 0; ; retries++)
    try {
      const result = await attempt(engine, precision, config, files, failed)
      return failed.length === 0 ? result : { ...result, failed }
    } catch (error) {
      if (!(error instanceof TuningFailure) || retries === RETRIES) throw error
      failed.push(error.message)
    }
}

/** The run from its first step to its end; what the engine outlived is added to `failed`. */
async function attempt(
  engine: TuningEngine,
  precision: TuningPrecision,
  config: TuningConfig,
  files: TuningFiles,
  failed: string[],
): Promise<TuningResult> {
  const { model, tokenizer, task, sequences } = await material(config, files)
  const { steps, accumulate, rates, length, size } = config
  const classes = task.train.kind === "classification" ? task.train.classes : null
  const rate = rates.A > 0 ? rates.A : rates.B
  const { sites, layers, rank, alpha, clip, warmup, decay, beta1, beta2, epsilon, weightDecay } = config
  const tensors = trainedOf(model, { sites, layers, rank, classes })
  const start = drawStart(
    tensors,
    config.seed,
    (side, n) => config.start[side].constant * n ** config.start[side].power,
  )
  const open = await engine.open({
    checkpoint: files.checkpoint,
    ...{ sites, layers, rank, classes, start, clip, precision },
    scale: alpha / (config.rankStabilised ? Math.sqrt(rank) : rank),
    factors: tensors.map(({ name }) => rates[sideOf(name) ?? (rates.A > 0 ? "A" : "B")] / rate),
    optimiser: { beta1, beta2, epsilon, weightDecay },
    schedule: { rate, warmup, decay, steps },
  })
  try {
    const batches = batchesOf(sequences, model.padding, config)
    const recorded = new Set(config.record)
    const losses: number[] = []
    const sizes: SiteSizes[] = []
    const backend = open.engine
    for (let step = 1; step <= steps; step++) {
      const own = Array.from({ length: accumulate }, (_, part) => batches(step, part))
      const { loss, sites } = await open.step(own, recorded.has(step))
      losses.push(loss)
      sizes.push(...sites)
      const outcome = { kind: "diverged", step } as const
      if (!Number.isFinite(loss))
        return { backend, outcome, metric: Number.NaN, finalLoss: Number.NaN, losses, sites: sizes }
    }
    const metric = await evaluate(open, tokenizer, task, { size, length, padding: model.padding ?? 0 })
    const last = losses.slice(-Math.max(1, Math.round(steps / 10)))
    const finalLoss = last.reduce((sum, loss) => sum + loss, 0) / last.length
    const outcome: RunOutcome = Number.isFinite(metric) ? { kind: "finished" } : { kind: "diverged", step: steps }
    return { backend, outcome, metric, finalLoss, losses, sites: sizes }
  } finally {
    failed.push(...open.survived)
    await open.close()
  }
}

const engines = new Map<string, TuningEngine>()

function engineOf(name: TuningEngineName, torch: TorchSettings): TuningEngine {
  const key = JSON.stringify([name, torch])
  const engine = engines.get(key) ?? openTuningEngine(name, torch)
  engines.set(key, engine)
  return engine
}

/** What a run reads from files. */
interface Material {
  readonly model: PretrainedConfig
  readonly tokenizer: TextTokenizer
  readonly task: TuningTask
  readonly sequences: readonly Sequence[]
}

let cached: { readonly key: string; readonly material: Promise<Material> } | undefined
let cachedTask: { readonly key: string; readonly task: Promise<TuningTask> } | undefined

/** The files of a run; runs of one model and task follow each other, so that the last ones are kept. */
function material({ checkpoint, data, length }: TuningConfig, files: TuningFiles): Promise<Material> {
  const key = JSON.stringify([checkpoint, data, length])
  if (cached?.key !== key) {
    if (cachedTask?.key !== data) cachedTask = { key: data, task: readTask(files.task, files.folder) }
    cached = { key, material: read(files.checkpoint, cachedTask.task, length) }
  }
  return cached.material
}

async function read(checkpoint: string, reading: Promise<TuningTask>, length: number): Promise<Material> {
  const [model, tokenizer, task] = await Promise.all([
    readPretrainedConfig(checkpoint),
    readTokenizer(checkpoint),
    reading,
  ])
  return { model, tokenizer, task, sequences: textSequences(tokenizer, task.train, length) }
}
