import { expect, test } from "vitest"
import { schemeNamed } from "../../../src/scheme/catalogue.js"
import { check } from "../../../verify/compare/check.js"
import { variantRows } from "../../docs/variantRows.js"

/** Scaled AdamW in turn is seen at wider widths: preconditioned.test.ts. */
const rows = (await variantRows()).filter(({ scheme }) => scheme !== "scaled-adam-in-turn-init-a")

/** An ε above the gradient is one more term in each fit, which takes more seeds to decide. */
const SEEDS: Readonly<Record<string, number>> = { "expert-epsilon-init-a": 64 }

const options = { widths: [256, 512, 1024, 2048, 4096, 8192], seeds: 16, workers: 0 }

test.each(rows)("$scheme at $at follows its derived exponents", async ({ scheme, at }) => {
  const claims = await check(schemeNamed(scheme), { ...options, seeds: SEEDS[scheme] ?? options.seeds, at })
  expect(claims.filter(({ verdict }) => verdict === "contradicts")).toEqual([])
  expect(claims.filter(({ verdict }) => verdict === "agrees").length).toBeGreaterThan(claims.length / 2)
})
