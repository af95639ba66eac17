/** LoRA on real text: a model, a task, a start and settings in, a record a step out, and a folder that PEFT reads. */
import { writePeftFolder } from "../../checkpoint/peftFolder.js"
import type { Pretrained } from "../../checkpoint/pretrained.js"
import type { TextTokenizer } from "../../checkpoint/tokenizer.js"
import type { Coefficient } from "../../program/operation.js"
import { coefficientValue } from "../numbers.js"
import { type Batching, type TextTask, textBatches } from "../tuning/text.js"
import { type AdaptedModules, drawStart, sideOf, type TrainedTensor } from "../tuning/trained.js"
import type { Engine } from "./engine.js"
import { type FineTuning, fineTune, type TuningStep } from "./fineTune.js"
import { openGradients } from "./gradients.js"

/** What a fine-tuning on text needs besides model and task. */
export interface TextTuning extends Omit<FineTuning, "factors">, Batching, AdaptedModules {
  readonly rank: number
  readonly alpha: number
  /** Whether B A is multiplied by α / √r in place of α / r. */
  readonly rankStabilised: boolean
  /** The deviation of each factor's Gaussian entries, n the width of the module's input; "zero" for none. */
  readonly start: Readonly<Record<"A" | "B", Coefficient | "zero">>
  /** The rate of B over that of A, which is `rate`: 1, or LoRA+'s ratio. */
  readonly ratio: number
}

/** A fine-tuning that is under way. */
export interface TextTuningRun {
  readonly engine: string
  readonly trained: readonly TrainedTensor[]
  /** Steps as they are trained. */
  readonly steps: AsyncIterable<TuningStep>
  /** Writes what is trained as it is now: a folder that PEFT loads. */
  save(folder: string, base: string | null): Promise<void>
}

/**
 * Opens a fine-tuning. The same model, task, settings and seed give the same bits on one kind of processor.
 *
 * @throws InputError as `openGradients` and `textBatches` do.
 */
export async function tuneOnText(
  engine: Engine,
  model: Pretrained,
  tokenizer: TextTokenizer,
  task: TextTask,
  settings: TextTuning,
): Promise<TextTuningRun> {
  const { sites, layers, rank, alpha, rankStabilised, start, ratio, seed } = settings
  const batches = textBatches(model, tokenizer, task, settings)
  const scale = alpha / (rankStabilised ? Math.sqrt(rank) : rank)
  const classes = task.kind === "classification" ? task.classes : null
  const gradients = await openGradients(engine, model, {
    ...{ sites, layers, rank, scale, classes, trainHead: classes !== null },
  })
  const { trained } = gradients
  const starts = drawStart(trained, seed, (side, n) => {
    const own = start[side]
    return own === "zero" ? 0 : coefficientValue(own, n, 0)
  })
  const factors = trained.map(({ name }) => (sideOf(name) === "B" ? ratio : 1))
  const first = starts.map(({ values }) => values)
  let values: readonly Float32Array[] = first
  async function* steps() {
    for await (const step of fineTune(gradients, first, batches, { ...settings, factors })) {
      values = step.values
      yield step
    }
  }
  return {
    engine: gradients.engine,
    trained,
    steps: steps(),
    save: (folder, base) =>
      writePeftFolder(
        folder,
        { rank, alpha, rankStabilised, sites, layers, base, task: classes === null ? "CAUSAL_LM" : "SEQ_CLS" },
        starts.map((tensor, i) => ({ ...tensor, values: values[i]! })),
      ),
  }
}
