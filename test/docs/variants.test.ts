import { Fraction } from "fraction.js"
import { expect, test } from "vitest"
import { derive } from "../../src/derive/derive.js"
import { formatCondition, parseCondition } from "../../src/exponent/grammar.js"
import { ADAPTER_SCHEMES } from "../../src/scheme/adapters.js"
import { schemeNamed } from "../../src/scheme/catalogue.js"
import { EXPERT_SCHEMES } from "../../src/scheme/experts.js"
import { FACTOR_OPTIMISER_SCHEMES } from "../../src/scheme/factorOptimisers.js"
import { PRECONDITIONED_SCHEMES } from "../../src/scheme/preconditioned.js"
import { scheme } from "../../src/scheme/scheme.js"
import { SPECTRAL_SCHEMES } from "../../src/scheme/spectral.js"
import { variantRows } from "./variantRows.js"

const rows = await variantRows()

test("every variant of the catalogue is in the table", () => {
  const variants = [
    ...FACTOR_OPTIMISER_SCHEMES,
    ...PRECONDITIONED_SCHEMES,
    ...SPECTRAL_SCHEMES,
    ...ADAPTER_SCHEMES,
    ...EXPERT_SCHEMES,
  ]
  const named = new Set(rows.map(({ scheme }) => scheme))
  expect(variants.filter(({ name }) => !named.has(name)).map(({ name }) => name)).toEqual([])
})

test.each(rows)("$variant: $scheme is stable iff $stable, efficient iff $efficient", ({ scheme: name, ...said }) => {
  const { stable, efficient } = derive(scheme(schemeNamed(name)))
  expect(formatCondition(stable)).toBe(said.stable)
  expect(formatCondition(efficient!)).toBe(said.efficient)
})

test.each(rows)("$scheme at $at is on its bound", ({ stable, at }) => {
  const point = new Map(Object.entries(at).map(([name, value]) => [name, new Fraction(value)]))
  const [piece, ...others] = parseCondition(stable).pieces
  expect(others).toEqual([])
  const margins = piece!.map(({ form }) => form.at(point).valueOf())
  expect(Math.max(...margins)).toBe(0)
})
