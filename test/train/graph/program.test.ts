import fc from "fast-check"
import { describe, expect, test } from "vitest"
import { CATALOGUE, schemeNamed } from "../../../src/scheme/catalogue.js"
import { scheme } from "../../../src/scheme/scheme.js"
import { GraphFailure } from "../../../src/train/graph/engine.js"
import { OnnxGraph } from "../../../src/train/graph/onnxGraph.js"
import { runProgram } from "../../../src/train/graph/program.js"
import { run } from "../../../src/train/run.js"
import { boundedRun, expectWithinRun } from "../boundedRun.js"
import { computes } from "../operationsOf.js"
import { engineForTests } from "./engine.js"

const engine = await engineForTests()
const READ = CATALOGUE.filter((definition) => !computes(definition, "orthogonalise", "precondition"))

/** Root, sum and quotient of Adam's direction are rounded once each, and ε before. */
const QUOTIENT = 4

async function within(
  definition: (typeof READ)[number],
  config: { width: number; rank: number; steps: number; seed: number },
) {
  const ready = scheme(definition, definition.example ?? {})
  const { seed, ...shared } = config
  const [, result] = await runProgram(engine!, ready, shared, [seed + 1, seed])
  return expectWithinRun(boundedRun(ready, config, QUOTIENT), result!, definition.name)
}

describe.skipIf(engine === null)("schemes' programs as graphs", () => {
  test.each(READ)("$name stays within float32's rounding of the exact program", async (definition) => {
    const { narrow } = await within(definition, { width: 12, rank: 2, steps: 1, seed: 3 })
    // Bounds that say nothing would be met by anything.
    expect(narrow).toBeGreaterThan(0)
  })

  test("random schemes, widths, ranks and seeds stay within it for three steps", async () => {
    let [narrow, all] = [0, 0]
    const config = fc.record({
      width: fc.integer({ min: 2, max: 24 }),
      rank: fc.integer({ min: 1, max: 3 }),
      seed: fc.nat(1000),
      steps: fc.constant(3),
    })
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...READ), config, async (definition, given) => {
        const found = await within(definition, given)
        narrow += found.narrow
        all += found.all
      }),
      {
        numRuns: 60,
        // The square of DoRA's norm after a change of A alone is below zero: there is no number.
        examples: [[schemeNamed("dora-detached"), { width: 3, rank: 2, seed: 6, steps: 3 }]],
      },
    )
    expect(narrow / all).toBeGreaterThan(0.5)
  })

  test("loss, alignments, turned residuals and outcomes are the reference interpreter's", async () => {
    const ready = scheme(schemeNamed("squared-init-a"), { c: "-1/4" })
    const config = { width: 60, rank: 2, steps: 4 }
    const results = await runProgram(engine!, ready, config, [1, 2, 3])
    results.forEach(({ history, outcome }, i) => {
      const exact = run(ready, { ...config, seed: i + 1 })
      expect(outcome).toEqual(exact.outcome)
      history.forEach(({ loss, flipped, meanSquares }, step) => {
        const expected = exact.history[step]!
        expect(loss / expected.loss).toBeCloseTo(1, 3)
        expect(flipped).toBe(expected.flipped)
        expect(Object.keys(meanSquares)).toEqual(Object.keys(expected.meanSquares))
      })
    })
  })

  test("a run that diverges stops where it does and leaves its neighbours alone", async () => {
    const definition = { ...schemeNamed("squared-sgd-init-a"), rateConstants: { A: 1e12, B: 1e12 } }
    const ready = scheme(definition, definition.example ?? {})
    const [one, other] = await runProgram(engine!, ready, { width: 16, rank: 2, steps: 40 }, [1, 2])
    for (const result of [one!, other!]) {
      expect(result.outcome.kind).toBe("diverged")
      expect(result.history.at(-1)!.step).toBe((result.outcome as { step: number }).step)
    }
  })

  test("the same seed gives the same bits, alone or in a batch", async () => {
    const ready = scheme(schemeNamed("two-layers-init-a"), schemeNamed("two-layers-init-a").example ?? {})
    const config = { width: 50, rank: 2, steps: 3 }
    const batch = await runProgram(engine!, ready, config, [4, 5, 6])
    const [alone] = await runProgram(engine!, ready, config, [5])
    expect(alone).toEqual(batch[1])
  })

  test("what a graph cannot do is refused by name", async () => {
    const muon = scheme(schemeNamed("muon-init-a"), schemeNamed("muon-init-a").example ?? {})
    const attempt = runProgram(engine!, muon, { width: 8, rank: 2, steps: 1 }, [1])
    await expect(attempt).rejects.toThrow(GraphFailure)
    await expect(attempt).rejects.toThrow(/orthogonalise/)
    const layers = scheme(schemeNamed("two-layers-init-a"), schemeNamed("two-layers-init-a").example ?? {})
    const wide = runProgram(engine!, layers, { width: 4096, rank: 2, steps: 1 }, [1])
    await expect(wide).rejects.toThrow("frozen n×n matrices of 128 MiB a run, more than 16 MiB")
  })

  test("the engine's tanh is within six units in the last place", async () => {
    const graph = new OnnxGraph()
    graph.output("y", graph.node("Tanh", [graph.input("x")]))
    const session = await engine!.session(graph.model())
    const x = Float32Array.from({ length: 2 ** 16 }, (_, i) => 2 ** (-80 + i / 780) * (i % 2 === 0 ? 1 : -1))
    const { y } = await session.run({ x: engine!.tensor(x, [x.length]) })
    const found = y!.data as Float32Array
    const worst = Math.max(
      ...x.map((at, i) => {
        const exact = Math.tanh(at)
        return Math.abs(found[i]! - exact) / 2 ** (Math.floor(Math.log2(Math.abs(exact))) - 23)
      }),
    )
    expect(worst).toBeLessThanOrEqual(6)
  })
})
