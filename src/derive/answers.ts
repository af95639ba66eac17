import type { Cell } from "./cell.js"
import type { Question } from "./questions.js"

/** What is asked next, and what is known where the answer is yes and where it is no. */
interface Fork<T> {
  readonly question: Question
  yes: Known<T> | null
  no: Known<T> | null
}

/** What was found by cells that answered alike. */
interface Found<T> {
  readonly found: T
}

type Known<T> = Fork<T> | Found<T>

/**
 * What was found of one thing in several cells, as a tree of the questions on which it depends: a cell that answers as
 * another one did would find the same.
 */
export class Answers<T> {
  private root: Known<T> | null = null
  /** The last cell that was here before: its answers stay the same. */
  private last: { readonly cell: Cell; readonly found: T } | null = null

  /** What cells of these answers found; null if none was here before. Nothing is kept in the cell. */
  of(cell: Cell): T | null {
    if (this.last?.cell === cell) return this.last.found
    let at = this.root
    while (at !== null && "question" in at) at = cell.wouldSay(at.question) ? at.yes : at.no
    if (at === null) return null
    this.last = { cell, found: at.found }
    return at.found
  }

  /** Adds what was found after the given questions; one that was not asked so before takes a fork's place. */
  add(questions: readonly Question[], found: T): void {
    let at = this.root
    let attach = (one: Known<T>): void => {
      this.root = one
    }
    for (const question of questions) {
      const old = at !== null && "question" in at && at.question.of === question.of ? at : null
      const isSame = old?.question.form.key === question.form.key
      // The sign of a comparison in a cell is never 0.
      const isOpposite = question.of === "cell" && old?.question.form.key === question.form.negated.key
      const fork: Fork<T> = old !== null && (isSame || isOpposite) ? old : { question, yes: null, no: null }
      attach(fork)
      const side = question.isYes === isOpposite ? "no" : "yes"
      at = fork[side]
      attach = (one) => {
        fork[side] = one
      }
    }
    attach({ found })
  }
}
