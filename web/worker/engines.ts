/** What can compute a scheme's runs in the page. */
import type { Scheme } from "../../src/scheme/scheme.js"
import { openGpu } from "../../src/train/gpu/device.js"
import { runProgram } from "../../src/train/gpu/program.js"
import { type RunConfig, type RunResult, run } from "../../src/train/run.js"
import type { Budget } from "../../verify/compare/budget.js"
import { withAlignments } from "../../verify/compare/claim.js"
import type { Setting } from "../../verify/compare/setting.js"
import type { Engine } from "../messages.js"

/** Runs of a scheme, a batch of seeds at a time. */
export interface OpenEngine {
  readonly name: string
  /** What its records hold. */
  readonly quantities: readonly string[]
  runs(config: Omit<RunConfig, "seed" | "precision">, seeds: readonly number[]): Promise<readonly RunResult[]>
}

/** Opens an engine for a scheme. @throws InputError, GpuFailure where it cannot train it. */
export type OpenEngineFor = (setting: Setting, ready: Scheme, budget: Budget) => OpenEngine | Promise<OpenEngine>

/** How each is opened. */
export const OPEN: Readonly<Record<Engine, OpenEngineFor>> = {
  interpreter: (_, ready) => ({
    name: "reference interpreter, float64",
    quantities: withAlignments(ready),
    runs: async (config, seeds) => seeds.map((seed) => run(ready, { ...config, seed })),
  }),
  gpu: async (_, ready) => {
    const gpu = await openGpu()
    return {
      name: `${gpu.name}, float32`,
      quantities: withAlignments(ready),
      runs: async (config, seeds) =>
        (await runProgram(gpu, ready, config, seeds)).map((result) => ({ ...result, rounding: 2 ** -24 })),
    }
  },
}
