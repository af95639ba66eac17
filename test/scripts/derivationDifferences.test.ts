import { expect, test } from "vitest"
import { differences } from "../../scripts/derivationDifferences.js"

const derived = {
  stable: "c <= -1/2",
  quantities: { zB: { steps: ["c", "max(c, 2 * c + 1)"], limit: "max(min(1, c), 2 * c)", from: 2 } },
  regions: [
    { where: "c <= -1", limits: { zB: "c" } },
    { where: "c >= -1", limits: { zB: "2 * c + 1" } },
  ],
  assumptions: ["one", "two"],
  milliseconds: 3,
}

test("the same said in other words is no difference", () => {
  const after = {
    ...derived,
    stable: "2 * c <= -1",
    quantities: { zB: { steps: ["c", "max(2 * c + 1, c)"], limit: "max(2 * c, min(c, 1))", from: 2 } },
    regions: [
      { where: "c >= 0", limits: { zB: "1 + 2 * c" } },
      { where: "c >= -1 and c <= 0", limits: { zB: "2 * c + 1" } },
      { where: "c <= -1", limits: { zB: "c" } },
    ],
    assumptions: ["two", "one"],
    milliseconds: 4,
  }
  expect(differences(derived, after)).toEqual([])
})

test("what is beyond all regions does not count", () => {
  const regions = [{ where: "c >= 0", limits: { zB: "c" } }]
  const before = { stable: "c <= 1", limit: "c", regions }
  expect(differences(before, { stable: "c <= 1 and c >= -5", limit: "max(c, -1)", regions })).toEqual([])
  expect(differences(before, { stable: "c <= 1 and c >= 1/2", limit: "max(c, 1)", regions })).toEqual([
    'stable: "c <= 1" -> "c <= 1 and c >= 1/2"',
    'limit: "c" -> "max(c, 1)"',
  ])
})

test("each difference is named with its place", () => {
  const after = {
    ...derived,
    stable: "c <= -1/3",
    quantities: { zB: { steps: ["c", "max(c, 2 * c)"], limit: "max(min(1, c), 3 * c)", from: 3 } },
    regions: [
      { where: "c <= -1", limits: { zB: "c" } },
      { where: "c > -1", limits: { zB: "grows" } },
    ],
    assumptions: ["one", "three"],
    added: 1,
  }
  expect(differences(derived, after)).toEqual([
    'stable: "c <= -1/2" -> "c <= -1/3"',
    'quantities.zB.steps[1]: "max(c, 2 * c + 1)" -> "max(c, 2 * c)"',
    'quantities.zB.limit: "max(min(1, c), 2 * c)" -> "max(min(1, c), 3 * c)"',
    "quantities.zB.from: 2 -> 3",
    'regions where c > -1: zB: "2 * c + 1" -> "grows"',
    'assumptions: "two" -> nothing',
    'assumptions: nothing -> "three"',
    "added: nothing -> 1",
  ])
  expect(differences(derived, { ...derived, added: 1 }, ["added"])).toEqual([])
})

test("a limit that jumps, a size that vanishes and a missing statement are differences", () => {
  expect(differences({ limit: "c" }, { limit: "by region" })).toHaveLength(1)
  expect(differences({ limit: "c" }, { limit: "-inf" })).toHaveLength(1)
  expect(differences({ efficient: "always" }, { efficient: null })).toHaveLength(1)
  expect(differences({ verdict: "accepted" }, { verdict: "refused" })).toHaveLength(1)
})

test("regions that no longer cover a part are a difference", () => {
  const part = [{ where: "c <= 0", limits: { zB: "c" } }]
  const whole = [{ where: "always", limits: { zB: "c" } }]
  expect(differences({ regions: whole }, { regions: part })).toEqual(["regions: they cover different symbol values"])
})

test("entries of a list that carry names are compared by them", () => {
  const [one, two] = [
    { name: "one", stable: "c <= -1" },
    { name: "two", stable: "c <= 0" },
  ]
  const before = { schemes: [one, two] }
  const after = { schemes: [one, { name: "new", stable: "c <= 1" }, { ...two, stable: "c <= 1" }] }
  expect(differences(before, after)).toEqual([
    'schemes.two.stable: "c <= 0" -> "c <= 1"',
    'schemes.new: nothing -> {"name":"new","stable":"c <= 1"}',
  ])
})
