import fc from "fast-check"
import { all, type BigNumber, create } from "mathjs"
import { expect, test } from "vitest"
import { softmaxChange } from "../../src/train/columns.js"
import { Spare } from "../../src/train/spare.js"

const { bignumber } = create(all!, { number: "BigNumber", precision: 150 })

/** The number itself, not the shortest decimal that is read as it. */
function exactly(x: number): BigNumber {
  let [whole, halvings] = [x, 0]
  for (; !Number.isInteger(whole); halvings++) whole *= 2
  return bignumber(whole).div(bignumber(2).pow(halvings))
}

/** softmax(at + x) − softmax(at) of one column, in 150 digits. */
function exactChange(x: readonly number[], at: readonly number[]): BigNumber[] {
  const softmax = (scores: readonly BigNumber[]) => {
    const weights = scores.map((score) => score.exp())
    const total = weights.reduce((sum, weight) => sum.plus(weight))
    return weights.map((weight) => weight.div(total))
  }
  const before = at.map(exactly)
  const after = softmax(before.map((score, k) => score.plus(exactly(x[k]!))))
  return softmax(before).map((p, k) => after[k]!.minus(p))
}

function relativeError(x: readonly number[], at: readonly number[]): number {
  const column = (data: readonly number[]) => ({ rows: data.length, columns: 1, data: Float64Array.from(data) })
  const { data } = softmaxChange(column(x), column(at), false, new Spare())
  const expected = exactChange(x, at)
  const most = (values: readonly BigNumber[]) => Math.max(...values.map((value) => value.abs().toNumber()))
  const off = most(expected.map((value, k) => value.minus(exactly(data[k]!))))
  // Below this the digits of the exact one end.
  return off < 1e-100 ? 0 : off / most(expected)
}

test("a change of a softmax is exact beside its own size, from tiny changes to those that move all weight", () => {
  const scores = (most: number) =>
    fc.array(fc.double({ min: -most, max: most, noNaN: true }), { minLength: 3, maxLength: 3 })
  const changes = fc
    .tuple(scores(1), fc.constantFrom(1e-9, 1e-3, 1, 10, 100), fc.constantFrom(0, 1, 50))
    .map(([x, scale, shift]) => x.map((value) => value * scale + shift))
  fc.assert(
    fc.property(changes, scores(60), (x, at) => {
      expect(relativeError(x, at)).toBeLessThan(1e-11)
    }),
    {
      numRuns: 300,
      // The largest change meets a weight of nothing; all that counts lies far below it, and once cancelled.
      examples: [
        [
          [35.23524187484796, 104.09345967635667, 66.75713621331113],
          [9.690776938809632, -40.29079121058801, 8.59303960188222],
        ],
      ],
    },
  )
})
