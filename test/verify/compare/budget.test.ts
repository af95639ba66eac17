import { expect, test } from "vitest"
import { checkBudget, seedsAt } from "../../../verify/compare/budget.js"
import { settingAt } from "../../../verify/compare/setting.js"

test("beyond a width seeds fall as its root; a number that is asked for is that of every width", () => {
  const budget = checkBudget(settingAt("llama-block/init-a", { c: "-1/2" }))
  expect([64, 128, 512, 2048].map((width) => seedsAt(budget, width) / budget.seeds)).toEqual([1, 1, 1 / 2, 1 / 4])
  const asked = checkBudget(settingAt("llama-block/init-a", { c: "-1/2" }), { seeds: 6 })
  expect(asked.widths.map((width) => seedsAt(asked, width))).toEqual(asked.widths.map(() => 6))
})

test("a block takes less where it is one of many, any other scheme the same", () => {
  const work = (name: string, isOneOfMany: boolean) => {
    const { widths, seeds } = checkBudget(settingAt(name, { c: "-1/2" }), {}, isOneOfMany)
    return seeds * widths.reduce((sum, width) => sum + width, 0)
  }
  expect(work("bert-block/init-a", true)).toBeLessThan(work("bert-block/init-a", false) / 50)
  expect(work("init-a", true)).toBe(work("init-a", false))
})
