/** A sweep of fine-tunings as a configuration file has it. */
import { z } from "zod"
import { count, documented as field } from "../checked.js"
import { TUNING_ENGINES, TUNING_PRECISIONS } from "../train/tuning/engine.js"
import type { TuningFacts } from "../train/tuning/facts.js"
import { EXPERIMENTS, kind, positive, precision, rates, ratio, schemes, seeds } from "./fields.js"

const whole = z.int().min(1)
const beta = (what: string, example: number) =>
  field(z.number().min(0).lt(1).default(example), `Adam's β of ${what}: a number from 0, below 1`, example)

export const FineTune = kind(
  z
    .strictObject({
      experiment: field(z.literal("finetune"), EXPERIMENTS, "finetune"),
      checkpoints: field(
        z.array(z.string().min(1)).min(1),
        "pretrained models, one at least: folders with config.json, weights and tokenizer.json, GGUF files, or names on the hub that are in its cache; a model's width is its hidden size",
        ["models/llama-64", "models/llama-128"],
      ),
      task: field(
        z.looseObject({ kind: z.string() }),
        "what is learnt and judged: an object with the task's kind and its own fields",
        { kind: "text", train: ["novel.txt"], test: ["another.txt"] },
      ),
      schemes,
      sites: field(
        z.array(z.string().min(1)).min(1),
        "the adapted layers by the last part of their names, as PEFT's target_modules",
        ["q_proj", "v_proj"],
      ),
      layers: field(
        z.array(z.int().min(0)).min(1),
        "the blocks that these layers stand in, counted from 0, as PEFT's layers_to_transform; all if left out: integers ≥ 0, one at least",
        [10, 11],
      ).exactOptional(),
      rank: count(1, "the rank", 8).default(8),
      alpha: field(positive, "α: B A is multiplied by α / rank: a number > 0", 16).default(16),
      rankStabilised: field(z.boolean(), "whether B A is multiplied by α / √rank: true or false", false).default(false),
      rates,
      ratio,
      seeds,
      steps: count(1, "training steps", 100).exactOptional(),
      epochs: field(positive, "how often all examples are seen, in place of steps: a number > 0", 3).exactOptional(),
      batch: count(1, "sequences of a batch", 8).default(8),
      length: count(2, "tokens of a sequence at most", 128).default(128),
      accumulate: count(1, "batches of a step", 1).default(1),
      warmup: count(0, "steps until the rate is reached", 0).default(0),
      decay: field(
        z.enum(["linear", "none"]).default("linear"),
        "how the rate goes after the warm-up: linear (to zero) or none",
        "linear",
      ),
      beta1: beta("the mean", 0.9),
      beta2: beta("the square", 0.999),
      epsilon: field(positive, "Adam's ε: a number > 0", 1e-8).default(1e-8),
      weightDecay: field(z.number().min(0), "decoupled weight decay: a number ≥ 0", 0).default(0),
      clip: field(
        z.union([positive, z.literal("none")]).default("none"),
        "the joint norm that gradients are clipped to: a number > 0, or none",
        1,
      ),
      record: field(
        z.array(z.int().min(1)).default([]),
        "the steps at which sizes are measured at every adapted layer: integers ≥ 1; 1 measures the start too",
        [1, 100],
      ),
      precision: precision(TUNING_PRECISIONS),
      engine: field(
        z.enum(TUNING_ENGINES).default(TUNING_ENGINES[0]),
        `what computes it: ${TUNING_ENGINES.join(", ")}`,
        TUNING_ENGINES[0],
      ),
      torch: field(
        z.strictObject({
          processes: count(1, "processes that share each batch, one a card", 2).default(1),
          sharded: field(z.boolean(), "whether they share the weights too (FSDP): true or false", true).default(false),
          recompute: field(
            z.boolean(),
            "whether a block's values are computed again on the way back, which saves memory: true or false",
            true,
          ).default(false),
          threads: count(1, "threads of a process on a CPU", 4).default(1),
        }),
        "how engine: torch computes: processes, sharded, recompute, threads",
        { processes: 2, sharded: true },
      ).exactOptional(),
      expected: field(
        z.strictObject({
          models: z
            .array(z.strictObject({ config: z.looseObject({ model_type: z.string() }), parameters: whole }))
            .min(1),
          sequences: whole,
          classes: z.union([whole, z.null()]),
          judged: z.strictObject({ sequences: whole, tokens: whole, generated: z.int().min(0).default(0) }),
        }),
        "what `--plan` reckons with where files are not there yet: each model's config.json and how many numbers its weights are, sequences of an epoch, classes or null, and what is judged: sequences, their tokens, and all tokens that are generated",
        {
          models: [{ config: { model_type: "llama", hidden_size: 64 }, parameters: 100_000 }],
          sequences: 1000,
          classes: null,
          judged: { sequences: 100, tokens: 128 },
        },
      ).exactOptional(),
    })
    .refine(({ engine, torch }) => engine === "torch" || torch === undefined, { path: ["torch"] })
    .refine(({ steps, epochs }) => (steps === undefined) !== (epochs === undefined), { path: ["steps"] }),
  "finetune",
)

/** A sweep of fine-tunings, with what its files say once they are read. */
export type FineTuneSweep = z.infer<typeof FineTune> & { readonly facts?: TuningFacts }
