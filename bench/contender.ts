import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process"
import { createInterface } from "node:readline"

/** One that trains the same run: how long it took, and the loss it ends with. */
export interface Contender {
  readonly name: string
  /** `memory`: the most that the process has held so far, in MiB, where it says so. */
  train(steps: number): Promise<{ readonly seconds: number; readonly loss: number; readonly memory?: number }>
  close(): Promise<void>
}

/** Learning rates of the benchmark's runs: small enough that rounding is not amplified. */
export const RATES = { A: 1e-3, B: 1e-3 }

/** A contender on the calling thread or its workers. */
export function inside(
  name: string,
  train: (steps: number) => Promise<number> | number,
  close = async () => {},
): Contender {
  return {
    name,
    async train(steps) {
      const start = performance.now()
      const loss = await train(steps)
      return { seconds: (performance.now() - start) / 1000, loss }
    },
    close,
  }
}

/**
 * A contender that is a program: it prints "ready", then answers each line "steps rateA rateB" with "seconds loss", or
 * "seconds loss MiB".
 *
 * @throws Error with what the program wrote to stderr if it ends early.
 */
export async function outside(
  name: string,
  command: string,
  parameters: readonly string[],
  threads: number,
): Promise<Contender> {
  const env = { ...process.env, OMP_NUM_THREADS: String(threads) }
  const child: ChildProcessWithoutNullStreams = spawn(command, parameters, { env })
  let errors = ""
  child.stderr.on("data", (data) => {
    errors += data
  })
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
  const answer = async () => {
    const { value, done } = await lines.next()
    if (done) throw new Error(`${name} ended: ${errors.slice(-2000)}`)
    return value as string
  }
  await answer()
  return {
    name,
    async train(steps) {
      child.stdin.write(`${steps} ${RATES.A} ${RATES.B}\n`)
      const [seconds, loss, memory] = (await answer()).split(" ").map(Number)
      return { seconds: seconds!, loss: loss!, ...(memory === undefined ? {} : { memory }) }
    },
    close: async () => {
      child.kill()
    },
  }
}
