/**
 * What steps were read as, kept over the cells of a scheme.
 *
 * A step's reading depends on the state before it and on how the cell answers the comparisons that are asked: of
 * thousands of them a few dozen are different, and cells differ in few of those, so that most steps were read before.
 */
import { Answers } from "./answers.js"
import { ByList } from "./byList.js"
import type { Cell } from "./cell.js"
import type { Graded } from "./graded.js"
import { type State, type StepReading, tensors } from "./state.js"

/** All that the reading of a step leaves behind. */
interface Known {
  readonly step: StepReading
  readonly assumptions: ReadonlySet<string>
  readonly usesGaps: boolean
}

/** The steps of one scheme that were read so far. */
export class KnownSteps {
  private readonly known = new ByList<Graded, Answers<Known>>()

  /**
   * A step from a state, from memory where a cell of the same answers was there before: then it is asked the same.
   *
   * @param read reads the step.
   */
  read(
    state: State,
    cell: Cell,
    assume: (assumption: string) => void,
    read: (assume: (assumption: string) => void) => StepReading,
  ): StepReading {
    let place = this.known
    for (const tensor of tensors(state)) place = place.followedBy(tensor)
    place.kept ??= new Answers<Known>()
    const before = place.kept.of(cell)
    if (before !== null) {
      cell.ask(before.step.questions)
      for (const text of before.assumptions) assume(text)
      cell.usesGaps ||= before.usesGaps
      return before.step
    }
    const usedGaps = cell.usesGaps
    const assumptions = new Set<string>()
    cell.usesGaps = false
    const step = read((text) => void assumptions.add(text))
    place.kept.add(step.questions.distinct, { step, assumptions, usesGaps: cell.usesGaps })
    cell.usesGaps ||= usedGaps
    for (const text of assumptions) assume(text)
    return step
  }
}
