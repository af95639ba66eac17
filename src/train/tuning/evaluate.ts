/** A trained model judged by a task's evaluation. */
import type { TextTokenizer } from "../../checkpoint/tokenizer.js"
import { InputError } from "../../inputError.js"
import { IGNORED } from "./batch.js"
import type { OpenTuning } from "./engine.js"
import { CLASS_METRICS, lastNumber } from "./metrics.js"
import type { Evaluation, TuningTask } from "./task.js"
import { completed, cut, padded, type Sequence } from "./text.js"

/** How sequences are put together. */
export interface Evaluating {
  /** Sequences in a batch. */
  readonly size: number
  /** The most tokens of an example, or of a prompt with what follows. */
  readonly length: number
  /** The token that pads. */
  readonly padding: number
}

/** What a trained model's evaluation comes to. */
export async function evaluate(
  tuning: OpenTuning,
  tokenizer: TextTokenizer,
  { evaluation, metric }: Pick<TuningTask, "evaluation" | "metric">,
  how: Evaluating,
): Promise<number> {
  switch (evaluation.kind) {
    case "perplexity":
      return perplexity(tuning, tokenizer, evaluation, how)
    case "classes": {
      const sequences = evaluation.examples.map(cut(tokenizer, how.length))
      const likelihoods = await inBatches(sequences, how, (batch) => tuning.classLikelihoods(batch))
      const right = evaluation.examples.map(({ label }) => label)
      return CLASS_METRICS[metric]!(likelihoods.map(likeliest), right)
    }
    case "options": {
      const { questions } = evaluation
      const sequences = questions.flatMap(({ prompt, options }) =>
        options.map((completion) => completed(tokenizer, { prompt, completion }, how.length, false)),
      )
      const likelihoods = await inBatches(sequences, how, (batch) => tuning.likelihoods(batch))
      let first = 0
      const predicted = questions.map(({ options }) => {
        first += options.length
        return likeliest(likelihoods.slice(first - options.length, first))
      })
      const right = questions.map(({ answer }) => answer)
      return CLASS_METRICS[metric]!(predicted, right)
    }
    case "answers":
      return answered(tuning, tokenizer, evaluation, how)
  }
}

/** e to the mean loss of all tokens but each text's first, each told once from up to a window before it. */
async function perplexity(
  tuning: OpenTuning,
  tokenizer: TextTokenizer,
  { texts, length, stride }: Extract<Evaluation, { kind: "perplexity" }>,
  how: Evaluating,
): Promise<number> {
  const windows = texts.flatMap((text) => textWindows(tokenizer.encode(text).ids, length, stride))
  const likelihoods = await inBatches(windows, how, (batch) => tuning.likelihoods(batch))
  const told = windows.reduce((sum, { label }) => sum + counted(label as readonly number[]), 0)
  if (told === 0)
    throw new InputError({
      field: "task.test",
      given: "no token behind the first",
      allowed: "texts of two tokens at least",
      example: "a longer text",
    })
  return Math.exp(-likelihoods.reduce((sum, each) => sum + each, 0) / told)
}

/**
 * Windows over a text, each behind the one before by the stride; labels are those of the tokens that are new in it.
 *
 * Source: huggingface.co/docs/transformers/perplexity.
 */
export function textWindows(ids: readonly number[], length: number, stride: number): Sequence[] {
  const windows: Sequence[] = []
  for (let first = 0, told = 1; told < ids.length; first += stride) {
    const end = Math.min(first + length, ids.length)
    const own = ids.slice(first, end)
    windows.push({ ids: own, segments: own.map(() => 0), label: own.map((id, i) => (first + i < told ? IGNORED : id)) })
    told = end
  }
  return windows
}

function counted(label: readonly number[]): number {
  return label.filter((each, i) => i > 0 && each !== IGNORED).length
}

/** The share of prompts behind which the right answer is generated. */
async function answered(
  tuning: OpenTuning,
  tokenizer: TextTokenizer,
  { questions, compare, most }: Extract<Evaluation, { kind: "answers" }>,
  { length, size }: Evaluating,
): Promise<number> {
  const stop = tokenizer.end === null ? [] : [tokenizer.end]
  const asked = compare === "number" ? lastNumber : (text: string) => text.trim()
  const prompts = questions.map(({ prompt, answer }) => ({
    ids: tokenizer.encode(prompt).ids.slice(-Math.max(1, length - most)),
    answer: asked(answer),
  }))
  // Prompts of like length stand together.
  prompts.sort((x, y) => x.ids.length - y.ids.length)
  let right = 0
  for (let first = 0; first < prompts.length; first += size) {
    const own = prompts.slice(first, first + size)
    const said = await tuning.generate(
      own.map(({ ids }) => ids),
      most,
      stop,
    )
    right += own.filter(({ answer }, i) => answer !== null && asked(tokenizer.decode(said[i]!)) === answer).length
  }
  return right / questions.length
}

/** What is found of each sequence; sequences of like length stand in one batch. */
async function inBatches<T>(
  sequences: readonly Sequence[],
  { size, padding }: Evaluating,
  find: (batch: ReturnType<typeof padded>) => Promise<readonly T[]>,
): Promise<T[]> {
  const order = sequences.map((_, i) => i).sort((x, y) => sequences[x]!.ids.length - sequences[y]!.ids.length || x - y)
  const found = new Array<T>(sequences.length)
  for (let first = 0; first < order.length; first += size) {
    const own = order.slice(first, first + size)
    const results = await find(
      padded(
        own.map((i) => sequences[i]!),
        padding,
      ),
    )
    own.forEach((i, k) => {
      found[i] = results[k]!
    })
  }
  return found
}

function likeliest(likelihoods: readonly number[]): number {
  return likelihoods.reduce((best, each, i) => (each > likelihoods[best]! ? i : best), 0)
}
