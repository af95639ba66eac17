import { afterAll, beforeAll, describe, expect, test } from "vitest"
import { fromZero } from "../../../src/program/changed.js"
import { gradient } from "../../../src/program/gradient.js"
import { plainOutput } from "../../../src/program/model.js"
import type { BlockKind } from "../../../src/program/models/transformer.js"
import { inOrder, leafName, Node } from "../../../src/program/node.js"
import { initA } from "../../../src/scheme/initA.js"
import { onModel } from "../../../src/scheme/onModel.js"
import { scheme } from "../../../src/scheme/scheme.js"
import type { Matrix } from "../../../src/train/matrix.js"
import { gaussians } from "../../../src/train/random.js"
import { evaluate } from "../../../src/train/reference.js"
import { sizesOf } from "../../../src/train/run.js"
import { type PythonJobs, startJobs } from "../../python/jobs.js"
import { pythonWithTorch } from "../../python/venv.js"

const python = await pythonWithTorch()

/** Four heads of queries that share two of keys, every site adapted, seven tokens. */
const SHAPES: readonly { kind: BlockKind; heads: number; keyHeads: number }[] = [
  { kind: "llama-block", heads: 4, keyHeads: 2 },
  { kind: "llama-block", heads: 2, keyHeads: 2 },
  { kind: "bert-block", heads: 4, keyHeads: 4 },
]

describe.skipIf(python === null)("a block forwards and backwards, beside PyTorch in float64", () => {
  let jobs: PythonJobs
  beforeAll(() => {
    jobs = startJobs(python!, "blocks.py")
  })
  afterAll(async () => expect(await jobs.close()).toBe(""))

  test.each(SHAPES)(
    "$kind with $heads heads, $keyHeads of keys: outputs and gradients agree to 1e-10",
    async (model) => {
      const ready = scheme({ ...onModel(model.kind, initA), model, batch: 7 }, { c: "-1/2" })
      const adapters = ready.program.model.sites.map(({ tag, input, output, rank }) => ({
        A: Node.leaf(`A${tag}`, "trained", [rank, input]),
        B: Node.leaf(`B${tag}`, "trained", [output, rank]),
      }))
      const trained = adapters.flatMap(({ A, B }) => [A, B])
      const output = plainOutput(
        ready.program.model,
        adapters.map(({ A, B }) => ({ A: fromZero(A), B: fromZero(B) })),
      )
      const ones = Node.leaf("ones", "frozen", [output.shape[1], output.shape[0]])
      const loss = output.times(ones)
      const sizes = { ...sizesOf(ready, { width: 16, rank: 3 }), one: 1 }
      const leaves = new Map(
        inOrder([loss])
          .filter((node) => node.is("leaf"))
          .map((node): [Node, Matrix] => {
            const [rows, columns] = node.shape.map(({ name }) => sizes[name as "n"]) as [number, number]
            const isFactor = "AB".includes(leafName(node)[0]!)
            const data =
              node === ones
                ? new Float64Array(rows * columns).fill(1)
                : gaussians(11, leafName(node), rows * columns, isFactor ? 0.3 : node.shape[1].name === "one" ? 1 : 0.5)
            return [node, { rows, columns, data }]
          }),
      )
      const gradients = gradient(loss, trained).map((node) => node!)
      const ours = evaluate([output, ...gradients], leaves, sizes, 1)
      const input = {
        ...model,
        leaves: Object.fromEntries([...leaves].map(([node, value]) => [leafName(node), rowsOf(value)])),
      }
      const theirs = await jobs.ask<{ output: number[]; gradients: Record<string, number[][]> }>(input)
      expect(distance(ours.get(output)!.data, theirs.output)).toBeLessThan(1e-10)
      expect(Object.keys(theirs.gradients)).toHaveLength(trained.length)
      trained.forEach((leaf, i) => {
        const other = theirs.gradients[leafName(leaf)]!.flat()
        expect(Math.hypot(...other), leafName(leaf)).toBeGreaterThan(1e-3)
        expect(distance(ours.get(gradients[i]!)!.data, other), leafName(leaf)).toBeLessThan(1e-10)
      })
    },
  )
})

function rowsOf({ rows, columns, data }: Matrix): number[][] {
  return Array.from({ length: rows }, (_, i) => [...data.subarray(i * columns, (i + 1) * columns)])
}

/** ‖x − y‖ / ‖y‖. */
function distance(x: ArrayLike<number>, y: readonly number[]): number {
  return Math.hypot(...y.map((value, i) => value - x[i]!)) / Math.hypot(...y)
}
