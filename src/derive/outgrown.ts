import { Affine } from "../exponent/affine.js"
import { everySite } from "../program/model.js"
import type { Scheme } from "../scheme/scheme.js"
import { type Cell, signNear } from "./cell.js"
import { isZeroForm } from "./graded.js"
import { lead } from "./size.js"
import { initialState, stepper } from "./step.js"

/** What is said of a cell in which features and output outgrow any bound: nothing else. */
export const OUTGROWN = "outgrown"

/** Of three symbols or more there are too many regions in which some sites have outgrown Θ(1) and others have not. */
const MOST_SYMBOLS = 2

/** Whether the bounds of a deep model are told site by site. */
export function tellsSites({ symbols }: Scheme): boolean {
  return symbols.length <= MOST_SYMBOLS
}

/** What grows within the first steps is seen there; what does so later is followed as everything else. */
const FIRST_STEPS = 5

/**
 * Whether the features and the output have outgrown Θ(1) within the first steps, in the cell of the comparisons up to
 * there.
 *
 * Then no statement of bounds holds, whatever follows. Where bounds are told by site this is asked of the features at
 * every site, else of any one.
 */
export function isOutgrown(scheme: Scheme, cell: Cell, assume: (assumption: string) => void): boolean {
  const features = everySite(scheme.program.model, "zB")
  const grown = new Set<string>()
  const isEnough = () =>
    grown.has("f") && (tellsSites(scheme) ? features.every((name) => grown.has(name)) : grown.size > 1)
  const advance = stepper(scheme, cell, assume)
  let state = initialState(scheme, cell)
  for (let t = 1; t <= FIRST_STEPS; t++) {
    const step = advance(state)
    for (const name of [...features, "f"]) {
      const size = step.quantities.get(name)!.size
      if (size === null || grown.has(name) || isZeroForm(lead(size)) || signNear(lead(size), cell.point) < 0) continue
      grown.add(name)
      cell.compare(lead(size), Affine.ZERO)
    }
    if (isEnough()) return true
    state = step.state
  }
  return false
}
