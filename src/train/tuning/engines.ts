/** The engines of fine-tunings by their names. */
import type { TorchSettings, TuningEngine, TuningEngineName } from "./engine.js"
import { graphTuning } from "./graph.js"
import { torchTuning } from "./torch/engine.js"

const ENGINES: Readonly<Record<TuningEngineName, (torch: TorchSettings) => TuningEngine>> = {
  graph: () => graphTuning(),
  torch: torchTuning,
}

/** An engine, which starts nothing before it is used. */
export function openTuningEngine(name: TuningEngineName, torch: TorchSettings): TuningEngine {
  return ENGINES[name](torch)
}
