import { expect, test } from "vitest"
import { InputError } from "../../src/inputError.js"
import { fromZero } from "../../src/program/changed.js"
import { gradient } from "../../src/program/gradient.js"
import { plainOutput } from "../../src/program/model.js"
import { BLOCK_SITES, type BlockKind } from "../../src/program/models/transformer.js"
import { inOrder, isNeverFormed, leafName, Node } from "../../src/program/node.js"
import { initA } from "../../src/scheme/initA.js"
import { onModel } from "../../src/scheme/onModel.js"
import { scheme } from "../../src/scheme/scheme.js"
import type { Matrix } from "../../src/train/matrix.js"
import { gaussians } from "../../src/train/random.js"
import { evaluate } from "../../src/train/reference.js"
import { run, sizesOf } from "../../src/train/run.js"

const KINDS: readonly BlockKind[] = ["llama-block", "bert-block"]

/** A scheme's program at a small width, its leaves dense and drawn. */
function drawn(kind: BlockKind) {
  const ready = scheme(onModel(kind, initA), { c: "-1/2" })
  const { model } = ready.program
  const adapters = model.sites.map(({ tag, input, output, rank }) => ({
    A: Node.leaf(`A${tag}`, "trained", [rank, input]),
    B: Node.leaf(`B${tag}`, "trained", [output, rank]),
  }))
  const output = plainOutput(
    model,
    adapters.map(({ A, B }) => ({ A: fromZero(A), B: fromZero(B) })),
  )
  const sizes = { ...sizesOf(ready, { width: 8, rank: 2 }), one: 1 }
  const leaves = new Map(
    inOrder([output])
      .filter((node) => node.is("leaf"))
      .map((node): [Node, Matrix] => {
        const [rows, columns] = node.shape.map(({ name }) => sizes[name as "n"]) as [number, number]
        return [node, { rows, columns, data: gaussians(3, leafName(node), rows * columns, 0.5) }]
      }),
  )
  return { output, leaves, sizes, trained: adapters.flatMap(({ A, B }) => [A, B]) }
}

test.each(KINDS)("reverse mode agrees with differences through a %s", (kind) => {
  const { output, leaves, sizes, trained } = drawn(kind)
  const loss = output.times(Node.leaf("ones", "frozen", [output.shape[1], output.shape[0]]))
  const ones = inOrder([loss]).find((node) => node.is("leaf") && leafName(node) === "ones")!
  leaves.set(ones, { rows: 4, columns: 1, data: new Float64Array(4).fill(1) })
  const gradients = gradient(loss, trained).map((node) => node!)
  const exact = evaluate(gradients, leaves, sizes, 1)
  const step = 1e-5
  trained.forEach((leaf, which) => {
    const at = (sign: number) => {
      const { data, ...shape } = leaves.get(leaf)!
      const moved = { ...shape, data: data.map((x, i) => (i % 5 === 1 ? x + sign * step : x)) }
      return evaluate([loss], new Map([...leaves, [leaf, moved]]), sizes, 1).get(loss)!.data[0]!
    }
    const derivative = exact.get(gradients[which]!)!.data.reduce((sum, x, i) => (i % 5 === 1 ? sum + x : sum), 0)
    expect(derivative).toBeCloseTo((at(1) - at(-1)) / (2 * step), 5)
  })
})

test.each(KINDS)("a %s is trained without a frozen matrix ever being formed, in changes that do not cancel", (kind) => {
  const ready = scheme(onModel(kind, initA), { c: "-1/2" })
  expect(ready.program.frozen.filter(({ node }) => isNeverFormed(node)).length).toBeGreaterThan(5)
  const { outcome, history } = run(ready, { width: 32, rank: 2, steps: 3, seed: 1 })
  expect(outcome).toEqual({ kind: "finished" })
  // B₀ = 0: the first step's change is linear in the rate, however small the rate is.
  const f = (c: string) => {
    const at = scheme(onModel(kind, initA), { c })
    return run(at, { width: 32, rank: 2, steps: 1, seed: 1 }).history[0]!.meanSquares.f!
  }
  expect(Math.sqrt(f("-20") / f("-10")) / 32 ** -10).toBeCloseTo(1, 6)
  expect(history[2]!.meanSquares.f).toBeGreaterThan(0)
})

/**
 * Where one site alone is adapted, a change may be the product of a frozen matrix with another: no factor of it is
 * held.
 */
test.each(KINDS)("each site of a %s alone is trained", (kind) => {
  for (const site of BLOCK_SITES[kind]) {
    const ready = scheme({ ...onModel(kind, initA), model: { kind, sites: [site] } }, { c: "-1/2" })
    expect(run(ready, { width: 16, rank: 2, steps: 1, seed: 1 }).outcome).toEqual({ kind: "finished" })
    expect(
      Object.values(ready.program.alignments)
        .flatMap(({ left, right }) => [left, right])
        .some(isNeverFormed),
    ).toBe(false)
  }
})

test("a causal block's output at a token does not depend on later ones, a bidirectional one's does", () => {
  for (const kind of KINDS) {
    const { output, leaves, sizes } = drawn(kind)
    const x0 = [...leaves.keys()].find((leaf) => leafName(leaf) === "x0")!
    const moved = { ...leaves.get(x0)!, data: leaves.get(x0)!.data.map((x, i) => (i % 4 === 3 ? x + 1 : x)) }
    const [before, after] = [leaves, new Map([...leaves, [x0, moved]])].map(
      (at) => evaluate([output], at, sizes, 1).get(output)!.data,
    )
    expect(before![3]).not.toBe(after![3])
    expect(before![0] === after![0]).toBe(kind === "llama-block")
  }
})

test("heads and sites that a block cannot have are refused", () => {
  const on = (model: object) => scheme({ ...initA, model: { kind: "llama-block", ...model } })
  expect(() => on({ heads: 4, keyHeads: 3 })).toThrow(InputError)
  expect(() => on({ sites: ["query"] })).toThrow(InputError)
  expect(() => scheme({ ...onModel("llama-block", initA), rates: { q: { A: "c", B: "c" } } })).toThrow(InputError)
  const rates = Object.fromEntries(["q", "v"].map((site) => [site, { A: `c${site}`, B: `c${site}` }]))
  expect(scheme({ ...initA, rates, model: { kind: "llama-block", sites: ["v", "q"] } }).symbols).toEqual(["cq", "cv"])
})
