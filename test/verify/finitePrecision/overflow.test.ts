import fc from "fast-check"
import { afterAll, beforeAll, describe, expect, test } from "vitest"
import { growths } from "../../../src/fit/extremes.js"
import { schemeNamed } from "../../../src/scheme/catalogue.js"
import { openStore, type Store } from "../../../src/sweep/store.js"
import { createPool } from "../../../src/train/pool.js"
import { precisionOf } from "../../../src/train/precisionConfig.js"
import { LOST_BUDGET, lostUpdates } from "../../../verify/finitePrecision/lostUpdates.js"
import {
  judgeOverflow,
  type OverflowCase,
  type OverflowRuns,
  overflow,
  type PredictedTensor,
} from "../../../verify/finitePrecision/overflow.js"
import { theoryWide, WIDE_BUDGET } from "../../../verify/theory/theoryWide.js"

let store: Store
beforeAll(async () => {
  store = await openStore(":memory:", {})
})
afterAll(() => store.close())
const options = () => ({ pool: createPool(0), store })

describe("the growth of a largest entry", () => {
  const widths = [64, 128, 256, 512, 1024]
  const shape = {
    exponent: fc.double({ min: 0.2, max: 2, noNaN: true }),
    size: fc.double({ min: 0.01, max: 10, noNaN: true }),
  }

  test("a power is found exactly, and so is a power times the largest of n Gaussians", () => {
    fc.assert(
      fc.property(fc.record(shape), fc.boolean(), ({ exponent, size }, hasFactor) => {
        const value = (n: number) => size * n ** exponent * (hasFactor ? Math.sqrt(2 * Math.log(n)) : 1)
        const [best] = growths(widths.map((width) => ({ width, largest: value(width) })))
        expect(best!.model).toBe(hasFactor ? "n^e sqrt(2 ln n)" : "n^e")
        expect(best!.exponent).toBeCloseTo(exponent, 6)
        expect(best!.widthAt(value(5000)) / 5000).toBeCloseTo(1, 4)
      }),
    )
  })

  test("what does not grow never reaches a size; zeros and too few widths give no fit", () => {
    const constant = growths(widths.map((width) => ({ width, largest: 3 / width })))
    expect(constant[0]!.widthAt(65504)).toBe(Number.POSITIVE_INFINITY)
    expect(growths(widths.map((width) => ({ width, largest: width === 64 ? 0 : 1 })))).toEqual([])
    expect(growths([{ width: 2, largest: 1 }])).toEqual([])
  })
})

describe("an overflow predicted and met", () => {
  const first: PredictedTensor = {
    tensor: "loss",
    format: "float16",
    model: "n^e",
    exponent: 0.5,
    width: 1000,
    otherWidth: 900,
    range: [950, 1050],
  }
  const runs = (...tensors: (string | null)[]): OverflowRuns[] =>
    tensors.map((tensor, i) => ({
      width: Math.round(500 * Math.SQRT2 ** i),
      overflowed: tensor === null ? {} : { [tensor]: 3 },
      seeds: 3,
    }))

  test("is judged by the tensor and by a factor of two", () => {
    expect(judgeOverflow(first, runs(null, null, "loss", "loss", "loss"))).toMatchObject({
      verdict: "met",
      met: { tensor: "loss", width: 1000, above: 707 },
    })
    expect(judgeOverflow(first, runs(null, null, null, null, "loss")).verdict).toBe("met")
    expect(judgeOverflow(first, runs(null, null, "zA", "loss", "loss")).verdict).toBe("missed")
    expect(judgeOverflow(first, runs("loss", "loss", "loss", "loss", "loss")).verdict).toBe("missed")
    expect(judgeOverflow(first, runs(null, null, null, null, null)).verdict).toBe("missed")
    expect(judgeOverflow(null, runs(null)).verdict).toBe("met")
    expect(judgeOverflow(null, runs("zA")).verdict).toBe("missed")
  })

  const initA: OverflowCase = {
    name: "init-a",
    setting: { definition: { ...schemeNamed("init-a"), optimiser: "sign" }, values: { c: "-1/2" } },
    rateConstant: 14,
    steps: 3,
    rank: 4,
    precision: precisionOf("float16"),
    fitWidths: [64, 128, 256, 512, 1024],
    seeds: 3,
    firstSeed: 14_000_000,
    widest: 16384,
  }

  test("Init[A], linear loss: the loss first", async () => {
    const { verdict, predicted, met } = await overflow(initA, options())
    expect(verdict).toBe("met")
    expect(met!.tensor).toBe("loss")
    // By hand, A₀ left out: before step t every entry of B is (t − 1) η₀ n^(−1/2), every one of Z_A (t − 2) η₀ √(2n/π)
    // and the readout's sum of magnitudes √(2n/π), so that the loss is r (t − 1) (t − 2) η₀² (2/π) √n = 998 √n at t =
    // 3.
    const byHand = (65520 / (4 * 2 * 14 ** 2 * (2 / Math.PI))) ** 2
    expect(Math.abs(Math.log(predicted[0]!.width / byHand))).toBeLessThan(Math.log(2))
    expect(Math.abs(Math.log(met!.width / byHand))).toBeLessThan(Math.log(2))
    expect(predicted[0]!.exponent).toBeCloseTo(0.5, 1)
  })

  test("in bfloat16, whose range is float32's, nothing does", async () => {
    const { verdict, predicted, runs } = await overflow({ ...initA, precision: precisionOf("bfloat16") }, options())
    expect({ verdict, predicted }).toEqual({ verdict: "met", predicted: [] })
    expect(runs).toEqual([{ width: 16384, overflowed: {}, seeds: 3 }])
  })

  test("beyond the widest width it stays an extrapolation", async () => {
    expect((await overflow({ ...initA, widest: 2048 }, options())).verdict).toBe("extrapolated")
  })
})

test("the part of B's updates that bfloat16 loses is that of B0's distribution", async () => {
  const verdict = await lostUpdates({ ...LOST_BUDGET, seeds: 2 }, options())
  expect(verdict.verdict).toBe("met")
  expect(verdict.predicted).toBe(1024)
})

test("theory-wide at narrow widths: within the tolerance but for noise", async () => {
  const widths = [13, 12, 11, 10, 9, 8].map((k) => 2 ** k)
  const slopes = await theoryWide({ ...WIDE_BUDGET, widths }, options())
  expect(slopes.length).toBe(3 * 3 * 6)
  for (const { slope, derived, within } of slopes)
    if (derived.kind === "power") expect(within).toBe(Math.abs(slope! - derived.exponent.valueOf()) <= 0.02)
  // Z_A of the first step is that of 128 numbers a width; B and what is aligned is known far better.
  const sharp = slopes.filter(({ id }) => /\/(b|delta1|delta3)@/.test(id))
  expect(sharp.length).toBe(27)
  expect(sharp.filter(({ within }) => !within)).toEqual([])
})
