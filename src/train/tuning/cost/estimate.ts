import type { TorchSettings, TuningPrecision } from "../engine.js"
import type { Card } from "./cards.js"
import { type ModelSizes, type StepWork, stepWork, type TunedPart, vocabularyOf } from "./work.js"

/** A fine-tuning as its cost is reckoned. */
export interface CostedTuning {
  readonly model: ModelSizes
  readonly part: TunedPart
  readonly precision: TuningPrecision
  /** Sequences of a batch, batches of a step, steps of a run. */
  readonly size: number
  readonly accumulate: number
  readonly steps: number
  /** How processes share it, each on a card. */
  readonly torch?: TorchSettings
  /** What is judged at the end of a run; null if nobody said it. */
  readonly judged: Judged | null
}

/** An evaluation: so many sequences of so many tokens are read, and so many tokens are generated, one at a time. */
export interface Judged {
  readonly sequences: number
  readonly tokens: number
  readonly generated: number
}

/** What a run takes on cards of a kind. */
export interface CardEstimate {
  /** Bytes of memory of each card: of the weights, of what is trained with Adam's state, of activations, of the loss's logits. */
  readonly bytes: number
  readonly fits: boolean
  /** Seconds of training, and of the evaluation at the end. */
  readonly training: number
  readonly judging: number
}

/**
 * The share of a card's peak that products of a fine-tuning reach: an assumption, as large models report
 * (PaLM's 46 %, arXiv 2204.02311, table 3; Llama 3's 38 to 43 %, arXiv 2407.21783, table 4). Small ones reach less.
 */
export const UTILISATION = 0.4

/** What a process has before any model: libraries, and on a card its context. */
const CONTEXT = 1e9

/** Of a trained number: value, gradient and Adam's two moments, in float32. */
const TRAINED_BYTES = 16

/**
 * How much more autograd keeps in 16 bits than the numbers alone: transformers computes norms in float32.
 * test/train/tuning/cost/work.test.ts counts it.
 */
const WIDER_NORMS = 1.2

/** Tensors of float32 that the loss of the next token makes of the logits: themselves, their log-softmax, its gradient. */
const LOGITS = 3

/** Memory of each card and time of a run by the engine `torch`; talk between cards is not counted. */
export function onCard(card: Card, tuning: CostedTuning): CardEstimate {
  const { model, part, size, accumulate, steps, judged, torch = {} } = tuning
  const work = stepWork(model, part)
  const bytes = torchBytes(tuning, work)
  const own = UTILISATION * card.peak[tuning.precision === "float32" ? "single" : "half"]
  const speed = own * (torch.processes ?? 1)
  const passes = work.backward + work.forward + (torch.recompute ? work.forward - work.lower : 0)
  const training = (steps * accumulate * size * passes) / speed
  const reading = judged === null ? 0 : (judged.sequences * judged.tokens * (work.forward / part.tokens)) / speed
  // To generate a token all weights are read; cards that share batches each do it.
  const token = Math.max((2 * model.parameters) / own, (width(tuning.precision) * model.parameters) / card.bandwidth)
  const judging = reading + (judged === null ? 0 : judged.generated * token)
  return { bytes, fits: bytes <= card.memory, training, judging }
}

/** Bytes that the engine `torch` takes where each of its processes computes, on a card or not. */
export function torchBytes(
  { model, part, precision, size, torch = {} }: Omit<CostedTuning, "accumulate" | "steps" | "judged">,
  { kept, block, blocks, trained }: StepWork,
): number {
  const own = width(precision)
  const { processes = 1, sharded = false, recompute = false } = torch
  const { hidden } = model.shape
  // A block that is computed again keeps its input alone, but for the one that is under way.
  const held = recompute ? kept - (blocks - 1) * block + blocks * part.tokens * hidden : kept
  const sequences = Math.ceil(size / processes)
  const activations = sequences * held * own * (own === 2 ? WIDER_NORMS : 1)
  const logits = part.classes === null ? sequences * part.tokens * vocabularyOf(model) * 4 * LOGITS : 0
  return CONTEXT + (own * model.parameters) / (sharded ? processes : 1) + TRAINED_BYTES * trained + activations + logits
}

/** Bytes of a number. */
function width(precision: TuningPrecision): number {
  return precision === "float32" ? 4 : 2
}
