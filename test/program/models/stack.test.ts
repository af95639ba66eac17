import fc from "fast-check"
import { expect, test } from "vitest"
import { Affine } from "../../../src/exponent/affine.js"
import { fromZero } from "../../../src/program/changed.js"
import { dimension } from "../../../src/program/dimension.js"
import { changedForward, type FactorNodes, plainOutput } from "../../../src/program/model.js"
import { stackModel } from "../../../src/program/models/stack.js"
import { leafName, Node } from "../../../src/program/node.js"
import type { Matrix } from "../../../src/train/matrix.js"
import { gaussians } from "../../../src/train/random.js"
import { evaluate } from "../../../src/train/reference.js"

const [WIDTH, RANK, SAMPLES] = [5, 2, 3]
const sizes = { n: WIDTH, r: RANK, one: 1, samples: SAMPLES }
const [n, r] = [dimension("n", Affine.constant(1)), dimension("r")] as const
const exponents = { multiplier: Affine.ZERO, readout: Affine.constant("1/2"), input: Affine.ZERO }

const architecture = fc.record({
  layers: fc.integer({ min: 1, max: 3 }),
  activation: fc.constantFrom("relu" as const, "tanh" as const),
  residual: fc.boolean(),
})

const times = (x: Matrix, y: Matrix): Matrix => {
  const data = new Float64Array(x.rows * y.columns)
  for (let i = 0; i < x.rows; i++)
    for (let j = 0; j < y.columns; j++)
      for (let k = 0; k < x.columns; k++)
        data[i * y.columns + j]! += x.data[i * x.columns + k]! * y.data[k * y.columns + j]!
  return { rows: x.rows, columns: y.columns, data }
}
const plus = (x: Matrix, y: Matrix): Matrix => ({ ...x, data: x.data.map((value, i) => value + y.data[i]!) })

/** f = wᵀ x_L with h = (W + B A) x, x = φ(h), plus x before it with residual connections: layer by layer, by hand. */
function byHand(
  given: ReadonlyMap<string, Matrix>,
  { layers, activation, residual }: { layers: number; activation: "relu" | "tanh"; residual: boolean },
  adapted: boolean,
): Float64Array {
  const phi = activation === "relu" ? (x: number) => Math.max(x, 0) : Math.tanh
  let x = given.get("x0")!
  for (let l = 1; l <= layers; l++) {
    const BAx = times(given.get(`B${l}`)!, times(given.get(`A${l}`)!, x))
    const Wx = times(given.get(`W${l}`)!, x)
    const h = adapted ? plus(Wx, BAx) : Wx
    const own = { ...h, data: h.data.map(phi) }
    x = residual ? plus(x, own) : own
  }
  const w = given.get("w")!
  return times({ rows: 1, columns: w.rows, data: w.data }, x).data
}

test("a stack computes what its formula says, and its change is the output's less that without adapters", () => {
  fc.assert(
    fc.property(architecture, fc.nat(10_000), (form, seed) => {
      const model = stackModel(form, [n, r], exponents, { loss: "linear", samples: SAMPLES })
      const factors = model.sites.map(
        (_, l): FactorNodes => ({
          A: Node.leaf(`A${l + 1}`, "trained", [r, n]),
          B: Node.leaf(`B${l + 1}`, "trained", [n, r]),
        }),
      )
      const adapters = factors.map(({ A, B }) => ({ A: fromZero(A), B: fromZero(B) }))
      const leaves = [...model.frozen.map(({ node }) => node), ...factors.flatMap(({ A, B }) => [A, B])]
      const values = new Map(
        leaves.map((leaf): [Node, Matrix] => {
          const [rows, columns] = leaf.shape.map(({ name }) => sizes[name as keyof typeof sizes]) as [number, number]
          return [leaf, { rows, columns, data: gaussians(seed, leafName(leaf), rows * columns, 0.5) }]
        }),
      )
      const named = new Map([...values].map(([leaf, value]) => [leafName(leaf), value]))
      const plain = plainOutput(model, adapters)
      const { output } = changedForward(model, adapters)
      const read = evaluate([plain, output.after, output.change], values, sizes, 1)
      const [after, before] = [byHand(named, form, true), byHand(named, form, false)]
      for (let i = 0; i < SAMPLES; i++) {
        expect(read.get(plain)!.data[i]).toBeCloseTo(after[i]!, 10)
        expect(read.get(output.after)!.data[i]).toBeCloseTo(after[i]!, 10)
        expect(read.get(output.change)!.data[i]).toBeCloseTo(after[i]! - before[i]!, 10)
      }
    }),
    { numRuns: 60 },
  )
})

test("each layer has a site of its own, watched by its pre-activation", () => {
  fc.assert(
    fc.property(architecture, (form) => {
      const { sites, forward } = stackModel(form, [n, r], exponents, { loss: "linear", samples: 1 })
      const { watched } = forward((site, input) =>
        Node.leaf(site.name, "trained", [site.output, site.input]).times(input),
      )
      expect(sites.map(({ name }) => name)).toEqual(Array.from({ length: form.layers }, (_, l) => `hidden${l + 1}`))
      expect(watched.map(({ site }) => site)).toEqual(sites)
    }),
  )
})
