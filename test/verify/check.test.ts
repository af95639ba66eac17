import { describe, expect, test } from "vitest"
import { schemeNamed } from "../../src/scheme/catalogue.js"
import type { SchemeDefinition } from "../../src/scheme/scheme.js"
import { check } from "../../verify/check.js"

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
