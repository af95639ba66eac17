/** Fine-tunings by PyTorch, transformers and PEFT in a worker of their own. */
import { rateAt } from "../../adamw.js"
import { type OpenTuning, type TorchSettings, type TuningEngine, TuningFailure, type TuningJob } from "../engine.js"
import { WorkerDied, WorkerFailure, type WorkerOptions } from "./processes.js"
import { requirePython } from "./python.js"
import { TorchRun } from "./run.js"
import { TorchWorker } from "./worker.js"

/** How the worker runs. */
export interface TorchOptions extends TorchSettings, Partial<WorkerOptions> {
  /** After how many steps a run is kept, so that a death of the worker costs no more than these. */
  readonly keepEvery?: number
}

/** The engine with its worker, which is started where it is not yet. */
export interface TorchEngine extends TuningEngine {
  worker(): Promise<TorchWorker>
}

/** The engine `torch`: one worker, started when it is first needed, whose model stays open from job to job. */
export function torchTuning({
  sharded = false,
  recompute = false,
  keepEvery,
  ...options
}: TorchOptions = {}): TorchEngine {
  let worker: Promise<TorchWorker> | undefined
  const started = () => {
    worker ??= failing(async () => TorchWorker.start({ ...options, python: options.python ?? (await requirePython()) }))
    return worker
  }
  return {
    name: "torch",
    worker: started,
    check: async () => {
      if (options.python === undefined) await requirePython()
    },
    open: async (job) => {
      const { precision, classes, sites, layers = null, rank, scale } = job
      const model = {
        ...{ model: job.checkpoint, classes, precision, sites, layers, rank, scale, sharded, recompute },
        trainHead: classes !== null,
      }
      const factors = Object.fromEntries(job.start.map(({ name }, i) => [name, job.factors[i]!]))
      const own = await started()
      const settings = { ...job.optimiser, clip: job.clip, factors }
      return tuning(own, await failing(() => TorchRun.begin(own, model, job.start, settings, keepEvery)), job)
    },
    close: async () => {
      const own = worker
      worker = undefined
      await (await own?.catch(() => undefined))?.close()
    },
  }
}

function tuning(worker: TorchWorker, run: TorchRun, job: TuningJob): OpenTuning {
  let step = 0
  const scored = (batch: Parameters<TorchRun["score"]>[0]) => failing(() => run.score(batch))
  return {
    engine: versionOf(worker),
    survived: run.survived,
    step: (batches, record) => failing(() => run.step(batches, rateAt(++step, job.schedule), record)),
    likelihoods: async (batch) => {
      const scores = await scored(batch)
      return job.classes === null
        ? scores.map(([own]) => own!)
        : scores.map((row, i) => row[batch.labels[i] as number]!)
    },
    // The worker reads labels too: any will do.
    classLikelihoods: (batch) => scored({ ...batch, labels: batch.ids.map(() => 0) }),
    generate: (prompts, most, stop) => failing(() => run.generate(prompts, most, stop)),
    values: async () => {
      const values = await failing(() => run.values())
      return job.start.map(({ name }) => values.get(name)!)
    },
    close: () => run.close(),
  }
}

function versionOf({ greeting: { versions, device, processes } }: TorchWorker): string {
  const packages = ["torch", "transformers", "peft"].map((name) => `${name} ${versions[name]}`).join(" ")
  return `${packages} ${device}${processes > 1 ? ` × ${processes}` : ""}`
}

/** The worker's failures as those of an engine. */
async function failing<T>(act: () => Promise<T>): Promise<T> {
  try {
    return await act()
  } catch (error) {
    if (error instanceof WorkerDied || error instanceof WorkerFailure) throw new TuningFailure(error.message)
    throw error
  }
}
