/** Sequences of tokens as what a pretrained model's graph is fed. */
import type { Pretrained } from "../../checkpoint/pretrained.js"
import { InputError } from "../../inputError.js"
import { type Batch, IGNORED } from "../tuning/batch.js"

/** Added to the score of a key that is padding: softmax gives it nothing. */
const PADDING = -1e9

/** What is read of a batch, by what a program calls it, row by row; sequences first. */
export interface Read {
  /** Sequences × tokens × hidden: column by column. */
  readonly embedded: Float32Array
  /** Sequences × tokens; null where no key has to be hidden. */
  readonly padding: Float32Array | null
  /** Sequences × tokens: the first token, or the last where a token sees only those before it. */
  readonly picked: Float32Array
}

/** What is read and told. */
export interface Fed extends Read {
  /** Sequences × tokens × hidden, column by column, or sequences × classes. */
  readonly label: Float32Array
  /** Sequences × tokens, or one a sequence; they sum to 1. */
  readonly weight: Float32Array
}

/**
 * Looks up what a batch's tokens, positions and segments are embedded as, and what they are to be told.
 *
 * @param classes how many there are; null where the next token is told.
 * @throws InputError as `read`, and for a class that the model lacks or a batch without a label.
 */
export function fed(model: Pretrained, batch: Batch, classes: number | null): Fed {
  const own = read(model, batch)
  return { ...own, ...(classes === null ? nextTokens(model, batch) : classesOf(batch, classes)) }
}

/**
 * Looks up what a batch's tokens, positions and segments are embedded as.
 *
 * @throws InputError for sequences that differ in length, and a token, position or segment that the model lacks.
 */
export function read(model: Pretrained, batch: Omit<Batch, "labels">): Read {
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
  return { embedded: embeddedOf(model, batch), padding, picked: pickedOf(model, mask) }
}

function pickedOf({ shape: { rotary } }: Pretrained, mask: Batch["mask"]): Float32Array {
  const tokens = mask[0]!.length
  const picked = new Float32Array(mask.length * tokens)
  mask.forEach((own, s) => {
    picked[s * tokens + (rotary === null ? 0 : Math.max(0, own.lastIndexOf(1)))] = 1
  })
  return picked
}

/** A causal model's tokens see nothing that comes after them, so padding behind them needs no mask. */
function paddingOf({ shape }: Pretrained, mask: Batch["mask"]): Float32Array | null {
  const isHidden = (own: readonly number[]) =>
    own.indexOf(0) !== -1 && (shape.rotary === null || own.indexOf(0) < own.lastIndexOf(1))
  if (!mask.some(isHidden)) return null
  return Float32Array.from(mask.flat(), (seen) => (seen === 0 ? PADDING : 0))
}

function embeddedOf(
  { shape: { hidden }, tables, padding }: Pretrained,
  { ids, segments }: Omit<Batch, "labels">,
): Float32Array {
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

/** The class of each sequence. */
function classesOf({ ids, labels }: Batch, classes: number): Pick<Fed, "label" | "weight"> {
  const label = new Float32Array(ids.length * classes)
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
  })
  return { label, weight: new Float32Array(ids.length).fill(1 / ids.length) }
}
