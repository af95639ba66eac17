/** How many arrays of one length are kept for later use. */
const MOST_SPARE = 16

/** Arrays whose values nothing reads any more, by length: they spare the time of new ones. */
export class Spare {
  private readonly arrays = new Map<number, Float64Array[]>()

  /** An array of that length with any content. */
  take(length: number): Float64Array {
    return this.arrays.get(length)?.pop() ?? new Float64Array(length)
  }

  give(array: Float64Array): void {
    const known = this.arrays.get(array.length)
    if (known === undefined) this.arrays.set(array.length, [array])
    else if (known.length < MOST_SPARE) known.push(array)
  }
}
