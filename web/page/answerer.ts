import type { Asked, QuestionKind, Questions, Refusal, Reply } from "../messages.js"

/** How a question ended. */
export type Outcome<K extends QuestionKind> =
  | { readonly answer: Questions[K]["answer"] }
  | { readonly refusal: Refusal }

interface Waiting {
  readonly kind: QuestionKind
  readonly asked: unknown
  readonly done: (outcome: Outcome<QuestionKind>) => void
}

/** A question that runs for so long, in ms, is given up once another one waits. */
const PATIENCE = 1500

/**
 * A worker that answers one question at a time, of each kind the newest: those that came between are never answered.
 *
 * A derivation cannot be interrupted, so where one is in the way of another for long its worker is ended and begun
 * anew.
 */
export class Answerer {
  private worker: Worker | null = null
  private running: (Waiting & { readonly id: number; readonly since: number }) | null = null
  private readonly waiting = new Map<QuestionKind, Waiting>()
  private count = 0
  private readonly file: string

  constructor(file: string) {
    this.file = file
  }

  /** Asks; `done` is called once, unless a newer question of the kind comes before the answer. */
  ask<K extends QuestionKind>(kind: K, asked: Questions[K]["asked"], done: (outcome: Outcome<K>) => void): void {
    this.waiting.set(kind, { kind, asked, done: done as Waiting["done"] })
    if (this.running === null) this.next()
    else setTimeout(() => this.giveUp(), PATIENCE + 1)
  }

  private giveUp(): void {
    if (this.running === null || performance.now() - this.running.since < PATIENCE) return
    if (!this.waiting.has(this.running.kind)) return
    this.worker?.terminate()
    this.worker = null
    this.running = null
    this.next()
  }

  private next(): void {
    const [first] = this.waiting.values()
    if (first === undefined) return
    this.waiting.delete(first.kind)
    this.running = { ...first, id: ++this.count, since: performance.now() }
    this.worker ??= this.started()
    this.worker.postMessage({ id: this.count, kind: first.kind, asked: first.asked } satisfies Asked)
  }

  private started(): Worker {
    const worker = new Worker(new URL(this.file, document.baseURI), { type: "module" })
    worker.onmessage = ({ data }: MessageEvent<Reply>) => {
      const { running } = this
      if (running === null || data.id !== running.id) return
      this.running = null
      if (!this.waiting.has(running.kind)) running.done(data as Outcome<QuestionKind>)
      this.next()
    }
    return worker
  }
}
