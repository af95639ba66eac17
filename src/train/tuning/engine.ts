/**
 * LoRA on a pretrained model by whoever computes it: what an engine is given, and what it answers.
 *
 * Starts and batches are made here and given as numbers, so that the same seed gives every engine the same run.
 */
import type { WrittenTensor } from "../../checkpoint/writeSafetensors.js"
import type { AdamW, Schedule } from "../adamw.js"
import type { Batch } from "./batch.js"
import type { AdaptedModules } from "./trained.js"

/** What can compute a fine-tuning, by names that are part of a run's identity; the first is the default. */
export const TUNING_ENGINES = ["graph", "torch"] as const
export type TuningEngineName = (typeof TUNING_ENGINES)[number]

/** How the engine `torch` computes. */
export interface TorchSettings {
  /** How many processes share each batch: one a card. */
  readonly processes?: number
  /** Whether they share the weights too (FSDP): for a model that one card does not hold. */
  readonly sharded?: boolean
  /** Whether a block's values are computed again on the way back: less memory, about a third more time. */
  readonly recompute?: boolean
  /** Threads of a process on a CPU. */
  readonly threads?: number
}

/** The formats of a fine-tuning: of the frozen weights and of what is computed; adapters are always float32. */
export const TUNING_PRECISIONS = ["float32", "bfloat16", "float16"] as const
export type TuningPrecision = (typeof TUNING_PRECISIONS)[number]

/** Computes fine-tunings, one after the other or side by side. */
export interface TuningEngine {
  readonly name: TuningEngineName
  /** Starts nothing. @throws TuningFailure with the line to install, behind a semicolon, where something is missing. */
  check(): Promise<void>
  /**
   * Reads the model and puts the adapters where they start.
   *
   * @throws InputError for a model, site or precision that the engine does not have; TuningFailure as `OpenTuning`.
   */
  open(job: TuningJob): Promise<OpenTuning>
  /** Ends what the engine started: the processes of workers. */
  close(): Promise<void>
}

/** A fine-tuning before its first step. There is no dropout. */
export interface TuningJob extends AdaptedModules {
  /** A folder with config.json and weights, or a GGUF file. */
  readonly checkpoint: string
  readonly rank: number
  /** What B A is multiplied by: α / r or α / √r. */
  readonly scale: number
  /** How many classes a sequence may have; null where the next token is told. */
  readonly classes: number | null
  /**
   * All that is adapted or trained, where it starts: each module's A (rank × input) and B (output × rank), then the
   * layer that classifies. Names as in a PEFT adapter's file without "base_model.model.": "….q_proj.lora_A.weight",
   * "classifier.weight".
   */
  readonly start: readonly WrittenTensor[]
  /** The rate of each of these over the schedule's; 0 for one that stays as it is. */
  readonly factors: readonly number[]
  readonly optimiser: Omit<AdamW, "rate">
  readonly schedule: Schedule
  /** The joint norm that all gradients are clipped to; null for none. */
  readonly clip: number | null
  readonly precision: TuningPrecision
}

/** A fine-tuning that is under way. @throws TuningFailure from each method if what computes it died. */
export interface OpenTuning {
  /**
   * The program that computes, with its version and device: "onnxruntime-node 1.30.0 cpu", "torch 2.13.0+cpu
   * transformers 5.24.0 peft 0.21.2 cpu".
   */
  readonly engine: string
  /** Deaths of what computes it that it outlived, a sentence each. */
  readonly survived: readonly string[]
  /**
   * Takes the next step on the mean gradient of the batches.
   *
   * @param record whether sizes are to be measured: `StepTaken.sites` is empty if not.
   */
  step(batches: readonly Batch[], record: boolean): Promise<StepTaken>
  /**
   * The log-likelihood of what each sequence is told: the sum over its tokens whose label counts, or that of its class.
   */
  likelihoods(batch: Batch): Promise<readonly number[]>
  /** The log-likelihood of every class, a list for each sequence; whatever the batch's labels are. */
  classLikelihoods(batch: Batch): Promise<readonly (readonly number[])[]>
  /**
   * Each prompt's likeliest next tokens, one after the other; @param most how many at most. They end before one of
   * `stop`.
   */
  generate(
    prompts: readonly (readonly number[])[],
    most: number,
    stop: readonly number[],
  ): Promise<readonly (readonly number[])[]>
  /** What is trained as it is now, in the order of `TuningJob.start`. */
  values(): Promise<readonly Float32Array[]>
  close(): Promise<void>
}

/** A step as it was taken. */
export interface StepTaken {
  /** The batches' mean loss before the step. */
  readonly loss: number
  /** The gradients' joint norm before clipping. */
  readonly norm: number
  readonly sites: readonly SiteSizes[]
}

/**
 * The sizes at a step t of each module: root mean squares over entries, with Z the input of the module in some tokens
 * of the step's last batch and s what B A is multiplied by.
 *
 * A's and B's changes Δ are by step t, Z is that which the step read, and all else is after it. Step 0 (with step 1)
 * has zA, zB, a and b at the start. As python/lora_scaling_recorder.py measures.
 */
export interface SiteSizes {
  readonly step: number
  /** "model.layers.0.self_attn.q_proj". */
  readonly module: string
  readonly sizes: Readonly<Partial<Record<SizeName, number>>>
}

/**
 * What is measured at a module:
 *
 * zA: A Z; zB: s B A Z; a: A; b: B; delta1: s B ΔA Z; delta2: s ΔB A Z; delta3: s ΔB ΔA Z, with A and B before the step;
 * deltaZB: their sum; change: s (B A − B₀ A₀) Z; movedA: A − A₀; movedB: B − B₀, where the start is that of the run.
 */
export type SizeName =
  | ("zA" | "zB" | "a" | "b")
  | ("delta1" | "delta2" | "delta3" | "deltaZB")
  | ("change" | "movedA" | "movedB")

/** How many tokens of a batch Z has at most; padding is none of them. */
const MEASURED_TOKENS = 64

/**
 * Which of a batch's tokens Z has: of all but padding, one sequence behind the other, every k-th from the first, k = ⌊tokens / 64⌋
 * but at least 1, and of these the first 64.
 */
export function measuredTokens(count: number): number[] {
  const stride = Math.max(1, Math.floor(count / MEASURED_TOKENS))
  return Array.from({ length: Math.min(MEASURED_TOKENS, Math.ceil(count / stride)) }, (_, i) => i * stride)
}

/** Why an engine could not go on, through no fault of the job: it is missing, or its process died. */
export class TuningFailure extends Error {}
