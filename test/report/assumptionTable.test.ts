import { expect, test } from "vitest"
import { assumptionTable } from "../../src/report/assumptionTable.js"

test("what is assumed of several things is said once, with the words that they share at the first", () => {
  const independent = "independent and centred, to the power 1/2"
  const { rows } = assumptionTable([
    `sum of a part along A with a part along x: ${independent}`,
    "leading terms of a sum do not cancel",
    "sum of a part along x with another along it: aligned",
    `sum of a part along A with a part along y: ${independent}`,
    `sum of a part along B with a part along x: ${independent}`,
    `sum of a part along C with a part along x: ${independent}`,
    `sum of a part along D with the even part: ${independent}`,
    `sum of a part along D with a part along x: ${independent}`,
    "sum of a part along y with another along it: aligned",
  ])
  expect(rows).toEqual([
    [independent, "sum of a part along A", "a part along x; y"],
    [null, "sum of a part along B; C", "a part along x"],
    [null, "sum of a part along D", "the even part; a part along x"],
    ["leading terms of a sum do not cancel", "", ""],
    ["aligned", "sum of a part along x; y", "another along it"],
  ])
})
