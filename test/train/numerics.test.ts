import fc from "fast-check"
import { describe, expect, test } from "vitest"
import { InputError } from "../../src/inputError.js"
import { inOrder, type Node } from "../../src/program/node.js"
import { OPTIMISERS, type OptimiserName } from "../../src/program/optimiser.js"
import { CATALOGUE, schemeNamed } from "../../src/scheme/catalogue.js"
import { type SchemeDefinition, scheme } from "../../src/scheme/scheme.js"
import type { Matrix } from "../../src/train/matrix.js"
import { coefficientValue, type SpaceSizes } from "../../src/train/numbers.js"
import { Numerics } from "../../src/train/numerics.js"
import { FORMATS, nearest, PRECISIONS } from "../../src/train/precision.js"
import { precisionOf } from "../../src/train/precisionConfig.js"
import { productInto } from "../../src/train/product.js"
import { gaussians } from "../../src/train/random.js"
import { evaluate, zeros } from "../../src/train/reference.js"
import { run } from "../../src/train/run.js"
import { computes } from "./operationsOf.js"

/** Rules that see the other factor are for factors alone, and an ε is for rules that divide by a root. */
const named = fc
  .record({
    name: fc.constantFrom(
      ...CATALOGUE.filter(({ network, model }) => (network ?? model) === undefined).map(({ name }) => name),
    ),
    optimiser: fc.constantFrom(...(Object.keys(OPTIMISERS) as OptimiserName[])),
  })
  .filter(({ name, optimiser }) => {
    const { adapter, epsilon } = schemeNamed(name)
    const isAllowed = adapter === undefined || !/^(scaled|lora-rite)/.test(optimiser)
    return isAllowed && (epsilon === undefined || /^(adam|adafactor|scaled-adam)/.test(optimiser))
  })

function ready({ name, optimiser }: { name: string; optimiser: OptimiserName }) {
  const definition: SchemeDefinition = { ...schemeNamed(name), optimiser }
  return scheme(definition, definition.example ?? {})
}

/** The value of a node by the definition of its operation, with nothing shared, reused or skipped. */
function plainly(node: Node, leaves: ReadonlyMap<Node, Matrix>, sizes: SpaceSizes, t: number): Matrix {
  const given = leaves.get(node)
  if (given !== undefined) return given
  const shape = zeros(node, sizes)
  const entries = (f: (i: number, j: number) => number): Matrix => ({
    ...shape,
    data: Float64Array.from(shape.data, (_, k) => f(Math.floor(k / shape.columns), k % shape.columns)),
  })
  const at = ({ data, columns }: Matrix, i: number, j: number) => data[i * columns + j]!
  const read = node.operands.map((operand) => plainly(operand, leaves, sizes, t))
  const [x, y] = read as [Matrix, Matrix]
  if (node.is("zero")) return shape
  if (node.is("one")) return entries(() => 1)
  if (node.is("transpose")) return entries((i, j) => at(x, j, i))
  if (node.is("matmul"))
    return entries((i, j) => {
      let sum = 0
      for (let k = 0; k < x.columns; k++) sum += at(x, i, k) * at(y, k, j)
      return sum
    })
  if (node.is("add")) return entries((i, j) => at(x, i, j) + at(y, i, j))
  if (node.is("multiply")) return entries((i, j) => at(x, i, j) * at(y, i, j))
  if (node.is("scale")) return entries((i, j) => coefficientValue(node.attributes.by, sizes.n, t) * at(x, i, j))
  if (node.is("sign")) return entries((i, j) => Math.sign(at(x, i, j)))
  if (node.is("rootRatio")) {
    const { constant, power } = node.attributes.epsilon
    const epsilon = constant * sizes.n ** (power?.constant.valueOf() ?? 0)
    return entries((i, j) => at(x, i, j) / (Math.sqrt(at(y, i, j)) + epsilon))
  }
  if (node.is("detach")) return entries((i, j) => at(x, i, j))
  if (node.is("columnDots"))
    return entries((_, j) => {
      let sum = 0
      for (let i = 0; i < x.rows; i++) sum += at(x, i, j) * at(y, i, j)
      return sum
    })
  if (node.is("scaleColumns")) return entries((i, j) => at(x, i, j) * at(y, 0, j))
  if (node.is("inverseRoot")) return entries((i, j) => 1 / Math.sqrt(at(x, i, j) + node.attributes.epsilon))
  if (node.is("inverseRootChange"))
    return entries((i, j) => {
      const { epsilon } = node.attributes
      const [p, q] = [Math.sqrt(at(y, i, j) + at(x, i, j) + epsilon), Math.sqrt(at(y, i, j) + epsilon)]
      return -at(x, i, j) / (p * q * (p + q))
    })
  if (node.is("norm")) {
    let sum = 0
    for (const { data } of read) for (const x of data) sum += x * x
    return entries(() => Math.sqrt(sum))
  }
  if (node.is("clip")) {
    const norm = y.data[0]!
    const bound = coefficientValue(node.attributes.bound, sizes.n, t)
    return entries((i, j) => at(x, i, j) * (norm > bound ? bound / norm : 1))
  }
  throw new Error(`${node.op} is not asked for here`)
}

/** A step's leaves with Gaussian values, some of them zero or infinite. */
function someLeaves(nodes: readonly Node[], sizes: SpaceSizes, seed: number): Map<Node, Matrix> {
  const leaves = new Map<Node, Matrix>()
  for (const node of inOrder(nodes))
    if (node.is("leaf")) {
      const { name, role } = node.attributes
      const shape = zeros(node, sizes)
      const data = gaussians(seed, name, shape.data.length).map((x) => (Math.abs(x) < 0.1 ? 0 : x))
      leaves.set(node, { ...shape, data: role === "state" ? data.map((x) => x ** 2) : data })
    }
  return leaves
}

describe("the interpreter", () => {
  test("gives the bits of the definition, though it reuses arrays and leaves transposes unformed", () => {
    fc.assert(
      fc.property(named, fc.integer({ min: 1, max: 9 }), fc.integer({ min: 1, max: 5 }), (which, n, r) => {
        fc.pre(!computes({ ...schemeNamed(which.name), optimiser: which.optimiser }, "orthogonalise", "precondition"))
        const { program } = ready(which)
        const sizes: SpaceSizes = { n, nIn: n + 1, r, samples: 1, one: 1 }
        const nodes = [program.loss, ...program.next.values(), ...Object.values(program.quantities)]
        const leaves = someLeaves(nodes, sizes, n)
        const before = new Map([...leaves].map(([node, { data }]) => [node, data.slice()]))
        const values = evaluate(nodes, leaves, sizes, 2)
        for (const [leaf, data] of before) expect(leaves.get(leaf)!.data).toEqual(data)
        for (const node of nodes) expect(values.get(node)!.data).toEqual(plainly(node, leaves, sizes, 2).data)
      }),
      { numRuns: 60 },
    )
  })

  test("partial sums in float16 stall where a term is below half the last digit", () => {
    const ones = { rows: 1, columns: 4096, data: new Float64Array(4096).fill(1) }
    const sum = (accumulate: ((x: number) => number) | null) => {
      const result = new Float64Array(1)
      productInto(result, { matrix: ones, transposed: false }, { matrix: ones, transposed: true }, accumulate)
      return result[0]
    }
    expect(sum(null)).toBe(4096)
    expect(sum(nearest(FORMATS.float32))).toBe(4096)
    expect(sum(nearest(FORMATS.float16))).toBe(2048)
    expect(sum(nearest(FORMATS.bfloat16))).toBe(256)
  })
})

describe("a run in a precision", () => {
  const initA = scheme({ ...schemeNamed("init-a"), optimiser: "sign" }, { c: "-1/2" })
  const initB = scheme({ ...schemeNamed("init-b"), optimiser: "sign" }, { c: "-1" })
  const config = { width: 256, rank: 3, steps: 4, seed: 11 }

  test("float64 is the plain run", () => {
    fc.assert(
      fc.property(named, fc.nat(50), (which, seed) => {
        const plain = run(ready(which), { ...config, width: 16, seed })
        const precise = run(ready(which), { ...config, width: 16, seed, precision: precisionOf("float64") })
        expect(precise.history).toEqual(plain.history)
        if (precise.outcome.kind !== "overflowed") expect(precise.outcome).toEqual(plain.outcome)
      }),
      { numRuns: 40 },
    )
  })

  test("every tensor holds numbers of its format", () => {
    fc.assert(
      fc.property(named, fc.constantFrom(...PRECISIONS), fc.boolean(), (which, name, byChance) => {
        const { program } = ready(which)
        const sizes: SpaceSizes = { n: 6, nIn: 5, r: 2, samples: 1, one: 1 }
        const rounding = byChance ? "stochastic" : "nearest"
        const numerics = new Numerics(program, precisionOf(name, { rounding, overflow: "saturate" }), 3, new Map())
        const nodes = [program.loss, ...program.next.values()]
        const leaves = someLeaves(nodes, sizes, 5)
        numerics.begin(0)
        for (const [leaf, value] of leaves) numerics.settle(leaf, value)
        numerics.begin(2)
        const values = evaluate(nodes, leaves, sizes, 2, { arithmetic: numerics })
        const round = nearest(FORMATS[name])
        for (const node of nodes)
          for (const x of values.get(node)!.data) expect(Object.is(round(x), x) || Number.isNaN(x)).toBe(true)
      }),
      { numRuns: 60 },
    )
  })

  test("a float64 run is not changed by a loss scale that is a power of two", () => {
    const plain = run(initA, config)
    const scaled = run(initA, { ...config, precision: precisionOf("float64", { lossScale: 1024 }) })
    expect(scaled.history).toEqual(plain.history)
    const largest = (lossScale: number) =>
      run(initA, { ...config, precision: precisionOf("float64", { lossScale }) }).precision!.tensors["gradient of A"]!
        .largest
    expect(largest(1024)).toBe(1024 * largest(1))
  })

  test("a dynamic loss scale is halved until the gradients fit, without a step; then doubled", () => {
    const lossScale = { initial: 2 ** 40, growthEvery: 3 }
    const { outcome, history, precision } = run(initB, {
      ...config,
      steps: 60,
      precision: precisionOf("float16", { lossScale }),
    })
    expect(outcome.kind).toBe("finished")
    const { skipped, lossScale: last, tensors } = precision!
    expect(skipped.slice(0, 5)).toEqual([1, 2, 3, 4, 5])
    for (const step of skipped) {
      const [before, after] = [history[step - 2], history[step - 1]!]
      if (before !== undefined) expect(after.meanSquares.b).toBe(before.meanSquares.b)
      expect([after.meanSquares.delta1, after.meanSquares.delta2, after.meanSquares.delta3]).toEqual([0, 0, 0])
    }
    // Replayed: halved at every step that was not taken, doubled after each third good one in a row.
    let [scale, good] = [lossScale.initial, 0]
    for (let step = 1; step <= 60; step++) {
      good = skipped.includes(step) ? 0 : good + 1
      if (good === 0) scale /= 2
      else if (good % 3 === 0) scale *= 2
    }
    expect(last).toBe(scale)
    expect(tensors["change of A"]!.entries).toBe((60 - skipped.length) * 3 * 256)
  })

  test("the first tensor that overflows is named, with its step; saturated, the run goes on", () => {
    const wild = scheme(
      { ...schemeNamed("init-a"), optimiser: "sign", rateConstants: { A: 1000, B: 1 } },
      { c: "-1/2" },
    )
    const precision = precisionOf("float16", { tensors: { loss: "float64" } })
    // Z_A after step 2 is about 1000 · 0.8 · √1024 · (its start is O(1)): 25 thousand; after step 4 three times that.
    const { outcome, history } = run(wild, { ...config, width: 1024, steps: 9, precision })
    expect(outcome).toEqual({ kind: "overflowed", step: 4, tensor: "zA" })
    expect(Math.sqrt(history[2]!.meanSquares.zA!)).toBeLessThan(65504)
    const saturated = run(wild, { ...config, width: 1024, steps: 9, precision: { ...precision, overflow: "saturate" } })
    expect(saturated.outcome).toEqual({ kind: "finished" })
    expect(saturated.precision!.tensors.zA!.overflows).toBeGreaterThan(0)
    expect(Math.sqrt(saturated.history[8]!.meanSquares.zA!)).toBeLessThanOrEqual(65504)
  })

  test("updates of B below half the last digit of bfloat16 are counted as lost", () => {
    const width = 3000
    const { precision } = run(initB, { ...config, width, steps: 2, precision: precisionOf("bfloat16") })
    const round = nearest(FORMATS.bfloat16)
    const start = gaussians(config.seed, `B n=${width}`, 3 * width, 1 / 2).map(round)
    const change = round(1 / width)
    const kept = (sign: number) => start.filter((b) => round(b + sign * change) === b).length
    const { lostUpdates, entries } = precision!.tensors.B!
    expect(entries).toBe(3 * 3 * width)
    // The signs are those of the gradients; only at powers of two do they matter. B rests in step 1, where Z_A = 0.
    const bounds = [kept(1), kept(-1)].sort((x, y) => x - y)
    const slack = start.filter((b) => Math.log2(Math.abs(b)) % 1 === 0).length
    expect(lostUpdates).toBeGreaterThanOrEqual(bounds[0]! - slack)
    expect(lostUpdates).toBeLessThanOrEqual(bounds[1]! + slack)
    expect(slack).toBeLessThan(lostUpdates / 10)
  })

  test("underflows: a readout n^(-o) below half the least float16 becomes zero", () => {
    const small = scheme({ ...schemeNamed("init-a"), optimiser: "sign" }, { c: "-1/2", o: "4" })
    const { precision } = run(small, { ...config, steps: 1, precision: precisionOf("float16") })
    const record = precision!.tensors["n^(-4) dZ"]!
    const expected = gaussians(config.seed, "dZ n=256", 256).map(
      (x) => Math.abs(nearest(FORMATS.float16)(x)) / 256 ** 4,
    )
    expect(record.underflows).toBe(expected.filter((x) => x > 0 && x <= 2 ** -25).length)
    expect(record.underflows).toBeGreaterThan(250)
  })

  test("stochastic rounding: same seed, same bits; another seed or mode, others", () => {
    const at = (seed: number, rounding: "nearest" | "stochastic") =>
      run(initA, { ...config, seed, precision: precisionOf("e4m3", { rounding, overflow: "saturate" }) }).history
    expect(at(1, "stochastic")).toEqual(at(1, "stochastic"))
    expect(at(1, "stochastic")).not.toEqual(at(2, "stochastic"))
    expect(at(1, "stochastic")).not.toEqual(at(1, "nearest"))
  })

  test("unknown formats, scales and tensors are refused", () => {
    expect(() => precisionOf("half" as never)).toThrow(InputError)
    expect(() => precisionOf("float16", { lossScale: 0 })).toThrow(InputError)
    const precision = precisionOf("float16", { tensors: { zC: "float32" } })
    expect(() => run(initA, { ...config, precision })).toThrow(/zC.*zA/)
  })
})
