import { expect, test } from "vitest"
import { loraPlus } from "../../../src/scheme/loraPlus.js"
import type { SchemeDefinition } from "../../../src/scheme/scheme.js"
import { check } from "../../../verify/compare/check.js"

const options = { at: { cA: "-1", cB: "0" }, widths: [64, 128, 256, 512, 1024], seeds: 8, steps: 3, workers: 0 }

/** LoRA+ on sites of a Llama block. */
const at = (...sites: string[]): SchemeDefinition => ({ ...loraPlus, batch: 4, model: { kind: "llama-block", sites } })

/**
 * LoRA+'s rates (−1, 0) keep Z_B = O(1) in one layer ([LoRA+]). Behind the adapter of v that of o grows: derived
 * n^(1/2), and seen to grow, where alone it is seen to stay.
 */
test("LoRA+ at (-1, 0) is not stable where one adapter follows another: v, then o", async () => {
  const [alone, behind] = [await check(at("o"), options), await check(at("v", "o"), options)]
  expect([...alone, ...behind].filter(({ verdict }) => verdict === "contradicts")).toEqual([])
  const last = (claims: typeof alone) => claims.find(({ quantity, step }) => quantity === "zB[o]" && step === 3)!
  expect([alone, behind].map((claims) => last(claims).derived)).toEqual(["0", "1/2"])
  const [low, high] = last(alone).slopeInterval!
  expect(low! < 0 && high! > 0).toBe(true)
  expect(last(behind).slopeInterval![0]).toBeGreaterThan(0)
})
