/** Steps with frozen weights kept in one way: tsx frozenWeightsWay.ts FOLDER WAY; prints loss, time and memory as JSON. */
import { writeFile } from "node:fs/promises"
import { join } from "node:path"
import { openCheckpoint } from "../src/checkpoint/open.js"
import { type Pretrained, readPretrainedConfig } from "../src/checkpoint/pretrained.js"
import { type Engine, type GraphSession, type GraphTensor, openEngine } from "../src/train/graph/engine.js"
import { fineTune } from "../src/train/graph/fineTune.js"
import { openGradients } from "../src/train/graph/gradients.js"
import { gaussians } from "../src/train/random.js"
import { type CastWhen, weightOf, withBfloat16 } from "./bfloat16Graph.js"

const [STEPS, TOKENS] = [4, 128]
const [folder, way] = process.argv.slice(2) as [string, "float32" | CastWhen]
const file = await openCheckpoint(folder)

/** The graph engine with the weights left in their file. */
async function narrow(when: CastWhen): Promise<Engine> {
  const ort = (await import("onnxruntime-node" as string)) as {
    readonly InferenceSession: { create(path: string, options: object): Promise<GraphSession> }
  }
  const wide = await openEngine()
  const none = (data: Float32Array, dims: readonly number[]): GraphTensor => ({ data, dims })
  return {
    ...wide,
    tensor: (data, dims) => (data.length === 0 ? none(data, dims) : wide.tensor(data, dims)),
    session: async (model) => {
      const path = join(folder, `${when}.onnx`)
      await writeFile(path, withBfloat16(model, file, "model.safetensors", when))
      // As openEngine opens one.
      const one = { intraOpNumThreads: 1, interOpNumThreads: 1, enableMemPattern: false, logSeverityLevel: 3 }
      const session = await ort.InferenceSession.create(path, { executionProviders: ["cpu"], ...one })
      return {
        run: (feeds) =>
          session.run(Object.fromEntries(Object.entries(feeds).filter(([name]) => !file.tensors.has(weightOf(name))))),
        release: () => session.release(),
      }
    },
  }
}

const ids = [Array.from(gaussians(2, "tokens", TOKENS), (x) => Math.floor(Math.abs(x) * 5000))]
const table = file.tensors.get("model.embed_tokens.weight")!
const config = await readPretrainedConfig(folder)

/** The words' table with the rows that are looked up; what is never written takes no memory. */
async function lookedUp(): Promise<Float32Array> {
  const { hidden } = config.shape
  const rows = new Float32Array(table.length)
  for (const id of new Set(ids.flat())) rows.set(await table.read(id * hidden, hidden), id * hidden)
  return rows
}

const model: Pretrained = {
  ...config,
  weight: (name) => (way === "float32" ? file.tensors.get(name)!.read() : Promise.resolve(new Float32Array())),
  tables: {
    words: way === "float32" ? await table.read() : await lookedUp(),
    ...{ positions: null, segments: null, output: null },
  },
}
const adaptation = { sites: ["q_proj", "v_proj"], rank: 8, scale: 2, classes: null, trainHead: false }
const gradients = await openGradients(way === "float32" ? await openEngine() : await narrow(way), model, adaptation)
const start = gradients.trained.map(({ name, shape: [rows, columns] }) =>
  Float32Array.from(gaussians(1, name, rows * columns, columns ** -0.5)),
)
const batch = { ids, mask: ids.map((own) => own.map(() => 1)), labels: ids }
const adam = { beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weightDecay: 0, clip: null }
const options = { ...adam, steps: STEPS, rate: 1e-3, warmup: 0, decay: "none", accumulate: 1 } as const
let [least, last] = [Number.POSITIVE_INFINITY, Number.NaN]
let begin = process.cpuUsage()
for await (const { loss } of fineTune(gradients, start, () => batch, options)) {
  const { user, system } = process.cpuUsage(begin)
  ;[least, last] = [Math.min(least, (user + system) / 1e6), loss]
  begin = process.cpuUsage()
}
const mebibytes = process.resourceUsage().maxRSS / 1024
process.stdout.write(`${JSON.stringify({ loss: last, seconds: least, mebibytes })}\n`)
process.exit()
