/** The worker in Python with one model open, started anew when it dies. */
import type { TuningPrecision } from "../engine.js"
import { startProcesses, type WorkerGreeting, type WorkerOptions, type WorkerProcesses } from "./processes.js"

/** A model as the worker opens it. */
export interface TorchModel {
  /** A folder with config.json and safetensors, or a GGUF file. */
  readonly model: string
  /** How many classes a sequence may have; null where the next token is told. */
  readonly classes: number | null
  /** Of the frozen weights and of what they are applied to; what is trained is float32. */
  readonly precision: TuningPrecision
  readonly sites: readonly string[]
  /** The blocks that they stand in; null for all. */
  readonly layers: readonly number[] | null
  readonly rank: number
  /** What B A is multiplied by. */
  readonly scale: number
  readonly trainHead: boolean
  /** Whether processes share the weights (FSDP), for a model that one card does not hold. */
  readonly sharded: boolean
  /** Whether a block's values are computed again on the way back rather than kept. */
  readonly recompute: boolean
}

/** A tensor that the worker trains, named as in a PEFT file without "base_model.model.". */
export interface TorchTensor {
  readonly name: string
  readonly shape: readonly number[]
}

/** A worker of one model and one run at a time. */
export class TorchWorker {
  /** The run that the worker is at; another one has to begin first. */
  owner: object | null = null
  readonly #options: WorkerOptions
  #processes: WorkerProcesses
  #model: string | null = null
  #trained: readonly TorchTensor[] = []

  private constructor(options: WorkerOptions, processes: WorkerProcesses) {
    this.#options = options
    this.#processes = processes
  }

  /** Starts the worker; it opens no model yet. @throws as `startProcesses`. */
  static async start(options: WorkerOptions): Promise<TorchWorker> {
    return new TorchWorker(options, await startProcesses(options))
  }

  get greeting(): WorkerGreeting {
    return this.#processes.greeting
  }

  /** The numbers of its processes in the system. */
  get pids(): readonly number[] {
    return this.#processes.pids
  }

  /** Opens the model unless it is open; gives what of it is trained. @throws as `WorkerProcesses.ask`. */
  async open(model: TorchModel): Promise<readonly TorchTensor[]> {
    const key = JSON.stringify(model)
    if (key === this.#model) return this.#trained
    ;[this.#model, this.owner] = [null, null]
    const { trained } = (await this.ask("open", model)) as { trained: readonly TorchTensor[] }
    ;[this.#model, this.#trained] = [key, trained]
    return trained
  }

  /** @throws as `WorkerProcesses.ask`. */
  ask(request: string, fields: object): Promise<unknown> {
    return this.#processes.ask(request, fields)
  }

  /** Starts the worker again after it died. @throws as `startProcesses`. */
  async restart(): Promise<void> {
    await this.#processes.stop()
    ;[this.#model, this.owner] = [null, null]
    this.#processes = await startProcesses(this.#options)
  }

  close(): Promise<void> {
    return this.#processes.stop()
  }
}
