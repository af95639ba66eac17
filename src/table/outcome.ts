/** What became of a run: a value, or a word that says why there is none. */
import type { Column, Table } from "./table.js"

/** Why a run has no value: its numbers overflowed; it was ended before its last step; nothing was written down. */
export type Failure = "diverged" | "unfinished" | "missing"

/** A run's end: the value, or the failure and the word that said it. */
export type Outcome =
  | { readonly kind: "value"; readonly value: number }
  | { readonly kind: Failure; readonly word: string }

/** The words for each failure, in lower case; "empty" stands for a cell without text. */
const WORDS: Readonly<Record<Failure | "finished", readonly string[]>> = {
  diverged: words(
    "nan -nan +nan inf -inf +inf infinity -infinity +infinity ∞ -∞ .nan .inf -.inf #num! #zahl! #nombre! diverged divergence exploded overflow 1.#inf -1.#inf 1.#qnan 1.#ind -1.#ind 1.#snan",
  ),
  unfinished: [
    ...words(
      "oom crashed crash fail failed failure error killed pruned running waiting queued pending preempted preempting cancelled canceled aborted interrupted stopped unfinished timeout timed_out",
    ),
    "out of memory",
    "cuda out of memory",
    "outofmemoryerror",
    "torch.cuda.outofmemoryerror",
    "torch.outofmemoryerror",
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
    // "1.07 ± 0.01" is no word: what is asked for is its number.
    /^[-+]?[\d.,]+/.exec(text)?.[0] ?? `--unfinished ${JSON.stringify(text)}`,
  )
}

/** Where a table says how runs ended, beside their values. */
export interface EndingWords {
  /** The columns' names, for people. */
  readonly name: string
  readonly columns: readonly Column[]
  /** The word for a row; empty where there is none. */
  readonly word: (row: number) => string
}

/** A column of words. */
export function wordState(column: Column): EndingWords {
  return { name: column.name, columns: [column], word: (row) => column.text(row) }
}

/** Names of columns that say how a run ended. */
const STATES = ["state", "status", "outcome", "run_state", "trial_state"]

/**
 * What says how runs ended: a column of the usual names whose every cell is a known word; else columns that are named
 * by a failure and say of each row whether it is one (diverged: True). Null if there is neither.
 *
 * @param used names of columns that mean something else.
 */
export function stateOf(
  table: Table,
  used: ReadonlySet<string | null | undefined>,
  meaning: Meaning,
): EndingWords | null {
  const free = table.columns.filter((name) => !used.has(name))
  const named = free.find((name) => STATES.includes(name.toLowerCase()))
  if (named !== undefined) {
    const column = table.column(named)
    const texts = textsOf(column)
    if (texts.some((text) => text !== "") && texts.every((text) => text === "" || meaning(text) !== null))
      return wordState(column)
  }
  const flags = free
    .filter((name) => ["diverged", "unfinished"].includes(meaning(name.replace(/^(?:is|has|was)_/i, "")) ?? ""))
    .map((name) => table.column(name))
    .filter((column) => {
      const texts = textsOf(column)
      return texts.some((text) => TRUE.test(text)) && texts.every((text) => TRUE.test(text) || FALSE.test(text))
    })
  if (flags.length === 0) return null
  const failure = (column: Column) => column.name.replace(/^(?:is|has|was)_/i, "")
  return {
    name: flags.map(({ name }) => name).join(", "),
    columns: flags,
    word: (row) => flags.filter((column) => TRUE.test(column.text(row))).map(failure)[0] ?? "",
  }
}

const TRUE = /^(?:true|yes|y|1)$/i
const FALSE = /^(?:false|no|n|0|)$/i

function textsOf(column: Column): string[] {
  const seen = new Set<string>()
  for (let row = 0; row < column.table.length; row++) seen.add(column.text(row))
  return [...seen]
}
