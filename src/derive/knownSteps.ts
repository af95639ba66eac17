/**
 * What steps were read as, kept over the cells of a scheme.
 *
 * A step's reading depends on the state before it and on how the cell answers the comparisons that are asked: of
 * thousands of them a few dozen are different, and cells differ in few of those, so that most steps were read before.
 */
import { Answers } from "./answers.js"
import type { Cell, Question } from "./cell.js"
import type { Graded } from "./graded.js"
import { type State, type StepReading, tensors } from "./state.js"

/** All that the reading of a step leaves behind. */
interface Known {
  readonly step: StepReading
  readonly questions: readonly Question[]
  readonly assumptions: ReadonlySet<string>
  readonly usesGaps: boolean
}

/** The steps of one scheme that were read so far. */
export class KnownSteps {
  private readonly known = new Map<string, Answers<Known>>()
  private readonly numbers = new Map<Graded, number>()

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
    const key = tensors(state)
      .map((tensor) => this.number(tensor))
      .join()
    const answers = this.known.get(key) ?? new Answers<Known>()
    const before = answers.of(cell)
    if (before !== null) {
      cell.ask(before.questions)
      for (const text of before.assumptions) assume(text)
      cell.usesGaps ||= before.usesGaps
      return before.step
    }
    const [from, usedGaps] = [cell.questions.length, cell.usesGaps]
    const assumptions = new Set<string>()
    cell.usesGaps = false
    const step = read((text) => void assumptions.add(text))
    const questions = distinct(cell.questions.slice(from))
    answers.add(questions, { step, questions, assumptions, usesGaps: cell.usesGaps })
    this.known.set(key, answers)
    cell.usesGaps ||= usedGaps
    for (const text of assumptions) assume(text)
    return step
  }

  private number(tensor: Graded): number {
    const known = this.numbers.get(tensor) ?? this.numbers.size
    this.numbers.set(tensor, known)
    return known
  }
}

/** Each question once, where it was first asked. */
function distinct(questions: readonly Question[]): Question[] {
  const seen = { cell: new Set<string>(), point: new Set<string>() }
  return questions.filter(({ form, of }) => {
    const isNew = !seen[of].has(form.key)
    seen[of].add(form.key)
    return isNew
  })
}
