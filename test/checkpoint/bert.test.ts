import { mkdtemp, rm, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterAll, beforeAll, expect, test } from "vitest"
import { readBert } from "../../src/checkpoint/bert.js"
import { InputError } from "../../src/inputError.js"
import { float32, safetensors } from "./write.js"

const CONFIG = {
  model_type: "bert",
  hidden_size: 4,
  num_hidden_layers: 1,
  num_attention_heads: 2,
  intermediate_size: 6,
  layer_norm_eps: 1e-12,
  hidden_act: "gelu",
}

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "bert-"))
})
afterAll(() => rm(folder, { recursive: true }))

const TABLES = { word_embeddings: 5, position_embeddings: 3, token_type_embeddings: 2 }

/** Writes a folder with a configuration and tables of embeddings, each entry its own number. */
async function write(config: unknown, { prefix = "", leaveOut = "" } = {}): Promise<void> {
  await writeFile(join(folder, "config.json"), JSON.stringify(config))
  const tables = Object.entries(TABLES)
    .filter(([name]) => name !== leaveOut)
    .map(([name, rows]) => {
      const values = Array.from({ length: 4 * rows }, (_, i) => i)
      return float32(`${prefix}embeddings.${name}.weight`, [rows, 4], values)
    })
  await writeFile(join(folder, "model.safetensors"), safetensors(tables))
}

test.each(["", "bert."])("a folder whose names begin with %j is read: sizes, tables, weights", async (prefix) => {
  await write(CONFIG, { prefix })
  const { encoder, close } = await readBert(folder)
  expect(encoder.shape).toEqual({ layers: 1, heads: 2, hidden: 4, inner: 6, epsilon: 1e-12 })
  expect([...encoder.tables.segments]).toEqual([0, 1, 2, 3, 4, 5, 6, 7])
  const weight = await encoder.weight("embeddings.position_embeddings.weight", [3, 4])
  expect(weight).toHaveLength(12)
  await expect(encoder.weight("embeddings.position_embeddings.weight", [4, 3])).rejects.toThrow(/shape.*4×3/)
  await expect(encoder.weight("pooler.dense.weight", [4, 4])).rejects.toThrow("no tensor pooler.dense.weight")
  await close()
})

test.each([
  [{ ...CONFIG, model_type: "llama" }, /model_type.*llama/],
  [{ ...CONFIG, hidden_act: "relu" }, /hidden_act.*relu/],
  [{ ...CONFIG, position_embedding_type: "relative_key" }, /position_embedding_type.*relative_key/],
  [{ ...CONFIG, num_attention_heads: 3 }, /hidden_size.*multiple of 3 heads/],
  [{ ...CONFIG, hidden_size: -4 }, /hidden_size.*-4/],
  [{ ...CONFIG, layer_norm_eps: "small" }, /layer_norm_eps.*small/],
  [null, /config/],
  [[], /model_type/],
])("%j is refused by its field", async (config, message) => {
  await write(config)
  await expect(readBert(folder)).rejects.toThrow(InputError)
  await expect(readBert(folder)).rejects.toThrow(message)
})

test("a checkpoint without a table is refused by its name", async () => {
  await write(CONFIG, { leaveOut: "position_embeddings" })
  await expect(readBert(folder)).rejects.toThrow("no tensor embeddings.position_embeddings.weight")
})
