import { useEffect, useState } from "preact/hooks"
import type { QuestionKind, Questions, Refusal } from "../messages.js"
import { Answerer } from "./answerer.js"

const deriver = new Answerer("deriver.js")

/** The newest answer, and what is in the way of the next one. */
export interface Seen<T> {
  readonly answer: T | null
  readonly refusal: Refusal | null
  readonly pending: boolean
}

/** Asks whenever the question changes; the answer before stays until the next one comes. Null asks nothing. */
export function useAnswer<K extends QuestionKind>(
  kind: K,
  asked: Questions[K]["asked"] | null,
  isAsked = true,
): Seen<Questions[K]["answer"]> {
  const [seen, setSeen] = useState<Seen<Questions[K]["answer"]>>({ answer: null, refusal: null, pending: true })
  const key = JSON.stringify(asked)
  useEffect(() => {
    if (!isAsked) return
    setSeen((before) => ({ ...before, pending: true }))
    deriver.ask(kind, asked as Questions[K]["asked"], (outcome) =>
      setSeen((before) =>
        "answer" in outcome
          ? { answer: outcome.answer, refusal: null, pending: false }
          : { ...before, refusal: outcome.refusal, pending: false },
      ),
    )
  }, [kind, key, isAsked])
  return seen
}
