import { expect, test } from "vitest"
import { schemeNamed } from "../../../src/scheme/catalogue.js"
import { check } from "../../../verify/compare/check.js"

const options = { widths: [256, 512, 1024, 2048, 4096, 8192], seeds: 8, workers: 0, steps: 4 }

test.each([
  ["adam-a-muon-b", { cA: "-1", cB: "1/2" }],
  ["adam-a-muon-b", { cA: "-1/2", cB: "1/4" }],
  ["scaled-sgd-init-a", { c: "-1/2" }],
  ["scaled-sgd-init-a", { c: "-1/4" }],
  ["scaled-sgd-init-a", { c: "0", o: "1" }],
  ["scaled-sgd-init-b", { c: "-1/2" }],
  ["scaled-adam-init-a", { c: "-1/2" }],
  ["scaled-adam-in-turn-init-a", { c: "-1/4" }],
  ["lora-rite-init-a", { c: "0" }],
  ["lora-rite-init-a", { c: "1/4" }],
  ["lora-rite-init-b", { c: "-1/4" }],
  ["lora-rite-mean-init-a", { c: "-1/2" }],
])("%s at %o follows its derived exponents", async (name, at) => {
  const claims = await check(schemeNamed(name), { ...options, at })
  expect(claims.filter(({ verdict }) => verdict === "contradicts")).toEqual([])
  expect(claims.filter(({ verdict }) => verdict === "agrees").length).toBeGreaterThan(claims.length / 2)
})
