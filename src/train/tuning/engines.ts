/** The engines of fine-tunings by their names. */
import type { TuningEngine, TuningEngineName } from "./engine.js"
import { graphTuning } from "./graph.js"
import { torchTuning } from "./torch/engine.js"

const ENGINES: Readonly<Record<TuningEngineName, () => TuningEngine>> = {
  graph: graphTuning,
  torch: torchTuning,
}

/** An engine, which starts nothing before it is used. */
export function openTuningEngine(name: TuningEngineName): TuningEngine {
  return ENGINES[name]()
}
