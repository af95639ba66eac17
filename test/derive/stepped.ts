import type { Fraction } from "fraction.js"
import { Cell } from "../../src/derive/cell.js"
import { lead } from "../../src/derive/size.js"
import { isRepeated, type State } from "../../src/derive/state.js"
import { initialState, stepper } from "../../src/derive/step.js"
import { type SchemeDefinition, scheme } from "../../src/scheme/scheme.js"

/** Periods of the schemes here are shorter. */
const LONGEST_PERIOD = 3

/**
 * The exponents of all quantities at numbers, one step after the other and with nothing predicted, until the state
 * repeats.
 */
export function stepped(definition: SchemeDefinition, values: Readonly<Record<string, string>>, most: number) {
  const concrete = scheme(definition, values)
  const cell = new Cell(new Map())
  const advance = stepper(concrete, cell, () => {})
  const states: State[] = [initialState(concrete, cell)]
  const steps: Readonly<Record<string, Fraction | null>>[] = []
  let repeats = false
  while (!repeats && steps.length < most) {
    const { state, quantities } = advance(states.at(-1)!)
    steps.push(Object.fromEntries([...quantities].map(([name, { size }]) => [name, size && lead(size).constant])))
    repeats = states.slice(-LONGEST_PERIOD).some((earlier) => isRepeated(earlier, state))
    states.push(state)
  }
  return { steps, repeats }
}
