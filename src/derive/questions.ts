import type { Affine } from "../exponent/affine.js"

/**
 * What a cell was asked: whether a form is ≥ 0 in it, which is kept, or at its point alone, which is not; and its
 * answer.
 */
export interface Question {
  readonly form: Affine
  readonly of: "cell" | "point"
  readonly isYes: boolean
}

/**
 * Everything that a reading asked of a cell, in the order asked: of thousands of questions a few dozen are different.
 *
 * What is read from memory asks what was asked then, which stays one entry.
 */
export class Questions {
  /** Each question once, where it was first asked. */
  readonly distinct: readonly Question[]
  private readonly all: readonly (Question | Questions)[]

  constructor(all: readonly (Question | Questions)[]) {
    this.all = all
    const seen = { cell: new Set<Affine>(), point: new Set<Affine>() }
    this.distinct = [...new Set(all)]
      .flatMap((asked) => (asked instanceof Questions ? asked.distinct : asked))
      .filter(({ form, of }) => {
        const isNew = !seen[of].has(form)
        seen[of].add(form)
        return isNew
      })
  }

  /** Every comparison, as often as it was made, as the form that is ≥ 0 in the cell. */
  get comparisons(): Affine[] {
    const forms: Affine[] = []
    this.addComparisonsTo(forms)
    return forms
  }

  private addComparisonsTo(forms: Affine[]): void {
    for (const asked of this.all)
      if (asked instanceof Questions) asked.addComparisonsTo(forms)
      else if (asked.of === "cell") forms.push(asked.form)
  }
}
