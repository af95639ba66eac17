import { sharedKey, type Task } from "../train/task.js"

/**
 * Pieces of work in their order, except that a worker goes on with the network whose data it has, and begins with one
 * that no other worker has: drawing a wide network's data takes as long as a run on it. At the end workers share what
 * is left.
 */
export class NetworkQueue<T extends { readonly task: Task }> {
  private readonly left: { readonly piece: T; readonly network: string | null }[]
  private readonly networks = new Map<number, string | null>()

  constructor(pieces: readonly T[]) {
    this.left = pieces.map((piece) => ({
      piece,
      network: sharedKey(piece.task),
    }))
  }

  /** What the worker does next; null where nothing is left. */
  next(worker: number): T | null {
    const own = this.networks.get(worker) ?? null
    const others = new Set([...this.networks].filter(([other]) => other !== worker).map(([, network]) => network))
    const same = own === null ? -1 : this.left.findIndex(({ network }) => network === own)
    const free = same >= 0 ? same : this.left.findIndex(({ network }) => network === null || !others.has(network))
    const [found] = this.left.splice(Math.max(0, free), 1)
    if (found === undefined) return null
    this.networks.set(worker, found.network)
    return found.piece
  }
}
