import fc from "fast-check"
import { describe, expect, test } from "vitest"
import { Affine } from "../../src/exponent/affine.js"
import { type Dimension, dimension } from "../../src/program/dimension.js"
import { inOrder, Node } from "../../src/program/node.js"
import type { OptimiserName } from "../../src/program/optimiser.js"
import { schemeNamed } from "../../src/scheme/catalogue.js"
import { type SchemeDefinition, scheme } from "../../src/scheme/scheme.js"
import type { SpaceSizes } from "../../src/train/numbers.js"
import { FORMATS } from "../../src/train/precision.js"
import { precisionOf } from "../../src/train/precisionConfig.js"
import { gaussians } from "../../src/train/random.js"
import { evaluate } from "../../src/train/reference.js"
import { run } from "../../src/train/run.js"

const NAMES = ["init-a", "init-b", "lora-plus", "two-layers-init-a", "peft-lora-ga", "squared-init-a"] as const

const setting = fc.record({
  name: fc.constantFrom(...NAMES),
  width: fc.integer({ min: 2, max: 40 }),
  seed: fc.nat(1000),
})

function trained(name: string, optimiser: OptimiserName, clip: string | undefined, width: number, seed: number) {
  const definition: SchemeDefinition = { ...schemeNamed(name), optimiser, ...(clip === undefined ? {} : { clip }) }
  return run(scheme(definition, definition.example ?? {}), { width, rank: 3, steps: 4, seed })
}

const histories = ({ history }: ReturnType<typeof run>) => history

describe("the same bits as without clipping", () => {
  test("under a bound above every norm", () => {
    fc.assert(
      fc.property(setting, fc.constantFrom("adam", "sgd", "momentum", "lion"), ({ name, width, seed }, optimiser) => {
        const bounded = trained(name, optimiser, "40", width, seed)
        expect(histories(bounded)).toEqual(histories(trained(name, optimiser, undefined, width, seed)))
      }),
      { numRuns: 40 },
    )
  })

  test("under sign descent, whatever the bound", () => {
    fc.assert(
      fc.property(setting, fc.constantFrom("-2", "-1/2", "0", "1"), ({ name, width, seed }, clip) => {
        const bounded = trained(name, "sign", clip, width, seed)
        expect(histories(bounded)).toEqual(histories(trained(name, "sign", undefined, width, seed)))
      }),
      { numRuns: 40 },
    )
  })
})

const sizes: SpaceSizes = { n: 7, nIn: 5, r: 3, samples: 2, one: 1 }
const [n, nIn, r] = ["n", "nIn", "r"].map((name) => dimension(name)) as [Dimension, Dimension, Dimension]
const A = Node.leaf("A", "trained", [r, nIn])
const B = Node.leaf("B", "trained", [n, r])
const norm = Node.norm([A, B])

/** The two tensors clipped to a bound, and their joint norm before. */
function clippedTo(bound: number, a: Float64Array, b: Float64Array) {
  const nodes = [A, B].map((node) => node.clip(norm, { constant: bound, power: Affine.ZERO }))
  const values = evaluate(
    [norm, ...nodes],
    new Map([
      [A, { rows: 3, columns: 5, data: a }],
      [B, { rows: 7, columns: 3, data: b }],
    ]),
    sizes,
    1,
  )
  return { before: values.get(norm)!.data[0]!, after: nodes.map((node) => values.get(node)!.data) }
}

describe("a clipped tensor", () => {
  const scale = fc.double({ min: 1e-6, max: 1e6, noNaN: true })
  test("has the joint norm min(norm, bound) up to rounding, and its direction", () => {
    fc.assert(
      fc.property(fc.nat(1000), scale, scale, (seed, size, bound) => {
        const [a, b] = [gaussians(seed, "A", 15, size), gaussians(seed, "B", 21, size)]
        const { before, after } = clippedTo(bound, a, b)
        const joint = Math.sqrt(after.flatMap((data) => [...data]).reduce((sum, x) => sum + x * x, 0))
        // 36 squares summed, a root, a quotient and a product, twice over.
        expect(Math.abs(joint - Math.min(before, bound))).toBeLessThanOrEqual(80 * 2 ** -53 * bound)
        const factor = Math.min(1, bound / before)
        for (const [i, x] of a.entries())
          expect(Math.abs(after[0]![i]! - factor * x)).toBeLessThanOrEqual(4 * 2 ** -53 * Math.abs(x))
      }),
    )
  })

  test("that is zero stays zero", () => {
    const { before, after } = clippedTo(1, new Float64Array(15), new Float64Array(21))
    expect(before).toBe(0)
    expect(after.flatMap((data) => [...data])).toEqual(Array(36).fill(0))
  })
})

describe("in a precision", () => {
  const config = { width: 32, rank: 2, steps: 3, seed: 1 }
  const clipped = scheme(schemeNamed("clip-sgd-init-a"), { c: "-1/4" })

  test("float64 gives the bits of the plain run", () =>
    expect(run(clipped, { ...config, precision: precisionOf("float64") }).history).toEqual(
      run(clipped, config).history,
    ))

  test("the norm has the format of sums, what is clipped that of gradients", () => {
    const precision = precisionOf("float16", { accumulator: "float32", state: "float32", gradients: "bfloat16" })
    const { tensors } = run(clipped, { ...config, precision }).precision!
    expect(tensors["norm of gradient of A, gradient of B"]!.format).toBe("float32")
    // Under gradient descent the clipped gradient is the direction of the step.
    expect(tensors["direction of A"]!.format).toBe("bfloat16")
  })

  test("sums of squares in float16 overflow where those in float32 do not", () => {
    const width = 64
    const wide = scheme({ ...schemeNamed("clip-sgd-init-a"), readout: "-1" }, { c: "-4" })
    const outcome = (accumulator: "float16" | "float32") =>
      run(wide, { ...config, width, precision: precisionOf("float32", { accumulator }) }).outcome
    // B's gradient is n dZ (A Z)ᵀ: the sum of its squares is about r n^3, beyond float16's largest number.
    expect(config.rank * width ** 3).toBeGreaterThan(4 * FORMATS.float16.max)
    expect(outcome("float16")).toMatchObject({ kind: "overflowed", step: 1, tensor: expect.stringMatching(/^norm of/) })
    expect(outcome("float32").kind).toBe("finished")
  })

  test("gradients of a scaled loss are clipped after they are divided by the scale", () => {
    const losses = (lossScale: number) =>
      run(clipped, { ...config, precision: precisionOf("float64", { lossScale }) }).history.map(({ loss }) => loss)
    expect(losses(1024)).toEqual(losses(1))
  })
})

test("one norm for all factors of all adapters, and none for those that are frozen", () => {
  const normsOf = (name: string) => {
    const { program } = scheme({ ...schemeNamed(name), clip: "0" }, schemeNamed(name).example)
    return inOrder([...program.next.values()]).flatMap((node) => (node.is("norm") ? [node.operands.length] : []))
  }
  expect(normsOf("init-a")).toEqual([2])
  expect(normsOf("three-layers-init-a")).toEqual([6])
  expect(normsOf("lora-fa")).toEqual([1])
})
