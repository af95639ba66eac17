/** Where threads wait for each other: they spin briefly, then sleep. */
export class Barrier {
  private readonly words: Int32Array
  private readonly threads: number

  /** @param words [threads that have come, round, whether one has failed], shared. */
  constructor(words: Int32Array, threads: number) {
    this.words = words
    this.threads = threads
  }

  /**
   * Returns when all threads have called it.
   *
   * @throws Error if another thread has failed.
   */
  wait(): void {
    if (this.threads === 1) return
    const { words } = this
    const round = Atomics.load(words, ROUND)
    if (Atomics.add(words, COME, 1) === this.threads - 1) {
      Atomics.store(words, COME, 0)
      Atomics.add(words, ROUND, 1)
      Atomics.notify(words, ROUND)
    } else {
      for (let spin = 0; spin < SPINS && Atomics.load(words, ROUND) === round; spin++);
      while (Atomics.load(words, ROUND) === round) Atomics.wait(words, ROUND, round)
    }
    if (Atomics.load(words, FAILED) !== 0) throw new Error("another thread of this run has failed")
  }

  /** Lets the others go, and tells them. */
  fail(): void {
    Atomics.store(this.words, FAILED, 1)
    Atomics.add(this.words, ROUND, 1)
    Atomics.notify(this.words, ROUND)
  }
}

const [COME, ROUND, FAILED] = [0, 1, 2]

/** Some tens of microseconds; longer, and a thread that waits for one without a core takes that core. */
const SPINS = 5000
