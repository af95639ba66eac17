import fc from "fast-check"
import { Matrix as LinearAlgebra } from "ml-matrix"
import { describe, expect, test } from "vitest"
import { gradient } from "../../src/program/gradient.js"
import { inOrder, leafName, type Node } from "../../src/program/node.js"
import { schemeNamed } from "../../src/scheme/catalogue.js"
import { type SchemeDefinition, scheme } from "../../src/scheme/scheme.js"
import type { Matrix } from "../../src/train/matrix.js"
import { gaussians } from "../../src/train/random.js"
import { evaluate, zeros } from "../../src/train/reference.js"

const [N, R, SAMPLES] = [6, 2, 3]
const sizes = { n: N, nIn: N, r: R, samples: SAMPLES, one: 1 }

const linear = ({ rows, columns, data }: Matrix) => LinearAlgebra.from1DArray(rows, columns, data)

/** Drawn values of all leaves that the nodes depend on; rows of W of norm 1. */
function leavesOf(roots: readonly Node[], seed: number): Map<Node, Matrix> {
  const leaves = new Map<Node, Matrix>()
  for (const node of inOrder(roots))
    if (node.is("leaf")) {
      const shape = zeros(node, sizes)
      const data = gaussians(seed, leafName(node), shape.data.length)
      if (leafName(node) === "W")
        for (let i = 0; i < N; i++) {
          const norm = Math.hypot(...data.slice(i * N, (i + 1) * N))
          for (let j = 0; j < N; j++) data[i * N + j]! /= norm
        }
      leaves.set(node, { ...shape, data })
    }
  return leaves
}

/** A scheme's loss, zB and gradients at drawn values of all leaves. */
function drawn(name: string, seed: number, change: Partial<SchemeDefinition> = {}) {
  const definition = { ...schemeNamed(name), loss: "squared", batch: SAMPLES, ...change } as const
  const { program } = scheme(definition, { ...definition.example, o: "1/2" })
  const leaves = leavesOf([program.loss], seed)
  const value = (leaf: string) => linear([...leaves].find(([node]) => leafName(node) === leaf)![1])
  return { program, leaves, value }
}

const lossAt = ({ program, leaves }: ReturnType<typeof drawn>, moved: Node, data: Float64Array) =>
  evaluate([program.loss], new Map([...leaves, [moved, { ...leaves.get(moved)!, data }]]), sizes, 1).get(program.loss)!
    .data[0]!

/** What the loss says of zB: f = wᵀ (h + zB), and w and h are leaves or products of them. */
function outputOf({ program, leaves }: ReturnType<typeof drawn>): number[] {
  const residual = evaluate([program.residual!], leaves, sizes, 1).get(program.residual!)!
  return [...residual.data]
}

const near = (x: readonly number[], y: readonly number[]) => {
  for (const [i, value] of x.entries()) expect(Math.abs(value - y[i]!)).toBeLessThan(1e-9 * (1 + Math.abs(value)))
}

const ones = (rows: number) => LinearAlgebra.ones(rows, 1)
const diagonal = (column: LinearAlgebra) => LinearAlgebra.diag(column.to1DArray())

/** wᵀ (h + added) + minusY of the drawn values. */
function expected(at: ReturnType<typeof drawn>, h: LinearAlgebra, added: LinearAlgebra): number[] {
  const w = at.value("dZ").mul(N ** -0.5)
  return LinearAlgebra.add(w.transpose().mmul(LinearAlgebra.add(h, added)), at.value("minusY")).to1DArray()
}

describe("what an adapter adds is its published formula", () => {
  test("VeRA: Λ_b B Λ_d A x, with d from 0.1", () => {
    fc.assert(
      fc.property(fc.nat(1000), (seed) => {
        const at = drawn("vera", seed)
        const d = LinearAlgebra.add(at.value("lambda_d"), ones(R).mul(0.1))
        const inner = diagonal(d).mmul(at.value("A")).mmul(at.value("Z"))
        const added = diagonal(at.value("lambda_b")).mmul(at.value("B")).mmul(inner)
        near(outputOf(at), expected(at, at.value("h"), added))
      }),
      { numRuns: 10 },
    )
  })
  test("LoRA-XS: B R A x", () => {
    const at = drawn("lora-xs", 5)
    const added = at.value("B").mmul(at.value("R")).mmul(at.value("A")).mmul(at.value("Z"))
    near(outputOf(at), expected(at, at.value("h"), added))
  })
  test.each(["dora", "dora-detached"])("%s: m ∘ (W + BA) / ‖W + BA‖ x, row by row", (name) => {
    fc.assert(
      fc.property(fc.nat(1000), (seed) => {
        const at = drawn(name, seed)
        const W = at.value("W")
        const moved = LinearAlgebra.add(W, at.value("B").mmul(at.value("A")))
        const m = LinearAlgebra.add(at.value("m"), ones(N))
        const norms = moved.to2DArray().map((row) => Math.hypot(...row))
        const weights = diagonal(m)
          .mmul(LinearAlgebra.diag(norms.map((norm) => 1 / norm)))
          .mmul(moved)
        const h = W.mmul(at.value("Z"))
        near(outputOf(at), expected(at, h, LinearAlgebra.sub(weights.mmul(at.value("Z")), h)))
      }),
      { numRuns: 10 },
    )
  })
})

/** What an adapter adds, by its published formula, at values of its tensors by name. */
const ADDED: Readonly<Record<string, (of: (leaf: string) => LinearAlgebra) => LinearAlgebra>> = {
  lora: (of) => of("B").mmul(of("A")).mmul(of("Z")),
  vera: (of) => {
    const inner = diagonal(LinearAlgebra.add(of("lambda_d"), ones(R).mul(0.1)))
      .mmul(of("A"))
      .mmul(of("Z"))
    return diagonal(of("lambda_b")).mmul(of("B")).mmul(inner)
  },
  "lora-xs": (of) => of("B").mmul(of("R")).mmul(of("A")).mmul(of("Z")),
  dora: (of) => {
    const moved = LinearAlgebra.add(of("W"), of("B").mmul(of("A")))
    const norms = moved.to2DArray().map((row) => Math.hypot(...row))
    const m = LinearAlgebra.add(of("m"), ones(N))
    const factor = diagonal(m).mmul(LinearAlgebra.diag(norms.map((norm) => 1 / norm)))
    return LinearAlgebra.sub(factor.mmul(moved), of("W")).mmul(of("Z"))
  },
}

describe("what a step adds to zB", () => {
  const stepOf = (name: string, seed: number) => {
    const definition = { ...schemeNamed(name), loss: "squared", batch: SAMPLES, optimiser: "sgd" } as const
    const { program } = scheme(definition, { ...definition.example, o: "1/2" })
    return { program, leaves: leavesOf([...Object.values(program.quantities), ...program.next.values()], seed) }
  }
  test.each([
    ["vera", ["lambda_d", "lambda_b"]],
    ["lora-xs", ["R"]],
    ["dora", ["A", "B", "m"]],
    ["dora-detached", ["A", "B", "m"]],
  ])("%s: delta is new minus old, and of each of %j the same if it moves alone", (name, trained) => {
    fc.assert(
      fc.property(fc.nat(1000), (seed) => {
        const { program, leaves } = stepOf(name, seed)
        const roots = [...Object.values(program.quantities), ...program.next.values()]
        const values = evaluate(roots, leaves, sizes, 1)
        const old = new Map([...leaves].map(([node, value]) => [leafName(node), value]))
        const next = new Map([...program.next].map(([node, value]) => [leafName(node), values.get(value)!]))
        const added = (moving: readonly string[]) =>
          ADDED[name.replace("-detached", "")]!((leaf) =>
            linear((moving.includes(leaf) ? next.get(leaf) : old.get(leaf))!),
          )
        const changeBy = (moving: readonly string[]) => LinearAlgebra.sub(added(moving), added([])).to1DArray()
        const seen = (quantity: string) => [...values.get(program.quantities[quantity]!)!.data]
        near(changeBy(trained), seen("delta"))
        for (const tensor of trained) near(changeBy([tensor]), seen(`delta_${tensor}`))
        expect(program.parts).toEqual([{ change: ["delta"], own: trained.map((tensor) => `delta_${tensor}`) }])
      }),
      { numRuns: 10 },
    )
  })
  test("LoRA's are δ¹, δ² and δ³: B ΔA x and ΔB A x are what A and B add alone", () => {
    const { program, leaves } = stepOf("init-ab", 3)
    const roots = [...Object.values(program.quantities), ...program.next.values()]
    const values = evaluate(roots, leaves, sizes, 1)
    const old = new Map([...leaves].map(([node, value]) => [leafName(node), linear(value)]))
    const next = new Map([...program.next].map(([node, value]) => [leafName(node), linear(values.get(value)!)]))
    const added = (moving: string) => ADDED.lora!((leaf) => (moving.includes(leaf) ? next.get(leaf) : old.get(leaf))!)
    const changeBy = (moving: string) => LinearAlgebra.sub(added(moving), added("")).to1DArray()
    const seen = (quantity: string) => [...values.get(program.quantities[quantity]!)!.data]
    near(changeBy("A"), seen("delta1"))
    near(changeBy("B"), seen("delta2"))
    const rest = seen("delta1").map((value, i) => value + seen("delta2")[i]! + seen("delta3")[i]!)
    near(changeBy("AB"), rest)
    expect(program.parts).toEqual([{ change: ["delta1", "delta2", "delta3"], own: ["delta1", "delta2"] }])
  })
})

describe("gradients against differences", () => {
  test.each(["vera", "lora-xs", "dora"])("%s", (name) => {
    fc.assert(
      fc.property(fc.nat(1000), fc.nat(100), (seed, place) => {
        const at = drawn(name, seed)
        const trained = [...at.leaves.keys()].filter((node) => node.is("leaf") && node.attributes.role === "trained")
        const gradients = gradient(at.program.loss, trained).map((node) => node!)
        const values = evaluate(gradients, at.leaves, sizes, 1)
        trained.forEach((leaf, which) => {
          const { data } = at.leaves.get(leaf)!
          const entry = place % data.length
          const moved = (by: number) => data.map((old, i) => (i === entry ? old + by : old))
          const step = 1e-6
          const numeric = (lossAt(at, leaf, moved(step)) - lossAt(at, leaf, moved(-step))) / (2 * step)
          const own = values.get(gradients[which]!)!.data[entry]!
          expect(Math.abs(own - numeric)).toBeLessThan(1e-5 * (1 + Math.abs(numeric)))
        })
      }),
      { numRuns: 20 },
    )
  })
  test("detached, DoRA's norm is a constant: the gradient in B is that of the product beside it, over the norm", () => {
    const at = drawn("dora-detached", 3)
    const B = [...at.leaves.keys()].find((node) => leafName(node) === "B")!
    const [own] = gradient(at.program.loss, [B])
    const { value } = at
    const residual = LinearAlgebra.rowVector(outputOf(at))
    const W = value("W")
    const norms = LinearAlgebra.add(W, value("B").mmul(value("A")))
      .to2DArray()
      .map((row) => Math.hypot(...row))
    const factor = value("m")
      .to1DArray()
      .map((moved, i) => (1 + moved) / norms[i]!)
    // dL/dy = w r / N, y = factor ∘ (W x + B A x): dL/dB = (factor ∘ dL/dy) (A x)ᵀ.
    const dy = value("dZ")
      .mul(N ** -0.5 / SAMPLES)
      .mmul(residual)
    const exact = LinearAlgebra.diag(factor)
      .mmul(dy)
      .mmul(value("A").mmul(value("Z")).transpose())
    near([...evaluate([own!], at.leaves, sizes, 1).get(own!)!.data], exact.to1DArray())
  })
})

describe("what an adapter cannot stand beside is refused", () => {
  test.each<[string, string, object, RegExp]>([
    ["a subtracted start", "vera", { subtractStart: true }, /subtractStart/],
    ["weight decay", "dora", { weightDecay: 0.1 }, /weightDecay/],
    [
      "a network of layers whose rows are no unit vectors",
      "dora",
      { network: { layers: 1, activation: "relu", residual: false } },
      /network/,
    ],
    ["a head", "dora", { spaces: { input: "nIn", output: "one" } }, /spaces/],
    [
      "a rule that sees the other factor, on a tensor that is none",
      "lora-xs",
      { optimiser: "scaled-adam" },
      /no factor/,
    ],
    ["a missing rate", "vera", { rates: { A: "frozen", B: "frozen", lambda_d: "c" } }, /lambda_b/],
    [
      "another adapter's tensor",
      "vera",
      { rates: { A: "frozen", B: "frozen", lambda_d: "c", lambda_b: "c", m: "c" } },
      /rates\.m/,
    ],
    ["nothing that moves", "lora-xs", { rates: { A: "frozen", B: "frozen", R: "frozen" } }, /at least one/],
  ])("%s", (_, name, change, says) => {
    expect(() => scheme({ ...schemeNamed(name), ...change } as SchemeDefinition)).toThrow(says)
  })
})
