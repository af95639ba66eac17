/** The worker in Python as processes of the system: lines of JSON in and out, and what is known of one that ended. */
import { type ChildProcess, spawn } from "node:child_process"
import { createServer, type Socket } from "node:net"
import { createInterface } from "node:readline"
import { fileURLToPath } from "node:url"
import { InputError } from "../../../inputError.js"
import { packageFile } from "../../../packageFile.js"
import { missingPackages } from "./python.js"

/** The version of the lines that both sides speak: `PROTOCOL` in the worker. */
const PROTOCOL = 2

/** How the worker runs. */
export interface WorkerOptions {
  /** The Python with the worker's packages. */
  readonly python: string
  /** How many processes share each batch: one a card. */
  readonly processes?: number
  /** "auto": a card where there is one. */
  readonly device?: "auto" | "cpu"
  /** Threads of a process on a CPU; more than one may change the last bits of results. */
  readonly threads?: number
}

/** What the worker says of itself when it has started. */
export interface WorkerGreeting {
  readonly versions: Readonly<Record<string, string>>
  /** "cpu", or the card's name. */
  readonly device: string
  readonly processes: number
}

/** The worker ended without an answer: killed, out of memory, or by a failure of its own. */
export class WorkerDied extends Error {
  constructor(
    readonly reason: string,
    readonly log: string,
  ) {
    super(`${reason}${log === "" ? "" : `; it said last:\n${log}`}`)
    this.name = "WorkerDied"
  }
}

/** The worker could not do what was asked of it, for no fault of the request. */
export class WorkerFailure extends Error {}

/** Processes that work as one: each is asked the same, the first one's answer counts. */
export interface WorkerProcesses {
  readonly greeting: WorkerGreeting
  /** The numbers of the processes in the system. */
  readonly pids: readonly number[]
  /**
   * @throws InputError for a request that the worker refuses; WorkerFailure for one that fails; WorkerDied if a process
   * ends first.
   */
  ask(request: string, fields: object): Promise<unknown>
  /** Ends the processes and waits for it. */
  stop(): Promise<void>
}

/** Characters of what the worker printed that are kept for an error. */
const LOG = 2000

/**
 * Starts the worker's processes and waits until they greet.
 *
 * @throws TuningFailure with the line to install if packages are missing; WorkerFailure for another protocol; WorkerDied.
 */
export async function startProcesses(options: WorkerOptions): Promise<WorkerProcesses> {
  const { processes: count = 1 } = options
  const port = count > 1 ? await freePort() : 0
  const members = Array.from({ length: count }, (_, rank) => new Member(rank, options, port))
  // Those that are left would wait for the one that ended.
  const kill = (because?: WorkerDied) => {
    for (const member of members) member.kill(because)
  }
  for (const member of members) member.ended.then(kill)
  const stop = async () => {
    for (const member of members) member.close()
    await Promise.all(members.map(({ ended }) => ended))
  }
  try {
    const [greeting] = await Promise.all(members.map((member) => member.greeting()))
    let id = 0
    return {
      greeting: greeting!,
      pids: members.map(({ pid }) => pid),
      ask: async (request, fields) => {
        id++
        const answers = members.map((member) => member.ask(id, { id, do: request, ...fields }))
        // All are heard before the first failure is told, so that none is left unheard.
        const settled = await Promise.allSettled(answers)
        const failed = settled.filter((answer) => answer.status === "rejected").map(({ reason }) => reason)
        if (failed.length > 0) throw failed.find((reason) => !(reason instanceof WorkerDied)) ?? failed[0]
        return (settled[0] as PromiseFulfilledResult<unknown>).value
      },
      stop,
    }
  } catch (error) {
    kill()
    await stop()
    throw error
  }
}

/** One process of the worker. */
class Member {
  readonly pid: number
  /** Why it ended; never rejects. */
  readonly ended: Promise<WorkerDied>
  readonly #child: ChildProcess
  readonly #waiting = new Map<number | "greeting", (line: Line | WorkerDied) => void>()
  #early: Line | null = null
  #dead: WorkerDied | null = null
  #log = ""

  constructor(rank: number, { python, processes = 1, device = "auto", threads = 1 }: WorkerOptions, port: number) {
    const env: NodeJS.ProcessEnv = {
      ...process.env,
      LORA_SCALING_DEVICE: device,
      LORA_SCALING_THREADS: String(threads),
      // Nothing is fetched: models and texts are files.
      ...{ HF_HUB_OFFLINE: "1", HF_HUB_DISABLE_TELEMETRY: "1", TOKENIZERS_PARALLELISM: "false" },
      // The same bits each time on a card.
      CUBLAS_WORKSPACE_CONFIG: ":4096:8",
    }
    if (processes > 1)
      Object.assign(env, {
        ...{ RANK: String(rank), LOCAL_RANK: String(rank), OMP_NUM_THREADS: String(threads) },
        ...{ WORLD_SIZE: String(processes), LOCAL_WORLD_SIZE: String(processes) },
        ...{ MASTER_ADDR: "127.0.0.1", MASTER_PORT: String(port) },
      })
    const file = fileURLToPath(new URL("python/lora_scaling_worker.py", packageFile()))
    const child = spawn(python, [file], { env, stdio: ["pipe", "pipe", "pipe"] })
    this.#child = child
    this.pid = child.pid ?? 0
    child.stderr!.setEncoding("utf8").on("data", (text: string) => {
      this.#log = (this.#log + text).slice(-LOG)
    })
    // A process that is gone cannot be written to; its end says so.
    child.stdin!.on("error", () => {})
    createInterface({ input: child.stdout! }).on("line", (line) => this.#hear(line))
    this.ended = new Promise((resolve) => {
      const end = (reason: string) => {
        this.#dead ??= new WorkerDied(reason, this.#log.trim())
        for (const [, answer] of this.#waiting) answer(this.#dead)
        this.#waiting.clear()
        resolve(this.#dead)
      }
      const self = `the worker in Python (process ${rank})`
      child.once("error", (error) => end(`${self} cannot be started: ${error.message}`))
      child.once("close", (code, signal) =>
        end(`${self} ${signal === null ? `ended with ${code}` : `was ended by ${signal}`}`),
      )
    })
  }

  async greeting(): Promise<WorkerGreeting> {
    const line = this.#early ?? (await this.#line("greeting"))
    const { protocol, missing = [], versions = {}, device = "", processes = 1 } = line
    if (missing.length > 0) throw missingPackages(missing)
    if (protocol !== PROTOCOL) throw new WorkerFailure(`the worker speaks protocol ${protocol}, not ${PROTOCOL}`)
    return { versions, device, processes }
  }

  async ask(id: number, request: object): Promise<unknown> {
    const answer = this.#line(id)
    this.#child.stdin!.write(`${JSON.stringify(request)}\n`)
    const { ok, error } = await answer
    if (error === undefined) return ok
    if (error.kind === "input") throw new InputError(error)
    throw new WorkerFailure(`the worker in Python failed: ${error.message}`)
  }

  async #line(id: number | "greeting"): Promise<Line> {
    if (this.#dead !== null) throw this.#dead
    this.#hold(true)
    try {
      return await new Promise((resolve, reject) => {
        this.#waiting.set(id, (line) => (line instanceof WorkerDied ? reject(line) : resolve(line)))
      })
    } finally {
      this.#hold(false)
    }
  }

  /** A worker that nothing is asked of keeps no program from its end, which ends the worker too. */
  #hold(isAsked: boolean): void {
    const { stdin, stdout, stderr } = this.#child
    for (const each of [this.#child, stdin, stdout, stderr] as (ChildProcess | Socket | null)[])
      if (isAsked) each?.ref()
      else each?.unref()
  }

  #hear(text: string): void {
    const line = lineOf(text)
    if (line === null) {
      this.#log = `${this.#log}${text}\n`.slice(-LOG)
      return
    }
    const id = line.id ?? "greeting"
    const answer = this.#waiting.get(id)
    this.#waiting.delete(id)
    if (answer !== undefined) answer(line)
    else if (id === "greeting") this.#early = line
  }

  /** Lets it finish what it is at. */
  close(): void {
    this.#hold(true)
    this.#child.stdin!.end()
  }

  /** @param because of another process's end. */
  kill(because?: WorkerDied): void {
    this.#dead ??= because ?? null
    this.#child.kill("SIGKILL")
  }
}

/** A line that the worker writes. */
interface Line {
  readonly id?: number
  readonly ok?: unknown
  readonly error?:
    | { kind: "input"; field: string; given: unknown; allowed: string; example: string }
    | { kind: "failed"; message: string }
  readonly protocol?: number
  readonly versions?: Readonly<Record<string, string>>
  readonly missing?: readonly string[]
  readonly device?: string
  readonly processes?: number
}

/** A line of the protocol: an answer, or the greeting; null for whatever else is printed. */
function lineOf(text: string): Line | null {
  try {
    const line = JSON.parse(text)
    const isLine = typeof line === "object" && line !== null && (typeof line.id === "number" || "protocol" in line)
    return isLine ? line : null
  } catch {
    return null
  }
}

/** A port on which nothing listens. */
async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve, reject) => server.once("error", reject).listen(0, "127.0.0.1", resolve))
  const { port } = server.address() as { port: number }
  await new Promise((resolve) => server.close(resolve))
  return port
}
