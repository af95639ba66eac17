import { expect, test } from "vitest"
import { schemeNamed } from "../../../src/scheme/catalogue.js"
import { scheme } from "../../../src/scheme/scheme.js"
import { run } from "../../../src/train/run.js"
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

test("widths of a block whose rank grows are powers that its heads share, and other widths are refused by name", () => {
  const { definition, example = {} } = {
    definition: schemeNamed("llama-block/rslora"),
    ...schemeNamed("llama-block/rslora"),
  }
  for (const isOneOfMany of [true, false])
    for (const width of checkBudget({ definition, values: example }, { seeds: 2 }, isOneOfMany).widths) {
      expect(width % 2).toBe(0)
      expect(Number.isInteger(width ** (1 / 4))).toBe(true)
    }
  const ready = scheme(definition, example)
  expect(() => run(ready, { width: 81, rank: 1, steps: 1, seed: 0 })).toThrow(/--width.*81.*2 heads/)
})
