/** Texts as batches of tokens: in an order of the seed, padded to the longest of a batch. */
import type { PretrainedConfig } from "../../checkpoint/pretrainedConfig.js"
import type { TextTokenizer } from "../../checkpoint/tokenizer.js"
import { InputError } from "../../inputError.js"
import { uniforms } from "../random.js"
import { type Batch, IGNORED } from "./batch.js"

/** A text, or a pair of texts, and its class. */
export interface Example {
  readonly text: string
  readonly pair?: string
  readonly label: number
}

/** A text and what is to be said behind it, followed by the token that ends a text. */
export interface Completion {
  readonly prompt: string
  readonly completion: string
}

/** What is learnt: the next token of running texts or of what follows prompts, or the classes of examples. */
export type TextTask =
  | { readonly kind: "causal"; readonly texts: readonly string[] }
  | { readonly kind: "completion"; readonly examples: readonly Completion[] }
  | { readonly kind: "classification"; readonly examples: readonly Example[]; readonly classes: number }

/** How texts become batches. */
export interface Batching {
  /** Sequences in a batch. */
  readonly size: number
  /**
   * The most tokens of a sequence. Examples are cut there, but keep their last token; prompts are cut in front, where
   * they and what follows are longer; running texts become blocks of this length.
   */
  readonly length: number
  readonly seed: number
  /** How many batches make a step. */
  readonly accumulate: number
}

/** A sequence before it is padded. */
export interface Sequence {
  readonly ids: readonly number[]
  readonly segments: readonly number[]
  /** A class, or a label for each token. */
  readonly label: number | readonly number[]
}

/**
 * The batch of step t ≥ 1 and its part from 0: every epoch goes through all sequences once, in an order of its own.
 *
 * @throws InputError as `textSequences`, or for sizes that are no positive integers.
 */
export function textBatches(
  { padding }: Pick<PretrainedConfig, "padding">,
  tokenizer: TextTokenizer,
  task: TextTask,
  batching: Batching,
): (step: number, part: number) => Batch {
  for (const field of ["size", "length", "accumulate"] as const) {
    const given = batching[field]
    if (!Number.isInteger(given) || given < 1)
      throw new InputError({ field, given, allowed: "an integer ≥ 1", example: `${field}: 8` })
  }
  return batchesOf(textSequences(tokenizer, task, batching.length), padding, batching)
}

/** The batches of sequences that are tokens already, as `textBatches`. */
export function batchesOf(
  sequences: readonly Sequence[],
  padding: number | null,
  { size, seed, accumulate }: Omit<Batching, "length">,
): (step: number, part: number) => Batch {
  const orders = new Map<number, readonly number[]>()
  const orderOf = (epoch: number) => {
    const known = orders.get(epoch) ?? shuffled(sequences.length, seed, epoch)
    // A step looks at this epoch and the next.
    if (orders.size > 2) orders.clear()
    orders.set(epoch, known)
    return known
  }
  return (step, part) => {
    const first = ((step - 1) * accumulate + part) * size
    const own = Array.from({ length: size }, (_, i) => {
      const at = first + i
      return sequences[orderOf(Math.floor(at / sequences.length))[at % sequences.length]!]!
    })
    return padded(own, padding ?? 0)
  }
}

/**
 * What a task trains on, as tokens.
 *
 * @throws InputError for texts too short for a single sequence.
 */
export function textSequences(tokenizer: TextTokenizer, task: TextTask, length: number): Sequence[] {
  const sequences = sequencesOf(tokenizer, task, length)
  if (sequences.length > 0) return sequences
  throw new InputError({
    field: task.kind === "causal" ? "texts" : "examples",
    given: "no sequence",
    allowed: `at least one, of ${length} tokens where texts run on`,
    example: "a longer text, or a shorter length",
  })
}

function sequencesOf(tokenizer: TextTokenizer, task: TextTask, length: number): Sequence[] {
  if (task.kind === "causal") return blocks(tokenizer, task.texts, length)
  if (task.kind === "completion") return task.examples.map((example) => completed(tokenizer, example, length))
  return task.examples.map(cut(tokenizer, length))
}

/**
 * The tokens of a prompt and of what is said behind it with labels for the latter alone, cut in front where they are too
 * many. Each is read by itself, so that the prompt's tokens do not depend on what follows.
 */
export function completed(
  tokenizer: TextTokenizer,
  { prompt, completion }: Completion,
  length: number,
  ended = true,
): Sequence {
  const [before, behind] = [tokenizer.encode(prompt).ids, tokenizer.continued(completion)]
  const said = ended && tokenizer.end !== null ? [...behind, tokenizer.end] : behind
  const ids = [...before, ...said].slice(-length)
  const label = [...before.map(() => IGNORED), ...said].slice(-length)
  return { ids, segments: ids.map(() => 0), label }
}

/** An example's tokens, cut at the end but for the last one, which closes it. */
export function cut(tokenizer: TextTokenizer, length: number): (example: Example) => Sequence {
  return ({ text, pair, label }) => {
    const { ids, segments } = tokenizer.encode(text, pair)
    const short = (of: readonly number[]) => (of.length <= length ? of : [...of.slice(0, length - 1), of.at(-1)!])
    return { ids: short(ids), segments: short(segments), label }
  }
}

/** Running texts one after the other, in blocks of the same length; what is left at the end is left out. */
function blocks(tokenizer: TextTokenizer, texts: readonly string[], length: number): Sequence[] {
  const all = texts.flatMap((text) => [...tokenizer.encode(text).ids])
  return Array.from({ length: Math.floor(all.length / length) }, (_, i) => {
    const ids = all.slice(i * length, (i + 1) * length)
    return { ids, segments: new Array<number>(length).fill(0), label: ids }
  })
}

/** Sequences padded behind to the length of the longest. */
export function padded(sequences: readonly Sequence[], padding: number): Batch {
  const length = Math.max(...sequences.map(({ ids }) => ids.length))
  const filled = (of: readonly number[], by: number) => [...of, ...new Array<number>(length - of.length).fill(by)]
  const labels = sequences.map(({ label }) => (typeof label === "number" ? label : filled(label, IGNORED)))
  return {
    ids: sequences.map(({ ids }) => filled(ids, padding)),
    segments: sequences.map(({ segments }) => filled(segments, 0)),
    mask: sequences.map(({ ids }) =>
      filled(
        ids.map(() => 1),
        0,
      ),
    ),
    labels: labels as Batch["labels"],
  }
}

/** Fisher–Yates. */
function shuffled(count: number, seed: number, epoch: number): number[] {
  const uniform = uniforms(seed, `order of epoch ${epoch}`)
  const order = Array.from({ length: count }, (_, i) => i)
  for (let i = count - 1; i > 0; i--) {
    const j = Math.floor(uniform() * (i + 1))
    ;[order[i], order[j]] = [order[j]!, order[i]!]
  }
  return order
}
