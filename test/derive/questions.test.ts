import { Fraction } from "fraction.js"
import { expect, test } from "vitest"
import { Cell } from "../../src/derive/cell.js"
import { Affine } from "../../src/exponent/affine.js"

const [c, one] = [Affine.symbol("c"), Affine.constant(1)]
const cellAt = (value: string) => new Cell(new Map([["c", new Fraction(value)]]))

test("a reading's questions: every comparison in order, within another reading too, and each once", () => {
  const cell = cellAt("1/2")
  const inner = () => [cell.compare(c, one), cell.compare(c, Affine.ZERO)]
  const { found, questions } = cell.asking(() => {
    cell.compare(c, one)
    return cell.asking(inner)
  })
  expect(found.found).toEqual([-1, 1])
  const [below, above] = [one.minus(c), c]
  expect(found.questions.comparisons).toEqual([below, above])
  expect(questions.comparisons).toEqual([below, below, above])
  expect(questions.distinct.map(({ form }) => form)).toEqual([below, above])
})

test("what another cell was asked, asked again, bounds this cell too, and counts as often as it was asked", () => {
  const first = cellAt("1/2")
  const { questions } = first.asking(() => [
    first.compare(c, one),
    first.compare(c, one),
    first.compare(c, Affine.ZERO),
  ])
  const second = cellAt("1/3")
  const again = second.asking(() => {
    second.ask(questions)
    second.ask(questions)
  }).questions
  expect(again.comparisons).toEqual([...questions.comparisons, ...questions.comparisons])
  expect(again.distinct).toEqual(questions.distinct)
  expect(second.constraints).toEqual(first.constraints)
})
