/** What a model is fine-tuned on and how it is told to be good: plain data, whoever reads it from files. */
import type { z } from "zod"
import type { TextTask } from "./text.js"

/** A task with its texts in memory. */
export interface TuningTask {
  /** "text", "glue mnli", "gsm8k". */
  readonly name: string
  readonly train: TextTask
  readonly evaluation: Evaluation
  readonly metric: Metric
}

/** What an evaluation comes to. */
export const METRICS = {
  /** e to the mean loss of a token. */
  perplexity: "lower",
  accuracy: "higher",
  /** Matthews' correlation of two classes (CoLA). */
  matthews: "higher",
  /** The harmonic mean of precision and recall of class 1 (MRPC, QQP). */
  f1: "higher",
  /** The share of generated answers that equal what is asked for. */
  exact_match: "higher",
} as const satisfies Readonly<Record<string, "lower" | "higher">>
export type Metric = keyof typeof METRICS

/** How a trained model is judged, on texts that it was not trained on. */
export type Evaluation =
  | {
      /** The likelihood of running texts, in windows that overlap: each token is told once, from what is before it. */
      readonly kind: "perplexity"
      readonly texts: readonly string[]
      /** Tokens of a window, and how many of them are new in the next one. */
      readonly length: number
      readonly stride: number
    }
  | {
      /** The likeliest class of each example. */
      readonly kind: "classes"
      readonly examples: Extract<TextTask, { kind: "classification" }>["examples"]
    }
  | {
      /** The likeliest of some continuations of a prompt, by their tokens' summed log-likelihood (MMLU). */
      readonly kind: "options"
      readonly questions: readonly {
        readonly prompt: string
        readonly options: readonly string[]
        /** The right one's place, from 0. */
        readonly answer: number
      }[]
    }
  | {
      /** What is generated, greedily, behind a prompt; its last number, or all of it, is compared (GSM8K). */
      readonly kind: "answers"
      readonly questions: readonly { readonly prompt: string; readonly answer: string }[]
      readonly compare: "number" | "text"
      /** Generated tokens at most. */
      readonly most: number
    }

/** A kind of task: what a configuration says of it, and how its texts are read. */
export interface TaskReader<F> {
  /** The schema of the fields; `kind` is the kind's name. */
  readonly fields: z.ZodType<F>
  /**
   * @param open the place of a file that a field names, which may be relative to the configuration's folder.
   * @throws InputError naming the field ("task.train") for what cannot be read.
   */
  read(fields: F, open: (path: string) => string): Promise<TuningTask>
}
