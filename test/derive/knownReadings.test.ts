import fc from "fast-check"
import { Fraction } from "fraction.js"
import { expect, test } from "vitest"
import { Cell } from "../../src/derive/cell.js"
import { sizeKey } from "../../src/derive/size.js"
import type { State } from "../../src/derive/state.js"
import { initialState, stepper } from "../../src/derive/step.js"
import { schemeNamed } from "../../src/scheme/catalogue.js"
import { type Scheme, scheme } from "../../src/scheme/scheme.js"

/** Everything that four steps at a point leave behind, as texts. */
function read(ready: Scheme, point: readonly Fraction[]) {
  const cell = new Cell(new Map(ready.symbols.map((name, i) => [name, point[i % point.length]!])))
  const assumptions: string[] = []
  const advance = stepper(ready, cell, (text) => void assumptions.push(text))
  const steps: unknown[] = []
  let state: State = initialState(ready, cell)
  for (let t = 1; t <= 4; t++) {
    const reading = advance(state)
    state = reading.state
    steps.push({
      quantities: [...reading.quantities].map(([name, { size }]) => [name, size && sizeKey(size)]),
      comparisons: reading.questions.comparisons.map(({ key }) => key),
      leaves: [...state.leaves.values()].map(({ key }) => key),
      applications: [...state.applications.values()].map((of) => [of.arguments.key, of.transposed.key]),
    })
  }
  return { steps, assumptions: [...new Set(assumptions)], usesGaps: cell.usesGaps }
}

const values = fc.integer({ min: -8, max: 8 }).map((k) => new Fraction(k, 4))
const points = fc.array(fc.array(values, { minLength: 4, maxLength: 4 }), { minLength: 4, maxLength: 6 })

/** A cell met again after its opposite: what a step asks is also what its nodes' readings from memory asked. */
const AGAIN = [
  [1, 0, 0, 0],
  [-1, 0, 0, 0],
  [1, 0, 0, 0],
  [0, 0, 0, 0],
  [0, 0, 0, 0],
].map((point) => point.map((k) => new Fraction(k, 4)))

for (const name of [
  "layer-rates-init-a",
  "two-layers-init-b",
  "adam-epsilon",
  "tanh-init-a",
  "clip-init-a",
  "muon-init-a",
])
  test(`${name}: a cell reads from memory what it would read itself, and asks the same`, () => {
    fc.assert(
      fc.property(points, (of) => {
        const shared = scheme(schemeNamed(name))
        for (const point of of) expect(read(shared, point)).toEqual(read(scheme(schemeNamed(name)), point))
      }),
      { numRuns: 8, examples: [[AGAIN]] },
    )
  })
