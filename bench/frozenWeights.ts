/**
 * Frozen weights in float32, as the graph engine has them, beside bfloat16: peak memory of a process and time of a step,
 * for random weights of SmolLM2-135M's shape, results equal first.
 */
import { execFile } from "node:child_process"
import { mkdtemp, open, rm, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { promisify } from "node:util"
import { markdownTable } from "markdown-table"
import { configOf } from "../src/checkpoint/pretrainedConfig.js"
import { pretrainedProgram } from "../src/program/models/pretrained.js"
import { CASTS } from "./bfloat16Graph.js"

const VOCABULARY = 49152
const CONFIG = {
  ...{ architectures: ["LlamaForCausalLM"], model_type: "llama", hidden_act: "silu", vocab_size: VOCABULARY },
  ...{ hidden_size: 576, intermediate_size: 1536, num_hidden_layers: 30, tie_word_embeddings: true },
  ...{ num_attention_heads: 9, num_key_value_heads: 3, rms_norm_eps: 1e-5, rope_theta: 100000 },
}

/** What a process says of its way. */
interface Told {
  readonly loss: number
  /** Of a step, the least. */
  readonly seconds: number
  readonly mebibytes: number
}

/** Prints a row for each way. */
export async function benchFrozenWeights(say: (line: string) => void): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), "frozen-"))
  try {
    await writeModel(folder)
    const script = new URL("frozenWeightsWay.ts", import.meta.url).pathname
    const told: (Told & { way: string })[] = []
    for (const way of ["float32", ...CASTS]) {
      const { stdout } = await promisify(execFile)(process.execPath, ["--import", "tsx", script, folder, way])
      told.push({ way, ...(JSON.parse(stdout) as Told) })
    }
    const odd = told.find(({ loss }) => loss !== told[0]!.loss)
    if (odd !== undefined) throw new Error(`${odd.way}: loss ${odd.loss}, in float32 ${told[0]!.loss}`)
    const rows = told.map(({ way, seconds, mebibytes }) => [
      way === "float32" ? way : `bfloat16, cast: ${way}`,
      seconds.toPrecision(3),
      mebibytes.toFixed(0),
    ])
    say("SmolLM2-135M's shape, one sequence of 128 tokens, r = 8 on q and v, one thread; losses are the same bits\n")
    say(markdownTable([["frozen weights", "s of processor a step", "peak MiB"], ...rows], { align: ["l", "r", "r"] }))
  } finally {
    await rm(folder, { recursive: true })
  }
}

/** Random weights in bfloat16, as the hub has them. */
async function writeModel(folder: string): Promise<void> {
  await writeFile(join(folder, "config.json"), JSON.stringify(CONFIG))
  const { weights } = pretrainedProgram(configOf("config.json", CONFIG).shape, "causal", [], 1, false)
  const tensors = [...weights].map(([name, { shape }]) => {
    const [rows, columns] = shape.map((space) => (space.name === "vocabulary" ? VOCABULARY : space.count))
    return { name, rows: rows!, columns: columns!, isNorm: name.endsWith("norm.weight") }
  })
  let end = 0
  const header = Object.fromEntries(
    tensors.map(({ name, rows, columns, isNorm }) => {
      const begin = end
      end += 2 * rows * columns
      return [name, { dtype: "BF16", shape: isNorm ? [rows] : [rows, columns], data_offsets: [begin, end] }]
    }),
  )
  const text = Buffer.from(JSON.stringify(header))
  const padded = Buffer.concat([text, Buffer.alloc(-text.length & 7, " ")])
  const length = Buffer.alloc(8)
  length.writeBigUInt64LE(BigInt(padded.length))
  const file = await open(join(folder, "model.safetensors"), "w")
  let state = 1
  try {
    await file.write(Buffer.concat([length, padded]))
    for (const { rows, columns, isNorm } of tensors) {
      const scale = Math.sqrt(12 / columns)
      // Uniform, by a linear congruence: 135 million Gaussians would take minutes.
      const values = Float32Array.from({ length: rows * columns }, () => {
        state = (Math.imul(state, 1664525) + 1013904223) >>> 0
        return isNorm ? 1 : (state / 2 ** 32 - 0.5) * scale
      })
      // The upper half of each: rounded to zero.
      await file.write(Uint16Array.from(new Uint32Array(values.buffer), (bits) => bits >>> 16))
    }
  } finally {
    await file.close()
  }
}
