import fc from "fast-check"
import { mean, sampleVariance } from "simple-statistics"
import { describe, expect, test } from "vitest"
import { Affine } from "../../src/exponent/affine.js"
import { networkLayer } from "../../src/program/network.js"
import type { Node } from "../../src/program/node.js"
import { OPTIMISERS } from "../../src/program/optimiser.js"
import { trainingStep } from "../../src/program/program.js"
import { schemeNamed } from "../../src/scheme/catalogue.js"
import { scheme } from "../../src/scheme/scheme.js"
import { openTrainer } from "../../src/train/backend.js"
import type { Matrix } from "../../src/train/matrix.js"
import { gaussians } from "../../src/train/random.js"
import { evaluate, type Sizes, zeros } from "../../src/train/reference.js"
import { run } from "../../src/train/run.js"
import type { SyntheticConfig } from "../../src/train/syntheticConfig.js"
import { startOf, syntheticData } from "../../src/train/syntheticData.js"

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

const config = fc.record({
  width: fc.integer({ min: 1, max: 24 }),
  rank: fc.integer({ min: 1, max: 6 }),
  inputs: fc.integer({ min: 1, max: 4 }),
  samples: fc.integer({ min: 2, max: 9 }),
  teacherWidth: fc.constant(16),
  readout: fc.constantFrom(0.5, 1),
  steps: fc.constant(4),
  seed: fc.nat(1000),
  start: fc.constantFrom({ A: 0.5, B: 0 }, { A: 0, B: 0.5 }, { A: 0.3, B: 0.4 }),
  rates: fc.constantFrom({ A: 0.01, B: 0.01 }, { A: 0.003, B: 0.1 }),
  recordEvery: fc.constant(1),
})

/** The same run by the program and the reference interpreter. */
function referenceRun(run: SyntheticConfig): { loss: number; zA: number; zB: number }[] {
  const data = syntheticData(run)
  const motion = (constant: number) => ({ rate: { constant, power: Affine.ZERO }, weightDecay: 0, shrinkage: 0 })
  const program = trainingStep(networkLayer(run.samples), OPTIMISERS.adam, { constant: 1e-8, power: null }, false, [
    { A: motion(run.rates.A), B: motion(run.rates.B) },
  ])
  const sizes: Sizes = { n: run.width, nIn: run.width, r: run.rank, samples: run.samples, one: 1 }
  const given: Record<string, Float64Array> = {
    P: Float64Array.from(data.P),
    H: Float64Array.from(data.H),
    wOut: data.wOut,
    minusY: data.y.map((y) => -y),
  }
  const frozen = program.layer.frozen.map(({ node }): [Node, Matrix] => {
    const name = node.operation.op === "leaf" ? node.operation.name : ""
    return [node, { ...zeros(node, sizes), data: given[name]! }]
  })
  const { A, B } = startOf(run)
  let state = new Map<Node, Matrix>([...program.next.keys()].map((leaf) => [leaf, zeros(leaf, sizes)]))
  state.set(program.starts[0]!.A, { ...zeros(program.starts[0]!.A, sizes), data: A })
  state.set(program.starts[0]!.B, { ...zeros(program.starts[0]!.B, sizes), data: B })
  const rms = ({ data: values }: Matrix) => Math.sqrt(values.reduce((sum, v) => sum + v * v, 0) / values.length)
  return Array.from({ length: run.steps }, (_, i) => {
    const { zA, zB } = program.quantities
    const values = evaluate(
      [program.loss, zA!, zB!, ...program.next.values()],
      new Map([...frozen, ...state]),
      sizes,
      i + 1,
    )
    state = new Map([...program.next].map(([leaf, value]) => [leaf, values.get(value)!]))
    return { loss: values.get(program.loss)!.data[0]!, zA: rms(values.get(zA!)!), zB: rms(values.get(zB!)!) }
  })
}

describe("the kernel of the teacher-student experiment", () => {
  test("agrees with the reference interpreter on the same program, in float64", async () => {
    await fc.assert(
      fc.asyncProperty(config, async (run) => {
        const trainer = await openTrainer(run, { precision: "float64" })
        const { history } = await trainer.train(run)
        referenceRun(run).forEach(({ loss, zA, zB }, i) => {
          // The program's loss is that before step i + 1, its quantities are those after it.
          expect(history[i]!.loss).toBeCloseTo(loss, 8)
          expect(history[i + 1]!.zA).toBeCloseTo(zA, 8)
          expect(history[i + 1]!.zB).toBeCloseTo(zB, 8)
        })
      }),
      { numRuns: 60 },
    )
  })

  test("divergence is recorded with its step", async () => {
    const run: SyntheticConfig = {
      ...fc.sample(config, { numRuns: 1, seed: 1 })[0]!,
      width: 32,
      rank: 4,
      start: { A: 0.5, B: 0 },
      rates: { A: 1e6, B: 1e6 },
      steps: 20,
    }
    const trainer = await openTrainer(run)
    expect((await trainer.train(run)).outcome.kind).toBe("diverged")
  })

  test("the number of threads over rows changes no bit", async () => {
    const run: SyntheticConfig = {
      ...fc.sample(config, { numRuns: 1, seed: 1 })[0]!,
      width: 1100,
      rank: 6,
      samples: 20,
      steps: 12,
    }
    const results = []
    for (const threads of [1, 2, 3]) {
      const trainer = await openTrainer(run, { threads })
      results.push(await trainer.train(run), await trainer.train(run))
      await trainer.close()
    }
    for (const result of results) expect(result).toEqual(results[0])
  })

  test("W_h P drawn through the thin factor has the distribution of the direct product", () => {
    const seeds = Array.from({ length: 400 }, (_, seed) => seed)
    const base = { width: 40, inputs: 2, samples: 3, teacherWidth: 8, readout: 0.5 }
    // Per seed: the first two columns' inner product over n, minus what P'P / n says it is on average.
    const excess = (product: "thin" | "direct") =>
      seeds.map((seed) => {
        const { P, H } = syntheticData({ ...base, seed }, product)
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
})
