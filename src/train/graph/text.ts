/** Texts as batches of tokens: in an order of the seed, padded to the longest of a batch. */
import type { Pretrained } from "../../checkpoint/pretrained.js"
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

/** What is learnt: the next token of running texts, or the classes of examples. */
export type TextTask =
  | { readonly kind: "causal"; readonly texts: readonly string[] }
  | { readonly kind: "classification"; readonly examples: readonly Example[]; readonly classes: number }

/** How texts become batches. */
export interface Batching {
  /** Sequences in a batch. */
  readonly size: number
  /**
   * The most tokens of a sequence. Examples are cut there, but keep their last token; running texts become blocks of
   * this length.
   */
  readonly length: number
  readonly seed: number
  /** How many batches make a step. */
  readonly accumulate: number
}

interface Sequence {
  readonly ids: readonly number[]
  readonly segments: readonly number[]
  readonly label: number | null
}

/**
 * The batch of step t ≥ 1 and its part from 0: every epoch goes through all sequences once, in an order of its own.
 *
 * @throws InputError for texts too short for a single sequence, or sizes that are no positive integers.
 */
export function textBatches(
  { padding }: Pick<Pretrained, "padding">,
  tokenizer: TextTokenizer,
  task: TextTask,
  { size, length, seed, accumulate }: Batching,
): (step: number, part: number) => Batch {
  for (const [field, given] of Object.entries({ size, length, accumulate }))
    if (!Number.isInteger(given) || given < 1)
      throw new InputError({ field, given, allowed: "an integer ≥ 1", example: `${field}: 8` })
  const sequences =
    task.kind === "causal" ? blocks(tokenizer, task.texts, length) : task.examples.map(cut(tokenizer, length))
  if (sequences.length === 0)
    throw new InputError({
      field: task.kind === "causal" ? "texts" : "examples",
      given: "no sequence",
      allowed: `at least one, of ${length} tokens where texts run on`,
      example: "a longer text, or a shorter length",
    })
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

/** An example's tokens, cut at the end but for the last one, which closes it. */
function cut(tokenizer: TextTokenizer, length: number): (example: Example) => Sequence {
  return ({ text, pair, label }) => {
    const { ids, segments } = tokenizer.encode(text, pair)
    const short = (of: readonly number[]) => (of.length <= length ? of : [...of.slice(0, length - 1), of.at(-1)!])
    return { ids: short(ids), segments: short(segments), label }
  }
}

/** Running texts one after the other, in blocks of the same length; what is left at the end is left out. */
function blocks(tokenizer: TextTokenizer, texts: readonly string[], length: number): Sequence[] {
  const all = texts.flatMap((text) => [...tokenizer.encode(text).ids])
  return Array.from({ length: Math.floor(all.length / length) }, (_, i) => ({
    ids: all.slice(i * length, (i + 1) * length),
    segments: new Array<number>(length).fill(0),
    label: null,
  }))
}

function padded(sequences: readonly Sequence[], padding: number): Batch {
  const length = Math.max(...sequences.map(({ ids }) => ids.length))
  const filled = (of: readonly number[], by: number) => [...of, ...new Array<number>(length - of.length).fill(by)]
  const labels = sequences.map(({ ids, label }) => label ?? filled(ids, IGNORED))
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
