/**
 * How threads share the groups of rows of a phase: each takes those of its own part first, then what others have not
 * begun. A phase is over when all its groups are done, whoever did them, so that a thread without a core holds nobody
 * up that has one.
 */
export class GroupShares {
  private readonly words: Int32Array
  private readonly groups: number
  private readonly order: readonly number[]

  /**
   * @param words shared, {@link wordsOf} of them, all 0 before a run.
   * @param thread of `threads`: which part of the groups is its own. Its optimiser state stays in its cache.
   */
  constructor(
    words: Int32Array,
    groups: number,
    { thread, threads }: { readonly thread: number; readonly threads: number },
  ) {
    this.words = words
    this.groups = groups
    const first = Math.floor((groups * thread) / threads)
    const ahead = Array.from({ length: groups }, (_, i) => (first + i) % groups)
    const own = Math.floor((groups * (thread + 1)) / threads) - first
    // Others begin at the front of their parts, so what they reach last is taken first.
    this.order = [...ahead.slice(0, own), ...ahead.slice(own).reverse()]
  }

  /** Whether all groups of a phase are done; a phase's inputs stay as they are until it is over. */
  isOver(phase: number): boolean {
    return Atomics.load(this.words, DONE) >= this.groups * (phase + 1)
  }

  /**
   * Does what nobody has begun of a phase, the next one or one that is over, and returns when all of it is done.
   *
   * @param phase 0, 1, …; each begins when the one before it is over.
   * @throws Error if another thread has failed.
   */
  share(phase: number, work: (group: number) => void): void {
    const { words, groups } = this
    const all = groups * (phase + 1)
    for (const group of this.order) {
      if (this.isOver(phase)) return
      if (Atomics.compareExchange(words, CLAIMS + group, phase, phase + 1) !== phase) continue
      work(group)
      if (Atomics.add(words, DONE, 1) + 1 === all) Atomics.notify(words, DONE)
    }
    for (let spin = 0; spin < SPINS && !this.isOver(phase) && !this.hasFailed; spin++);
    for (let done = Atomics.load(words, DONE); done < all; done = Atomics.load(words, DONE)) {
      if (this.hasFailed) throw new Error("another thread of this run has failed")
      Atomics.wait(words, DONE, done)
    }
  }

  /** Lets the others go, and tells them. */
  fail(): void {
    Atomics.store(this.words, FAILED, 1)
    // Whoever waits sees another number.
    Atomics.sub(this.words, DONE, 1)
    Atomics.notify(this.words, DONE)
  }

  private get hasFailed(): boolean {
    return Atomics.load(this.words, FAILED) !== 0
  }
}

/** How many shared words so many groups take. */
export function wordsOf(groups: number): number {
  return CLAIMS + groups
}

/** Groups done since the run's start; whether a thread has failed; then for each group how often it was begun. */
const [DONE, FAILED, CLAIMS] = [0, 1, 2]

/** Some tens of microseconds; longer, and a thread that waits for one without a core takes that core. */
const SPINS = 5000
