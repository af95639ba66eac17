import { sharedKey, type Task } from "../train/task.js"

/** What is left of one network's pieces, each with its place among all. */
interface Group<T> {
  readonly network: string | null
  readonly pieces: { readonly piece: T; readonly place: number }[]
  /** How many of them are given out. */
  given: number
}

/**
 * Pieces of work in their order, except that a worker goes on with the network whose data it has, and begins with one
 * that no other worker has: drawing a wide network's data takes as long as a run on it. At the end workers share what
 * is left.
 */
export class NetworkQueue<T extends { readonly task: Task }> {
  /** Groups of which something is left; pieces that share nothing are one group, which any worker may take from. */
  private readonly left = new Map<string | null, Group<T>>()
  private readonly networks = new Map<number, string | null>()
  /** How many workers have a network's data. */
  private readonly holders = new Map<string | null, number>()

  constructor(pieces: readonly T[]) {
    for (const [place, piece] of pieces.entries()) {
      const network = sharedKey(piece.task)
      const group = this.left.get(network) ?? { network, pieces: [], given: 0 }
      this.left.set(network, group)
      group.pieces.push({ piece, place })
    }
  }

  /** What the worker does next; null where nothing is left. */
  next(worker: number): T | null {
    const own = this.networks.get(worker) ?? null
    const group =
      (own === null ? undefined : this.left.get(own)) ??
      this.first(({ network }) => network === null || !this.holders.get(network)) ??
      this.first(() => true)
    if (group === undefined) return null
    const { piece } = group.pieces[group.given++]!
    if (group.given === group.pieces.length) this.left.delete(group.network)
    if (this.networks.has(worker)) this.hold(own, -1)
    this.hold(group.network, 1)
    this.networks.set(worker, group.network)
    return piece
  }

  private hold(network: string | null, by: number): void {
    this.holders.set(network, (this.holders.get(network) ?? 0) + by)
  }

  /** Of the groups that are meant, the one whose next piece comes first. */
  private first(isMeant: (group: Group<T>) => boolean): Group<T> | undefined {
    const placeOf = ({ pieces, given }: Group<T>) => pieces[given]!.place
    let found: Group<T> | undefined
    for (const group of this.left.values())
      if (isMeant(group) && (found === undefined || placeOf(group) < placeOf(found))) found = group
    return found
  }
}
