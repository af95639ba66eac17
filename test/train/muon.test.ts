import { expect, test } from "vitest"
import { schemeNamed } from "../../src/scheme/catalogue.js"
import { scheme } from "../../src/scheme/scheme.js"
import { run } from "../../src/train/run.js"

// At the first step the gradient of B is an outer product, so that U Vᵀ is one too, of Frobenius norm 1: ‖B‖ is η times
// the factor.
test.each([
  ["muon", () => 1],
  ["muon-original", (n: number, r: number) => Math.sqrt(n / r)],
  ["muon-match-rms-adamw", (n: number) => 0.2 * Math.sqrt(n)],
] as const)("the first step of B by %s", (optimiser, factor) => {
  for (const [n, r] of [
    [64, 4],
    [9, 9],
    [100, 3],
  ] as const) {
    const definition = { ...schemeNamed("init-a"), optimiser }
    const { history } = run(scheme(definition, { c: "0" }), { width: n, rank: r, steps: 1, seed: 5 })
    expect(Math.sqrt(history[0]!.meanSquares.b! * n * r)).toBeCloseTo(factor(n, r), 9)
  }
})
