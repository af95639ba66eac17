import { expect, test } from "vitest"
import { termsOf } from "../../src/derive/terms.js"
import { schemeNamed } from "../../src/scheme/catalogue.js"
import { type Scheme, scheme } from "../../src/scheme/scheme.js"
import { run } from "../../src/train/run.js"

const historyOf = (own: Scheme, width = 64) => run(own, { width, rank: 4, steps: 3, seed: 1 }).history

/** Attention saturates at 1, so that what it is given is the change of its scores: of the first head, a quantity. */
test("what a saturating function is given is recorded over its scale, as numbers and as exponents", () => {
  const own = scheme(schemeNamed("llama-block/init-a"), { c: "-1/4" })
  const [first] = historyOf(own)
  const heads = Object.entries(first!.saturations!).filter(([, reached]) => reached === first!.meanSquares.scores)
  expect(heads.map(([name]) => name).join()).toMatch(/^attention/)
  const terms = termsOf(own)
  const exponentOf = (name: string) => {
    const derived = terms(name, 1)
    return derived.kind === "power" && derived.exponent.toFraction()
  }
  for (const [name] of heads) expect(exponentOf(name)).toBe(exponentOf("scores"))
})

test("a program without a saturating function records none", () => {
  const [first] = historyOf(scheme(schemeNamed("init-a"), { c: "-1/2" }))
  expect(first).not.toHaveProperty("saturations")
})
