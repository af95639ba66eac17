/** What can compute a scheme's runs in the page. */
import { openGpu } from "../../src/train/gpu/device.js"
import { runProgram } from "../../src/train/gpu/program.js"
import { run } from "../../src/train/run.js"
import { withAlignments } from "../../verify/compare/claim.js"
import type { Engine } from "../messages.js"
import type { OpenEngineFor } from "./engine.js"
import { kernel } from "./kernel.js"

/** How each is opened. */
export const OPEN: Readonly<Record<Engine, OpenEngineFor>> = {
  interpreter: (_, ready) => ({
    name: "reference interpreter, float64",
    quantities: withAlignments(ready),
    runs: async (config, seeds) => seeds.map((seed) => run(ready, { ...config, seed })),
  }),
  kernel,
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
