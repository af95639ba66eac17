/** One sweep, made with the exponent −1/2, to be written as people's programs write it. */
import type { TableOptions } from "../../../src/cli/tableOptions.js"
import { type MadeRun, madeRuns } from "../made.js"

/** A kind of file: its name, its content, how it is read, and what is to be said of it. */
export type Kind = [name: string, content: () => string | Uint8Array, options?: Partial<TableOptions>, says?: RegExp]

/** The sweep as a plain table. */
export const HEADER = ["width", "lr", "loss"]
export const cells = (runs: readonly MadeRun[]) => runs.map(({ width, lr, loss }) => [width, lr, loss])
export const runs = madeRuns()

/** Whether a run diverged. */
export const failed = ({ loss }: MadeRun) => Number.isNaN(loss)

/** A row a run. */
export const rows = <T>(row: (run: MadeRun, index: number) => T) => runs.map(row)
const STEPS = [100, 200, 300, 400]

/** A run's log of a few steps, falling to its loss; runs that diverge end in NaN. */
export const logOf = ({ loss }: MadeRun, step: number) =>
  Number.isNaN(loss) ? (step < 300 ? 4 : Number.NaN) : loss + (400 - step) / 200

/** A row a run and step. */
export const log = <T>(row: (run: MadeRun, step: number, index: number) => T) =>
  runs.flatMap((run, i) => STEPS.map((step) => row(run, step, i)))

/** A loss, or a word for one that diverged. */
export const text = (loss: number, word = "nan") => (Number.isNaN(loss) ? word : String(loss))
