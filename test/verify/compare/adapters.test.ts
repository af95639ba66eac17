import { expect, test } from "vitest"
import { schemeNamed } from "../../../src/scheme/catalogue.js"
import { check } from "../../../verify/compare/check.js"

const options = { widths: [256, 512, 1024, 2048, 4096, 8192], workers: 0 }

test.each<[string, Record<string, string>, number?]>([
  ["vera", { cb: "-1/2", cd: "1/2" }],
  ["lora-xs", { c: "0", sigma: "0", k: "0" }],
  ["lora-xs", { c: "1/2", sigma: "1/4", k: "1/4" }],
  ["dora", { c: "-1/2", cm: "-1/2" }],
  ["dora", { c: "-1/4", cm: "0" }, 32],
  // Beside one rate for both diagonals, on the same edge of efficiency.
  ["vera", { cb: "-1/4", cd: "1/4" }],
  ["dora-detached", { c: "-3/4", cm: "1/4" }],
])("%s at %o follows its derived exponents", async (name, at, seeds = 8) => {
  const claims = await check(schemeNamed(name), { ...options, at, seeds })
  expect(claims.filter(({ verdict }) => verdict === "contradicts")).toEqual([])
  expect(claims.filter(({ verdict }) => verdict === "agrees").length).toBeGreaterThan(claims.length / 2)
})
