import fc from "fast-check"
import { mean, sampleVariance } from "simple-statistics"
import { describe, expect, test } from "vitest"
import { schemeNamed } from "../../src/scheme/catalogue.js"
import { scheme } from "../../src/scheme/scheme.js"
import { pivotedCholesky } from "../../src/train/pivotedCholesky.js"
import { gaussianStream, gaussians } from "../../src/train/random.js"
import { run } from "../../src/train/run.js"
import { teacherStudentData } from "../../src/train/wasm/teacherStudentData.js"

describe("random numbers", () => {
  test("depend on seed and stream alone; a shorter draw is a prefix of a longer one", () => {
    const [long, short] = [gaussians(7, "A", 101), gaussians(7, "A", 50)]
    expect(long.slice(0, 50)).toEqual(short)
    expect(gaussians(8, "A", 50)).not.toEqual(short)
    expect(gaussians(7, "B", 50)).not.toEqual(short)
  })

  test("have the moments of a standard Gaussian within five standard errors", () => {
    const count = 200_000
    const values = [...gaussians(3, "moments", count)]
    const moment = (k: number) => mean(values.map((v) => v ** k))
    expect(Math.abs(moment(1))).toBeLessThan(5 / Math.sqrt(count))
    expect(Math.abs(moment(2) - 1)).toBeLessThan(5 * Math.sqrt(2 / count))
    expect(Math.abs(moment(4) - 3)).toBeLessThan(5 * Math.sqrt(96 / count))
  })
})

describe("the reference interpreter", () => {
  test("same seed, same bits; another seed, other bits", () => {
    const ready = scheme(schemeNamed("init-a"), { c: "-1/2" })
    const config = { width: 64, rank: 3, steps: 3, seed: 5 }
    expect(run(ready, config)).toEqual(run(ready, config))
    expect(run(ready, config)).not.toEqual(run(ready, { ...config, seed: 6 }))
  })

  test("a run that leaves the finite numbers is recorded, not dropped", () => {
    const wild = scheme(schemeNamed("init-a"), { c: "200" })
    const { outcome, history } = run(wild, { width: 64, rank: 2, steps: 5, seed: 1 })
    expect(outcome.kind).toBe("diverged")
    expect(history.length).toBeLessThanOrEqual(5)
  })
})

describe("the data of the teacher-student experiment", () => {
  test("W_h P drawn through the thin factor has the distribution of the direct product", () => {
    const seeds = Array.from({ length: 400 }, (_, seed) => seed)
    const base = { width: 40, inputs: 2, samples: 3, teacherWidth: 8, readout: 0.5 }
    // Per seed: the first two columns' inner product over n, minus what P'P / n says it is on average.
    const excess = (product: "thin" | "direct") =>
      seeds.map((seed) => {
        const { P, H } = teacherStudentData({ ...base, seed }, product)
        const inner = (M: Float32Array) =>
          Array.from({ length: 40 }, (_, j) => M[j * 3]! * M[j * 3 + 1]!).reduce((x, y) => x + y)
        return (inner(H) - inner(P)) / 40
      })
    const [thin, direct] = [excess("thin"), excess("direct")]
    for (const values of [thin, direct])
      expect(Math.abs(mean(values))).toBeLessThan(4 * Math.sqrt(sampleVariance(values) / seeds.length))
    const ratio = sampleVariance(thin) / sampleVariance(direct)
    expect(Math.abs(Math.log(ratio))).toBeLessThan(4 * Math.sqrt(2 * (4 / seeds.length)))
  })

  test("a root of a Gram matrix reproduces it, singular or not", () => {
    const sizes = fc.record({
      n: fc.integer({ min: 1, max: 12 }),
      N: fc.integer({ min: 1, max: 12 }),
      seed: fc.nat(1000),
    })
    fc.assert(
      fc.property(sizes, fc.boolean(), ({ n, N, seed }, repeated) => {
        const X = gaussians(seed, "X", n * N)
        // A repeated column makes the matrix singular also where n >= N.
        if (repeated) for (let i = 0; i < n; i++) X[i * N] = X[i * N + N - 1]!
        const gram = (M: Float64Array, rows: number) =>
          Float64Array.from({ length: N * N }, (_, at) => {
            let sum = 0
            for (let i = 0; i < rows; i++) sum += M[i * N + Math.floor(at / N)]! * M[i * N + (at % N)]!
            return sum
          })
        const wanted = gram(X, n)
        const { rows, root } = pivotedCholesky(wanted, N, N)
        // Not min(n, N): rounding may leave a singular remainder just above what counts as negligible.
        expect(rows).toBeLessThanOrEqual(N)
        // Truncation leaves at most N ε of the largest entry; N updates, a Gram matrix of n and one of N terms round
        // so.
        const bound = 4 * (2 * N + n) * 2 ** -53 * Math.max(...wanted)
        for (const [at, value] of gram(root, rows).entries())
          expect(Math.abs(value - wanted[at]!)).toBeLessThanOrEqual(bound)
      }),
      { numRuns: 300, examples: [[{ n: 3, N: 5, seed: 700 }, false]] },
    )
  })

  test("a stream of Gaussian numbers is the same in any pieces", () => {
    fc.assert(
      fc.property(fc.array(fc.nat(7), { maxLength: 8 }), (pieces) => {
        const next = gaussianStream(5, "pieces", 2)
        const whole = gaussians(
          5,
          "pieces",
          pieces.reduce((x, y) => x + y, 0),
          2,
        )
        expect(pieces.flatMap((length) => [...next(new Float64Array(length))])).toEqual([...whole])
      }),
    )
  })
})
