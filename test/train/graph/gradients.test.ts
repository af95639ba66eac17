import { describe, expect, test } from "vitest"
import type { Pretrained } from "../../../src/checkpoint/pretrained.js"
import { gradient } from "../../../src/program/gradient.js"
import { type PretrainedShape, pretrainedProgram } from "../../../src/program/models/pretrained.js"
import { BLOCK_SITES } from "../../../src/program/models/transformer.js"
import { leafName, type Node } from "../../../src/program/node.js"
import { fed } from "../../../src/train/graph/feeds.js"
import { openGradients } from "../../../src/train/graph/gradients.js"
import { LowerBlocks } from "../../../src/train/graph/lowerBlocks.js"
import type { Matrix } from "../../../src/train/matrix.js"
import { gaussians } from "../../../src/train/random.js"
import { evaluate } from "../../../src/train/reference.js"
import { type Batch, IGNORED } from "../../../src/train/tuning/batch.js"
import { padded, type Sequence } from "../../../src/train/tuning/text.js"
import type { TrainedTensor } from "../../../src/train/tuning/trained.js"
import { distance } from "./distance.js"
import { engineForTests } from "./engine.js"

const engine = await engineForTests()

const ENCODER: PretrainedShape = {
  ...{ family: "bert", layers: 2, heads: 2, keyHeads: 2, hidden: 8, head: 4, inner: 12 },
  ...{ epsilon: 1e-5, rotary: null, biased: BLOCK_SITES["bert-block"], tied: false },
}
const DECODER: PretrainedShape = {
  ...{ family: "llama", layers: 2, heads: 4, keyHeads: 2, hidden: 8, head: 4, inner: 12 },
  ...{ epsilon: 1e-5, rotary: 500, biased: ["q", "k"], tied: true },
}
const VOCABULARY = 10
/** Gains near 1, or tokens would be nearly alike behind a norm and gradients of queries small by cancellation. */
const drawn = (name: string, size: number) =>
  Float32Array.from(gaussians(5, name, size, 0.4), (x) => (/norm\.weight$/i.test(name) ? 1 + x : x))

function modelOf(shape: PretrainedShape, padding: number | null = null): Pretrained {
  const isEncoder = shape.rotary === null
  const words = drawn("model.embed_tokens.weight", VOCABULARY * shape.hidden)
  return {
    shape,
    padding,
    weight: async (name, size) =>
      drawn(
        name,
        size.reduce((product, each) => product * each, 1),
      ),
    tables: {
      words,
      positions: isEncoder ? drawn("positions", 5 * shape.hidden) : null,
      segments: isEncoder ? drawn("segments", 2 * shape.hidden) : null,
      output: null,
    },
  }
}

const CLASSES: Batch = {
  ids: [
    [1, 2, 3, 0],
    [4, 5, 6, 7],
  ],
  segments: [
    [0, 0, 1, 0],
    [0, 1, 1, 1],
  ],
  mask: [
    [1, 1, 1, 0],
    [1, 1, 1, 1],
  ],
  labels: [2, 0],
}
const NEXT: Batch = {
  ids: CLASSES.ids,
  mask: [
    [0, 1, 1, 1],
    [1, 1, 1, 0],
  ],
  labels: [
    [IGNORED, 2, 3, 0],
    [4, 5, IGNORED, 7],
  ],
}

const CASES = [
  ["an encoder that classifies", modelOf(ENCODER), CLASSES, ["query", "value", "dense"], 3],
  ["a RoBERTa", modelOf({ ...ENCODER, family: "roberta" }, 0), CLASSES, ["key"], 3],
  ["a decoder with padding in front", modelOf(DECODER), NEXT, ["q_proj", "k_proj", "v_proj", "up_proj"], null],
  ["a decoder that classifies", modelOf({ ...DECODER, tied: false }), CLASSES, ["o_proj", "down_proj"], 3],
] as const

describe.skipIf(engine === null)("loss and gradients are those of the reference interpreter in float64", () => {
  test.each(CASES)("%s", async (_, model, batch, sites, classes) => {
    const { shape } = model
    const adaptation = { sites, rank: 2, scale: 1.5, classes, trainHead: classes !== null }
    const gradients = await openGradients(engine!, model, adaptation)
    const values = gradients.trained.map(({ name, shape: [rows, columns] }) => drawn(name, rows * columns))
    const found = await gradients.at(batch, values)

    const own = fed(model, batch, classes)
    const program = pretrainedProgram(
      shape,
      classes === null ? "causal" : "classification",
      sites,
      1.5,
      own.padding !== null,
    )
    const sizes = { n: 1, one: 1, rank: 2, tokens: 4, classes: 3, vocabulary: VOCABULARY }
    const sized: Readonly<Record<string, number>> = { ...sizes, hidden: 8, inner: 12, head: 4, queries: 16, keys: 8 }
    const trainedNames = new Map(
      [...program.adapters].flatMap(([module, { A, B }]) => [
        [A, `${module}.lora_A.weight`] as const,
        [B, `${module}.lora_B.weight`] as const,
      ]),
    )
    const matrix = (leaf: Node, data: ArrayLike<number>): Matrix => {
      const [rows, columns] = leaf.shape.map(({ name }) => sized[name]!) as [number, number]
      return { rows, columns, data: Float64Array.from(data) }
    }
    const transposed = (leaf: Node, data: Float32Array): Matrix => {
      const { rows, columns } = matrix(leaf, data)
      return matrix(
        leaf,
        Float32Array.from(data, (_, k) => data[(k % columns) * rows + Math.floor(k / columns)]!),
      )
    }
    const trained = [
      ...trainedNames.keys(),
      ...(classes === null ? [] : [...program.head].map((name) => program.weights.get(name)!)),
    ]
    const roots = [program.loss, ...gradient(program.loss, trained).map((node) => node!)]
    const sums = roots.map(() => new Float64Array())
    for (const s of [0, 1]) {
      const slice = (all: Float32Array) => all.subarray((s * all.length) / 2, ((s + 1) * all.length) / 2)
      const { embedded, padding, label, weight, picked } = program.given
      const leaves = new Map<Node, Matrix>([
        [embedded, transposed(embedded, slice(own.embedded))],
        [label, classes === null ? transposed(label, slice(own.label)) : matrix(label, slice(own.label))],
        [weight, matrix(weight, slice(own.weight))],
        [program.ones, matrix(program.ones, [1, 1, 1, 1])],
      ])
      if (padding !== null) leaves.set(padding, matrix(padding, slice(own.padding!)))
      if (picked !== null) leaves.set(picked, matrix(picked, slice(own.picked!)))
      for (const leaf of [...program.weights.values(), ...trainedNames.keys()]) {
        const [rows, columns] = leaf.shape.map(({ name }) => sized[name]!) as [number, number]
        leaves.set(leaf, matrix(leaf, drawn(trainedNames.get(leaf) ?? leafName(leaf), rows * columns)))
      }
      const exact = evaluate(roots, leaves, { ...sizes, ...sized }, 1)
      roots.forEach((root, i) => {
        const { data } = exact.get(root)!
        sums[i] = s === 0 ? data.slice() : sums[i]!.map((sum, k) => sum + data[k]!)
      })
    }
    expect(found.loss / sums[0]![0]!).toBeCloseTo(1, 5)
    expect(found.gradients).toHaveLength(trained.length)
    found.gradients.forEach((values, i) => {
      expect(distance(sums[i + 1]!, values), gradients.trained[i]!.name).toBeLessThan(2e-5)
    })
  })
})

describe.skipIf(engine === null)("blocks below the first adapted one", () => {
  test.each(CASES)(
    "%s: gradients are those with adapters everywhere, the lower ones zero",
    async (...[, model, batch, sites, classes]) => {
      const adaptation = { sites, rank: 2, scale: 1.5, classes, trainHead: classes !== null }
      const all = await openGradients(engine!, model, adaptation)
      const upper = await openGradients(engine!, model, { ...adaptation, layers: [1] })
      const isLower = (name: string) => /\.(0)\..*lora_/.test(name)
      // Modules outside of blocks are adapted only where all are.
      const isOutside = (name: string) => name.includes("lora_") && !/\.\d+\..*lora_/.test(name)
      const startOf = ({ name, shape: [rows, columns] }: (typeof all.trained)[number]) =>
        isLower(name) || isOutside(name) ? new Float32Array(rows * columns) : drawn(name, rows * columns)
      const whole = await all.at(batch, all.trained.map(startOf))
      const own = await upper.at(batch, upper.trained.map(startOf))
      expect(upper.trained.map(({ name }) => name)).toEqual(
        all.trained.map(({ name }) => name).filter((name) => !isLower(name) && !isOutside(name)),
      )
      expect(own.loss / whole.loss).toBeCloseTo(1, 6)
      upper.trained.forEach(({ name }, i) => {
        const place = all.trained.findIndex((each) => each.name === name)
        expect(distance(whole.gradients[place]!, own.gradients[i]!), name).toBeLessThan(1e-5)
      })
    },
  )

  /** The engine, and how many graphs it has run. */
  const counting = () => {
    const count = { runs: 0 }
    const session = async (graph: Uint8Array) => {
      const own = await engine!.session(graph)
      const run: typeof own.run = (feeds) => {
        count.runs++
        return own.run(feeds)
      }
      return { ...own, run }
    }
    return { count, engine: { ...engine!, session } }
  }
  const LARGER: PretrainedShape = { ...DECODER, layers: 3, hidden: 48, head: 12, inner: 80 }
  const adaptation = {
    sites: ["q_proj", "down_proj"],
    rank: 2,
    scale: 1.5,
    classes: null,
    trainHead: false,
    layers: [2],
  }
  const valuesOf = ({ trained }: { trained: readonly TrainedTensor[] }) =>
    trained.map(({ name, shape: [rows, columns] }) => drawn(name, rows * columns))
  const sequences = [7, 23, 7, 40, 2, 23].map((length, s): Sequence => {
    const ids = Array.from({ length }, (_, j) => (3 * s + j * j) % VOCABULARY)
    return { ids, segments: ids.map(() => 0), label: ids }
  })
  const batchOf = (...places: readonly number[]) =>
    padded(
      places.map((s) => sequences[s]!),
      0,
    )

  test("each sequence goes through them once, whatever batches it comes in", async () => {
    const { count, engine: counted } = counting()
    const gradients = await openGradients(counted, modelOf(LARGER), adaptation)
    const values = valuesOf(gradients)
    const runsOf = async (act: () => Promise<unknown>) => {
      const before = count.runs
      await act()
      return count.runs - before
    }
    // Two of one length go together, another by itself.
    expect(await runsOf(() => gradients.at(batchOf(0, 1, 2), values))).toBe(3)
    expect(await runsOf(() => gradients.at(batchOf(3, 4), values))).toBe(3)
    // The next epoch has batches of its own; so has what is judged.
    expect(await runsOf(() => gradients.at(batchOf(4, 0, 1), values))).toBe(1)
    expect(await runsOf(() => gradients.losses(batchOf(3, 2), values))).toBe(1)
    expect(await runsOf(() => gradients.at(batchOf(2, 5), values))).toBe(2)
  })

  test("losses and gradients are the same bits, whatever was computed before", async () => {
    const model = modelOf(LARGER)
    const cold = await openGradients(engine!, model, adaptation)
    const values = valuesOf(cold)
    const expected = await cold.at(batchOf(0, 1, 2, 3, 4, 5), values)
    const warm = await openGradients(engine!, model, adaptation)
    for (const places of [[5], [2, 3], [0], [4, 1]]) await warm.at(batchOf(...places), values)
    expect(await warm.at(batchOf(0, 1, 2, 3, 4, 5), values)).toEqual(expected)
    expect(await cold.at(batchOf(0, 1, 2, 3, 4, 5), values)).toEqual(expected)
  })

  test("a block that the model lacks is refused", async () => {
    await expect(openGradients(engine!, modelOf(LARGER), { ...adaptation, layers: [3] })).rejects.toThrow(
      /layers: got "3".*0 to 2/,
    )
  })
})

test("what was not read for longest is forgotten", async () => {
  const asked: string[] = []
  // Two numbers a token: itself, and its place.
  const compute = async ({ ids }: Omit<Batch, "labels">) => {
    asked.push(ids.map((own) => own.join("")).join(" "))
    return Float32Array.from(ids.flatMap((own) => [...own, ...own.keys()]))
  }
  // Room for four tokens.
  const lower = new LowerBlocks(2, compute, 32)
  const read = (...ids: number[][]) => lower.of({ ids, mask: ids.map((own) => own.map((id) => (id === 0 ? 0 : 1))) })
  expect([...(await read([4, 5], [6, 0]))]).toEqual([4, 0, 5, 1, 6, 0, 0, 0])
  expect([...(await read([0, 6], [7, 0]))]).toEqual([0, 0, 6, 0, 7, 0, 0, 0])
  await read([6, 0], [4, 5])
  await read([8])
  await read([4, 5], [6, 0])
  await read([7])
  expect(asked).toEqual(["45", "6", "7", "8", "7"])
})
