import fc from "fast-check"
import { expect, test } from "vitest"
import type { Node } from "../../src/program/node.js"
import { CATALOGUE } from "../../src/scheme/catalogue.js"
import { type Scheme, scheme } from "../../src/scheme/scheme.js"
import { bytesOfRun, peakEntries } from "../../src/train/memory.js"
import type { LeafValue } from "../../src/train/numbers.js"
import { evaluate, zeros } from "../../src/train/reference.js"
import { endsOf, sizesOf } from "../../src/train/run.js"
import { schedule } from "../../src/train/schedule.js"
import { Spare } from "../../src/train/spare.js"
import { computes } from "./operationsOf.js"

/** Counts the entries of the arrays that are in use. */
class Counting extends Spare {
  held = 0
  peak = 0
  override take(length: number): Float64Array {
    this.held += length
    this.peak = Math.max(this.peak, this.held)
    return super.take(length)
  }
  override give(array: Float64Array): void {
    this.held -= array.length
    super.give(array)
  }
}

/** Without frozen matrices that are never formed, and without the decomposition that has arrays of its own. */
const single = CATALOGUE.filter(
  (definition) =>
    (definition.network ?? definition.model) === undefined && !computes(definition, "orthogonalise", "precondition"),
)
const readyNamed = (name: string): Scheme => {
  const definition = single.find((d) => d.name === name)!
  return scheme(definition, definition.example ?? {})
}

test("the memory stated for a step is what evaluation holds", () => {
  fc.assert(
    fc.property(fc.constantFrom(...single.map(({ name }) => name)), fc.integer({ min: 20, max: 60 }), (name, width) => {
      const ready = readyNamed(name)
      const config = { width, rank: 2, steps: 1, seed: 1 }
      const sizes = sizesOf(ready, config)
      const nodes = endsOf(ready.program)
      const leaves = new Map<Node, LeafValue>()
      for (const leaf of [
        ...ready.program.frozen.map(({ node }) => node),
        ...ready.program.next.keys(),
        ...ready.start.keys(),
      ])
        leaves.set(leaf, zeros(leaf, sizes))
      const spare = new Counting()
      evaluate(nodes, leaves, sizes, 1, { spare })
      const stated = peakEntries(schedule(nodes, leaves), sizes)
      expect(spare.peak).toBe(stated)
      expect(bytesOfRun(ready, config)).toBeGreaterThan(8 * stated)
    }),
  )
})
