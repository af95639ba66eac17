/** What is kept under lists of keys, as a tree: here what is under one list, and the trees of longer ones. */
export class ByList<K, T> {
  kept: T | null = null
  private readonly longer = new Map<K, ByList<K, T>>()

  /** The tree of the lists that go on with a key. */
  followedBy(key: K): ByList<K, T> {
    let next = this.longer.get(key)
    if (next === undefined) {
      next = new ByList()
      this.longer.set(key, next)
    }
    return next
  }
}
