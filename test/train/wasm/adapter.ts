import { Affine } from "../../../src/exponent/affine.js"
import { networkLayer } from "../../../src/program/network.js"
import { OPTIMISERS } from "../../../src/program/optimiser.js"
import { type Program, trainingStep } from "../../../src/program/program.js"
import type { Sizes } from "../../../src/train/reference.js"
import type { SyntheticConfig } from "../../../src/train/syntheticConfig.js"
import { startOf, syntheticData } from "../../../src/train/wasm/syntheticData.js"

/**
 * A run of the teacher-student experiment as a program with the data of its leaves, by name.
 *
 * @param stored what an activation is stored as; by default itself.
 */
export function adapterProgram(
  run: SyntheticConfig,
  stored = (x: number) => x,
): {
  readonly program: Program
  readonly sizes: Sizes
  readonly frozen: Readonly<Record<string, Float64Array>>
  readonly start: { readonly A: Float64Array; readonly B: Float64Array }
} {
  const data = syntheticData(run)
  const motion = (constant: number) => ({ rate: { constant, power: Affine.ZERO }, weightDecay: 0, shrinkage: 0 })
  const program = trainingStep(
    networkLayer(run.samples),
    OPTIMISERS.adam,
    { constant: 1e-8, power: null },
    { subtracted: false, along: { A: false, B: false } },
    [{ A: motion(run.rates.A), B: motion(run.rates.B) }],
  )
  return {
    program,
    sizes: { n: run.width, nIn: run.width, r: run.rank, samples: run.samples, one: 1 },
    frozen: {
      P: Float64Array.from(data.P, stored),
      H: Float64Array.from(data.H, stored),
      wOut: data.wOut,
      minusY: data.y.map((y) => -y),
    },
    start: startOf(run),
  }
}
