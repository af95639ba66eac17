/** What is kept under lists of keys, as a tree: here what is under one list, and the trees of longer ones. */
export class ByList<K, T> {
  kept: T | null = null
  private readonly longer = new Map<K, ByList<K, T>>()

  /** The tree of the lists that go on with a key. */
  followedBy(key: K): ByList<K, T> {
    return remembered(this.longer, key, () => new ByList<K, T>())
  }
}

/** What is known of a key, found where it is not. */
export function remembered<K, V>(known: Map<K, V>, key: K, find: () => V): V {
  let value = known.get(key)
  if (value === undefined) {
    value = find()
    known.set(key, value)
  }
  return value
}
