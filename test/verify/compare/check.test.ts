import { describe, expect, test } from "vitest"
import { schemeNamed } from "../../../src/scheme/catalogue.js"
import type { SchemeDefinition } from "../../../src/scheme/scheme.js"
import { check } from "../../../verify/compare/check.js"

const options = { widths: [256, 512, 1024, 2048, 4096, 8192], seeds: 8, workers: 0 }

/** Init[A] under sign descent on a squared loss. */
const definition: SchemeDefinition = { ...schemeNamed("init-a"), optimiser: "sign", loss: "squared" }

describe("sign descent on a squared loss", () => {
  test("beyond its stable rate two steps undo each other, and the check names the flip", async () => {
    const claims = await check(definition, { ...options, at: { c: "-1/4" } })
    const wrong = claims.filter(({ verdict }) => verdict === "contradicts")
    // The second step takes B back to B0 = 0 exactly, where the algebra says c.
    expect(wrong.map(({ quantity, step }) => `${quantity}@${step}`)).toContain("b@2")
    expect(wrong.map(({ cause }) => cause).filter((cause) => !cause?.includes("sign flip"))).toEqual([])
  })
  test("far below it no sign flips and the derived exponents hold", async () => {
    const claims = await check(definition, { ...options, at: { c: "-5/4" } })
    expect(claims.filter(({ verdict }) => verdict === "contradicts")).toEqual([])
    expect(claims.filter(({ verdict }) => verdict === "agrees").length).toBeGreaterThan(claims.length / 2)
  })
})

test("clipped gradient descent follows its derived exponents where nearly every step is clipped", async () => {
  const claims = await check(schemeNamed("clip-sgd-init-a"), options)
  const sizes = claims.filter(({ quantity }) => !quantity.startsWith("alignment"))
  expect(sizes.filter(({ verdict }) => verdict === "contradicts")).toEqual([])
  expect(sizes.filter(({ verdict }) => verdict === "agrees").length).toBeGreaterThan(sizes.length / 2)
  // By hand (test/derive/clip.test.ts): at c = 0, Z_A is n^(1/2), B n^(-1/2) and Z_B n^0 from t = 3 on.
  const derivedAt3 = (name: string) => sizes.find(({ quantity, step }) => quantity === name && step === 3)!.derived
  expect(["zA", "b", "zB", "delta1", "delta2", "delta3"].map(derivedAt3)).toEqual(["1/2", "-1/2", "0", "0", "0", "0"])
})
