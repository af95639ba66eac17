/** The blocks below the first adapted one: no step changes what they give, so each sequence goes through them once. */
import type { Batch } from "../tuning/batch.js"

/** What is read of a batch. */
type Sequences = Omit<Batch, "labels">

/** Bytes that are kept of what lower blocks gave. */
export const MOST_KEPT = 2 ** 28

/** A sequence without its padding: what it reads, and where its tokens stand in the batch. */
interface Bare {
  readonly key: string
  readonly ids: readonly number[]
  readonly segments: readonly number[]
  readonly places: readonly number[]
}

/**
 * What the lower blocks give for sequences, computed once for each and kept; where they exceed so many bytes, those
 * that were not read for longest are computed again.
 *
 * A sequence goes through without its padding, so that its numbers do not depend on the batches that it comes in.
 */
export class LowerBlocks {
  private readonly kept = new Map<string, Float32Array>()
  private bytes = 0

  /** @param compute what the blocks give for sequences of equal length without padding: sequences × hidden × tokens. */
  constructor(
    private readonly hidden: number,
    private readonly compute: (sequences: Sequences) => Promise<Float32Array>,
    private readonly most = MOST_KEPT,
  ) {}

  /** Sequences × tokens × hidden; 0 for padding. */
  async of(batch: Sequences): Promise<Float32Array> {
    const sequences = bare(batch)
    const missing = new Map(sequences.filter(({ key }) => !this.kept.has(key)).map((each) => [each.key, each]))
    const found = await this.computed([...missing.values()])
    const row = this.hidden
    const tokens = batch.ids[0]!.length
    const result = new Float32Array(sequences.length * tokens * row)
    sequences.forEach(({ key, places }, s) => {
      const own = found.get(key) ?? this.kept.get(key)!
      places.forEach((place, t) => {
        result.set(own.subarray(t * row, (t + 1) * row), (s * tokens + place) * row)
      })
      this.keep(key, own)
    })
    this.dropOldest()
    return result
  }

  /** Tokens × hidden of each sequence, those of a length together. */
  private async computed(sequences: readonly Bare[]): Promise<Map<string, Float32Array>> {
    const byLength = new Map<number, Bare[]>()
    for (const each of sequences) byLength.set(each.ids.length, [...(byLength.get(each.ids.length) ?? []), each])
    const found = new Map<string, Float32Array>()
    for (const [tokens, group] of byLength) {
      const [ids, segments] = [group.map(({ ids }) => ids), group.map(({ segments }) => segments)]
      const data = await this.compute({ ids, segments, mask: ids.map((own) => own.map(() => 1)) })
      const size = tokens * this.hidden
      group.forEach(({ key }, s) => {
        found.set(key, transposed(data.subarray(s * size, (s + 1) * size), this.hidden, tokens))
      })
    }
    return found
  }

  /** Makes it the one that was read last. */
  private keep(key: string, own: Float32Array): void {
    if (!this.kept.delete(key)) this.bytes += own.byteLength
    this.kept.set(key, own)
  }

  private dropOldest(): void {
    for (const [key, { byteLength }] of this.kept) {
      if (this.bytes <= this.most) return
      this.kept.delete(key)
      this.bytes -= byteLength
    }
  }
}

function bare({ ids, mask, segments }: Sequences): Bare[] {
  return ids.map((all, s) => {
    const places = mask[s]!.flatMap((seen, j) => (seen === 0 ? [] : [j]))
    const own = places.map((j) => all[j]!)
    const parts = places.map((j) => segments?.[s]?.[j] ?? 0)
    return { key: `${own} ${parts}`, ids: own, segments: parts, places }
  })
}

function transposed(of: Float32Array, rows: number, columns: number): Float32Array {
  const result = new Float32Array(of.length)
  for (let i = 0; i < rows; i++) for (let j = 0; j < columns; j++) result[j * rows + i] = of[i * columns + j]!
  return result
}
