/** What became of a run: a value, or a word that says why there is none. */
import type { Column } from "./table.js"

/** Why a run has no value: its numbers overflowed; it was ended before its last step; nothing was written down. */
export type Failure = "diverged" | "unfinished" | "missing"

/** A run's end: the value, or the failure and the word that said it. */
export type Outcome =
  | { readonly kind: "value"; readonly value: number }
  | { readonly kind: Failure; readonly word: string }

/** The words for each failure, in lower case; "empty" stands for a cell without text. */
const WORDS: Readonly<Record<Failure | "finished", readonly string[]>> = {
  diverged: words(
    "nan -nan +nan inf -inf +inf infinity -infinity +infinity ∞ -∞ .nan .inf -.inf #num! diverged divergence exploded overflow 1.#inf -1.#inf 1.#qnan 1.#ind -1.#ind 1.#snan",
  ),
  unfinished: [
    ...words(
      "oom crashed crash fail failed failure error killed pruned running waiting queued pending preempted preempting cancelled canceled aborted interrupted stopped unfinished timeout timed_out",
    ),
    "out of memory",
    "cuda oom",
    "timed out",
  ],
  missing: ["empty", ...words("na n/a #n/a <na> none null nil missing - -- --- – — ? . nat undefined")],
  finished: words("finished complete completed done success succeeded ok converged"),
}

function words(text: string): string[] {
  return text.split(" ")
}

/** Words with a meaning of the user's own, before those that are known. */
export type OwnWords = Partial<Record<Failure | "finished", readonly string[]>>

/** What a text says of a run, by the user's words and the known ones; null if it is none of them. */
export type Meaning = (text: string) => Failure | "finished" | null

/** How words are read, the user's own first. */
export function meaningOf(own: OwnWords): Meaning {
  const known = new Map<string, Failure | "finished">()
  for (const source of [WORDS, own])
    for (const [kind, list] of Object.entries(source) as [Failure | "finished", readonly string[]][])
      for (const word of list) known.set(word.toLowerCase(), kind)
  return (text) =>
    known.get(text === "" ? "empty" : text.toLowerCase().replace(/^trialstate\.|^[−–](?=nan|inf)/, "")) ?? null
}

/**
 * The outcome that a cell tells.
 *
 * @throws InputError naming file, row, column and text for a cell that is neither a number nor a known word.
 */
export function outcomeOf(column: Column, row: number, meaning: Meaning): Outcome {
  const text = column.text(row)
  const value = column.value(row)
  if (value !== null) return Number.isFinite(value) ? { kind: "value", value } : { kind: "diverged", word: text }
  const kind = meaning(text)
  if (kind !== null && kind !== "finished") return { kind, word: text === "" ? "empty" : text }
  throw column.refusal(
    row,
    "a number, or a word for a run without one, such as nan, diverged, OOM, crashed, NA; --diverged, --unfinished and --missing name others",
    `--unfinished ${JSON.stringify(text)}`,
  )
}

/** Names of columns that say how a run ended. */
export const STATES = ["state", "status", "outcome", "run_state", "trial_state"]

/** The column that says how runs ended: one of that name whose every cell is a known word; null if there is none. */
export function stateColumn(column: Column | null, meaning: Meaning): Column | null {
  if (column === null) return null
  const seen = new Set<string>()
  for (let row = 0; row < column.table.length; row++) seen.add(column.text(row))
  return [...seen].every((text) => text === "" || meaning(text) !== null) ? column : null
}
