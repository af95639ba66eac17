import fc from "fast-check"
import { describe, expect, test } from "vitest"
import { derive } from "../../src/derive/derive.js"
import { boundTransfer } from "../../src/derive/transfer.js"
import { schemeNamed } from "../../src/scheme/catalogue.js"
import { scheme } from "../../src/scheme/scheme.js"

const initA = derive(scheme(schemeNamed("init-a"), {}))
const ranked = derive(scheme(schemeNamed("init-a"), {}, ["rho"]))
const width = fc.integer({ min: 64, max: 65536 })

describe("moving a rate by the bound", () => {
  test("at a fixed rank: the paper's exponents, and twice the move is the move of the product", () => {
    fc.assert(
      fc.property(width, width, width, (n, m, k) => {
        const factor = (from: number, to: number) =>
          boundTransfer(initA, "features", { width: from, rank: 4 }, { width: to, rank: 4 })!.factor
        expect(factor(n, m)).toBeCloseTo((m / n) ** -0.5, 9)
        expect(Math.log(factor(n, m) * factor(m, k))).toBeCloseTo(Math.log(factor(n, k)), 9)
      }),
    )
    const initB = derive(scheme(schemeNamed("init-b"), {}))
    const [from, to] = [
      { width: 1024, rank: 4 },
      { width: 4096, rank: 4 },
    ]
    expect(boundTransfer(initB, "features", from, to)!.factor).toBeCloseTo(1 / 4, 9)
    // Output level at o = 1/2: -3/4 for Init[A].
    expect(boundTransfer(initA, "output", from, to)!.factor).toBeCloseTo(4 ** -0.75, 9)
  })
  test("a rank that grows: n^(-(1 + rho)/2) is (n r)^(-1/2)", () => {
    const moved = boundTransfer(ranked, "features", { width: 1024, rank: 4 }, { width: 4096, rank: 16 })!
    expect(moved.factor).toBeCloseTo(1 / 4, 9)
    expect(moved.crosses).toBe(false)
  })
  test("two free rates have no single bound", () => {
    const loraPlus = derive(scheme(schemeNamed("lora-plus"), {}))
    expect(boundTransfer(loraPlus, "features", { width: 64, rank: 4 }, { width: 128, rank: 4 })).toBeNull()
  })
})
