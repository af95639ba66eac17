/** Sequences of tokens as what a pretrained model's graph is fed. */
import type { Pretrained } from "../../checkpoint/pretrained.js"
import { InputError } from "../../inputError.js"

/** Sequences of equal length. */
export interface Batch {
  /** Tokens by their numbers. */
  readonly ids: readonly (readonly number[])[]
  /** 1 for a token, 0 for padding. */
  readonly mask: readonly (readonly number[])[]
  /** Segments by their numbers; all 0 if left out. Only BERT reads them. */
  readonly segments?: readonly (readonly number[])[]
  /**
   * A class a sequence; or of each token its own number, −100 where its loss does not count, to be told from those
   * before it; none is told from padding.
   */
  readonly labels: readonly number[] | readonly (readonly number[])[]
}

/** A token whose loss does not count. */
export const IGNORED = -100

/** Added to the score of a key that is padding: softmax gives it nothing. */
const PADDING = -1e9

/** Tensors of a batch by what a program calls them, row by row; sequences first. */
export interface Fed {
  /** Sequences × tokens × hidden: column by column. */
  readonly embedded: Float32Array
  /** Sequences × tokens; null where no key has to be hidden. */
  readonly padding: Float32Array | null
  /** Sequences × tokens × hidden, column by column, or sequences × classes. */
  readonly label: Float32Array
  /** Sequences × tokens, or one a sequence; they sum to 1. */
  readonly weight: Float32Array
  /** Sequences × tokens. */
  readonly picked: Float32Array | null
}

/**
 * Looks up what a batch's tokens, positions and segments are embedded as, and what they are to be told.
 *
 * @param classes how many there are; null where the next token is told.
 * @throws InputError for sequences that differ in length, a token, position, segment or class that the model lacks, and
 * a batch without a label.
 */
export function fed(model: Pretrained, batch: Batch, classes: number | null): Fed {
  const { ids, mask } = batch
  const tokens = ids[0]?.length ?? 0
  const refuse = (field: string, given: unknown, allowed: string, example: string) =>
    new InputError({ field, given, allowed, example })
  if (tokens === 0)
    throw refuse("batch", `${ids.length} sequences`, "at least one sequence with a token", "[[101, 102]]")
  for (const of of [ids, mask, ...(batch.segments === undefined ? [] : [batch.segments])])
    if (of.length !== ids.length || of.some(({ length }) => length !== tokens))
      throw refuse(
        "batch",
        of.map(({ length }) => length).join(", "),
        `${ids.length} sequences of ${tokens} tokens`,
        "[[101, 102]]",
      )
  const padding = paddingOf(model, mask)
  const embedded = embeddedOf(model, batch)
  if (classes !== null) return { embedded, padding, ...classesOf(model, batch, classes) }
  return { embedded, padding, ...nextTokens(model, batch), picked: null }
}

/** A causal model's tokens see nothing that comes after them, so padding behind them needs no mask. */
function paddingOf({ shape }: Pretrained, mask: Batch["mask"]): Float32Array | null {
  const isHidden = (own: readonly number[]) =>
    own.indexOf(0) !== -1 && (shape.rotary === null || own.indexOf(0) < own.lastIndexOf(1))
  if (!mask.some(isHidden)) return null
  return Float32Array.from(mask.flat(), (seen) => (seen === 0 ? PADDING : 0))
}

function embeddedOf({ shape: { hidden }, tables, padding }: Pretrained, { ids, segments }: Batch): Float32Array {
  const tokens = ids[0]!.length
  const result = new Float32Array(ids.length * tokens * hidden)
  const add = (table: Float32Array, row: number, at: number, what: string) => {
    if (!(Number.isInteger(row) && row >= 0 && row < table.length / hidden))
      throw new InputError({
        field: `${what} of token ${at % tokens} of sequence ${Math.floor(at / tokens)}`,
        given: row,
        allowed: `an integer from 0, below ${table.length / hidden}`,
        example: "0",
      })
    for (let i = 0; i < hidden; i++) result[at * hidden + i]! += table[row * hidden + i]!
  }
  ids.forEach((own, s) => {
    let count = 0
    own.forEach((id, j) => {
      const at = s * tokens + j
      add(tables.words, id, at, "number")
      if (tables.segments !== null) add(tables.segments, segments?.[s]?.[j] ?? 0, at, "segment")
      if (id !== padding) count++
      const position = padding === null ? j : id === padding ? padding : padding + count
      if (tables.positions !== null) add(tables.positions, position, at, "position")
    })
  })
  return result
}

/** Each token's next one, as its row of the table that reads the output. */
function nextTokens(
  { shape: { hidden }, tables }: Pretrained,
  { ids, mask, labels }: Batch,
): Pick<Fed, "label" | "weight"> {
  const table = tables.output ?? tables.words
  const tokens = ids[0]!.length
  const told = (labels as readonly (readonly number[])[]).flatMap((own, s) => [
    ...own.slice(1).map((label, j) => (mask[s]?.[j] === 0 ? IGNORED : label)),
    IGNORED,
  ])
  if (told.length !== ids.length * tokens)
    throw new InputError({
      field: "labels",
      given: `${told.length} of them`,
      allowed: `one for each of ${ids.length * tokens} tokens`,
      example: "the tokens themselves",
    })
  const count = told.filter((label) => label !== IGNORED).length
  if (count === 0)
    throw new InputError({
      field: "labels",
      given: "none that counts",
      allowed: "a token behind the first of a sequence",
      example: "[1, 2]",
    })
  const label = new Float32Array(told.length * hidden)
  told.forEach((row, at) => {
    if (row === IGNORED) return
    if (!(Number.isInteger(row) && row >= 0 && row < table.length / hidden))
      throw new InputError({
        field: `label ${at}`,
        given: row,
        allowed: `${IGNORED}, or a token below ${table.length / hidden}`,
        example: "0",
      })
    label.set(table.subarray(row * hidden, (row + 1) * hidden), at * hidden)
  })
  return { label, weight: Float32Array.from(told, (row) => (row === IGNORED ? 0 : 1 / count)) }
}

/** The class of each sequence, told by its first token, or by its last where a token sees only those before it. */
function classesOf(
  { shape: { rotary } }: Pretrained,
  { ids, mask, labels }: Batch,
  classes: number,
): Pick<Fed, "label" | "weight" | "picked"> {
  const tokens = ids[0]!.length
  const [label, picked] = [new Float32Array(ids.length * classes), new Float32Array(ids.length * tokens)]
  if (labels.length !== ids.length)
    throw new InputError({
      field: "labels",
      given: `${labels.length} of them`,
      allowed: `one for each of ${ids.length} sequences`,
      example: "[0]",
    })
  ;(labels as readonly number[]).forEach((own, s) => {
    if (!(Number.isInteger(own) && own >= 0 && own < classes))
      throw new InputError({
        field: `label ${s}`,
        given: own,
        allowed: `an integer from 0, below ${classes}`,
        example: "0",
      })
    label[s * classes + own] = 1
    picked[s * tokens + (rotary === null ? 0 : Math.max(0, mask[s]!.lastIndexOf(1)))] = 1
  })
  return { label, picked, weight: new Float32Array(ids.length).fill(1 / ids.length) }
}
