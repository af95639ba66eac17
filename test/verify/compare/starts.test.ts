import { expect, test } from "vitest"
import { schemeNamed } from "../../../src/scheme/catalogue.js"
import type { SchemeDefinition } from "../../../src/scheme/scheme.js"
import { check } from "../../../verify/compare/check.js"

const options = { widths: [256, 512, 1024, 2048, 4096, 8192], seeds: 16, workers: 0 }

/** A head on a block as in Llama, beside values. */
const head: SchemeDefinition = {
  ...schemeNamed("init-a"),
  name: "head-of-a-block",
  batch: 4,
  model: { kind: "llama-block", sites: ["lm_head"] },
}

test.each<[SchemeDefinition, Record<string, string>, object]>([
  [schemeNamed("lora-one"), { c: "-3/4", sigma: "-1/4" }, {}],
  [schemeNamed("lora-one-scaled"), { c: "-3/4", sigma: "-1/4" }, {}],
  [schemeNamed("adafactor-init-a"), { c: "-1/4" }, {}],
  [schemeNamed("expert-epsilon-init-a"), { c: "1/4", e: "1/2" }, {}],
  [head, { c: "-1/2" }, { widths: [64, 128, 256, 512, 1024] }],
])("$name at %o follows its derived exponents", async (definition, at, given) => {
  const claims = await check(definition, { ...options, ...given, at })
  expect(claims.filter(({ verdict }) => verdict === "contradicts")).toEqual([])
  expect(claims.filter(({ verdict }) => verdict === "agrees").length).toBeGreaterThan(claims.length / 3)
})
