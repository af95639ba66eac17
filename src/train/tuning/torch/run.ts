/** A fine-tuning in the worker that outlives the worker: what was lost is done again, to the same bits on one machine. */
import { mkdtemp, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { openCheckpoint } from "../../../checkpoint/open.js"
import { writePeftFolder } from "../../../checkpoint/peftFolder.js"
import type { WrittenTensor } from "../../../checkpoint/writeSafetensors.js"
import type { AdamW } from "../../adamw.js"
import type { Batch } from "../batch.js"
import type { SiteSizes, StepTaken } from "../engine.js"
import { WorkerDied } from "./processes.js"
import type { TorchModel, TorchWorker } from "./worker.js"

/** How a run goes, but for the rates. */
export interface TorchSettings extends Omit<AdamW, "rate"> {
  /** The joint norm that gradients are clipped to; null for none. */
  readonly clip: number | null
  /** Each trained tensor's rate over the step's, by name; 0 for one that stays as it is. */
  readonly factors: Readonly<Record<string, number>>
}

/** A step as it is asked for. */
interface StepRequest {
  readonly batches: readonly Batch[]
  readonly rate: number
  readonly record: boolean
}

/** How often the worker may die over one request before the run is given up. */
const MOST_DEATHS = 3

/** One run on a model. */
export class TorchRun {
  /** The worker's deaths under this run that it outlived, a sentence each. */
  readonly survived: string[] = []
  readonly #worker: TorchWorker
  readonly #model: TorchModel
  readonly #settings: TorchSettings
  readonly #keepEvery: number
  readonly #folder: string
  /** The steps since the run was kept: what is asked again after a death. */
  #since: StepRequest[] = []
  /** The step after which the run was last kept; 0 if it was not. */
  #kept = 0

  private constructor(
    worker: TorchWorker,
    model: TorchModel,
    settings: TorchSettings,
    keepEvery: number,
    folder: string,
  ) {
    this.#worker = worker
    this.#model = model
    this.#settings = settings
    this.#keepEvery = keepEvery
    this.#folder = folder
  }

  /**
   * Begins a run.
   *
   * @param start values of all that is trained.
   * @param keepEvery after how many steps the run is kept, so that a death costs no more than these.
   * @throws InputError for a start that lacks a trained tensor, has one of another shape, or one too many.
   */
  static async begin(
    worker: TorchWorker,
    model: TorchModel,
    start: readonly WrittenTensor[],
    settings: TorchSettings,
    keepEvery = 50,
  ): Promise<TorchRun> {
    const folder = await mkdtemp(join(tmpdir(), "lora-scaling-run-"))
    const run = new TorchRun(worker, model, settings, keepEvery, folder)
    try {
      const { rank, scale, sites, layers } = model
      const own = { sites, layers: layers ?? undefined, task: null, base: null }
      const config = { rank, alpha: scale * rank, rankStabilised: false, ...own }
      await writePeftFolder(run.#startFolder, config, start)
      await run.#survive(async () => {})
      return run
    } catch (error) {
      await run.close()
      throw error
    }
  }

  /** Trains on the batches' mean loss. @throws WorkerDied if the worker dies again and again at this step. */
  async step(batches: readonly Batch[], rate: number, record: boolean): Promise<StepTaken> {
    const request = { batches, rate, record }
    const { loss, norm, sites } = await this.#survive(() => this.#ask<StepTaken>("step", request))
    this.#since.push(request)
    if (this.#since.length >= this.#keepEvery) await this.#keep()
    // JSON has no NaN and no infinity: the worker writes them as texts.
    const numbers = ({ step, module, sizes }: SiteSizes) => ({
      ...{ step, module },
      sizes: Object.fromEntries(Object.entries(sizes).map(([name, size]) => [name, Number(size)])),
    })
    return { loss: Number(loss), norm: Number(norm), sites: sites.map(numbers) }
  }

  /** Of each sequence the log-likelihood of every class; or, a list of one, that of what is told of it. */
  async score(batch: Batch): Promise<number[][]> {
    const { scores } = await this.#survive(() => this.#ask<{ scores: (number | string)[][] }>("score", { batch }))
    return scores.map((row) => row.map(Number))
  }

  /** Each prompt's likeliest next tokens, up to one that stops, which is left out, or `most` of them. */
  async generate(
    prompts: readonly (readonly number[])[],
    most: number,
    stop: readonly number[],
  ): Promise<readonly (readonly number[])[]> {
    const asked = () => this.#ask<{ continuations: number[][] }>("generate", { prompts, most, stop })
    return (await this.#survive(asked)).continuations
  }

  /** What is trained as it is now, by the tensors' names. */
  async values(): Promise<ReadonlyMap<string, Float32Array>> {
    const folder = join(this.#folder, "values")
    await this.#survive(() => this.#ask("save", { folder, base: null }))
    const file = await openCheckpoint(join(folder, "adapter_model.safetensors"))
    try {
      const read = [...file.tensors].map(
        async ([name, tensor]) => [name.replace(/^base_model\.model\./, ""), await tensor.read()] as const,
      )
      return new Map(await Promise.all(read))
    } finally {
      await file.close()
    }
  }

  /** Removes what was kept; the worker stays. */
  close(): Promise<void> {
    return rm(this.#folder, { recursive: true, force: true })
  }

  get #startFolder(): string {
    return join(this.#folder, "start")
  }

  #keptAt(step: number): string {
    return join(this.#folder, `step-${step}`)
  }

  async #keep(): Promise<void> {
    const last = this.#kept
    const step = last + this.#since.length
    await this.#survive(() => this.#ask("keep", { folder: this.#keptAt(step) }))
    ;[this.#kept, this.#since] = [step, []]
    if (last > 0) await rm(this.#keptAt(last), { recursive: true })
  }

  /** Makes the worker's run this one, where it is now. */
  async #begin(): Promise<void> {
    await this.#worker.open(this.#model)
    await this.#ask("start", { adapter: this.#startFolder, ...this.#settings })
    if (this.#kept > 0) await this.#ask("resume", { folder: this.#keptAt(this.#kept), step: this.#kept })
    for (const request of this.#since) await this.#ask("step", request)
    this.#worker.owner = this
  }

  /** Does it; after a death once more, from where the run was. */
  async #survive<T>(act: () => Promise<T>): Promise<T> {
    for (let deaths = 0; ; ) {
      try {
        if (this.#worker.owner !== this) await this.#begin()
        return await act()
      } catch (error) {
        if (!(error instanceof WorkerDied) || ++deaths > MOST_DEATHS) throw error
        this.survived.push(`${error.reason} after step ${this.#kept + this.#since.length}`)
        await this.#worker.restart()
      }
    }
  }

  #ask<T>(request: string, fields: object): Promise<T> {
    return this.#worker.ask(request, fields) as Promise<T>
  }
}
