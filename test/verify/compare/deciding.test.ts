import { expect, test } from "vitest"
import { seedsToDecide } from "../../../verify/compare/deciding.js"

test("half the width takes four times the seeds", () => {
  expect(seedsToDecide({ low: -0.3, high: 0.3 }, 0.15, 8)).toBe(32)
  expect(seedsToDecide({ low: -0.1, high: 0.1 }, 0.1, 8)).toBe(8)
})
