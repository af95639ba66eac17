import { gaussians } from "../../src/train/random.js"

/** One run of a made-up sweep whose best rate falls as n^-1/2. */
export interface MadeRun {
  readonly width: number
  readonly lr: number
  readonly seed: number
  /** NaN where it diverged. */
  readonly loss: number
}

export const WIDTHS = [256, 512, 1024, 2048, 4096, 8192]
const RATES = Array.from({ length: 8 }, (_, i) => Number((10 ** (i / 2 - 5)).toPrecision(6)))

/** The best rate: 0.0029 at width 256, falling as n^-1/2. */
export const bestRate = (width: number) => 0.0029 * (width / 256) ** -0.5

/**
 * A sweep of six widths and eight rates: the loss is 1 + 0.018 x² (1 + 0.2 tanh x) at x = ln(rate / best), with noise;
 * far above the best rate runs diverge.
 */
export function madeRuns({ seeds = 1, noise = 5e-4, stream = "made" } = {}): MadeRun[] {
  const errors = gaussians(7, stream, WIDTHS.length * RATES.length * seeds)
  let k = 0
  return WIDTHS.flatMap((width) =>
    RATES.flatMap((lr) =>
      Array.from({ length: seeds }, (_, i) => {
        const x = Math.log(lr / bestRate(width))
        const loss = x > 3 ? Number.NaN : 1 + 0.018 * x ** 2 * (1 + 0.2 * Math.tanh(x)) + noise * errors[k++]!
        return { width, lr, seed: i + 1, loss }
      }),
    ),
  )
}

/** Rows of values as separated text; NaN is written nan unless a word is given. */
export function csv(
  header: readonly string[],
  rows: readonly (readonly (string | number)[])[],
  { separator = ",", word = "nan" } = {},
): string {
  const cell = (value: string | number) => (typeof value === "number" && Number.isNaN(value) ? word : String(value))
  return [header, ...rows.map((row) => row.map(cell))].map((row) => `${row.join(separator)}\n`).join("")
}
