import { InputError } from "../inputError.js"
import type { PlannedRun } from "./plannedRun.js"

/** One of N disjoint parts of a sweep that together are the whole; index is 1 … N. */
export interface Shard {
  readonly index: number
  readonly count: number
}

/** Parses i/N. @throws InputError for another form, or i outside 1 … N. */
export function parseShard(text: string): Shard {
  const match = /^(\d+)\/(\d+)$/.exec(text)
  const shard = { index: Number(match?.[1]), count: Number(match?.[2]) }
  if (shard.index >= 1 && shard.index <= shard.count && Number.isSafeInteger(shard.count)) return shard
  throw new InputError({ field: "--shard", given: text, allowed: "i/N with 1 ≤ i ≤ N", example: "--shard 1/4" })
}

/** The number of a run's shard, 1 … count: the first 48 bits of its key, modulo the count, and 1. */
export function shardOf(count: number): (run: Pick<PlannedRun, "shardKey">) => number {
  return ({ shardKey }) => 1 + (Number.parseInt(shardKey.slice(0, 12), 16) % count)
}

/** Whether the run is in the shard. */
export function inShard({ index, count }: Shard): (run: Pick<PlannedRun, "shardKey">) => boolean {
  const of = shardOf(count)
  return (run) => of(run) === index
}
