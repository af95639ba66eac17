import { basename, dirname, join } from "node:path"
import { z } from "zod"
import { MalformedFile } from "./malformed.js"
import { readJson } from "./readJson.js"
import { openSafetensors } from "./safetensors.js"
import type { StoredTensor, TensorFile } from "./tensorFile.js"

const Index = z.object({ weight_map: z.record(z.string(), z.string()) })

/** The most shards that an index may name. */
const MOST_SHARDS = 10_000

/**
 * Opens the shards that a `model.safetensors.index.json` names, all in its own folder, as one.
 *
 * @throws MalformedFile for a shard outside the folder, a name in two shards, and a shard without a tensor that the
 * index says it holds.
 */
export async function openSharded(path: string): Promise<TensorFile> {
  const refuse = (part: string, given: unknown, allowed: string) =>
    new MalformedFile(
      { file: path, byte: null, part },
      given,
      allowed,
      '{"weight_map":{"a":"model-00001-of-00002.safetensors"}}',
    )
  const index = Index.safeParse(await readJson(path))
  if (!index.success) throw refuse("weight_map", index.error.issues[0]!.message, "names of files by names of tensors")
  const map = Object.entries(index.data.weight_map)
  const names = [...new Set(map.map(([, file]) => file))]
  if (names.length === 0 || names.length > MOST_SHARDS)
    throw refuse("weight_map", `${names.length} files`, `1 to ${MOST_SHARDS}`)
  for (const name of names)
    if (name !== basename(name) || name.includes("\\") || !name.endsWith(".safetensors"))
      throw refuse("weight_map", name, "a .safetensors file in the same folder")
  const shards = new Map<string, TensorFile>()
  const close = async () => {
    for (const shard of shards.values()) await shard.close()
  }
  try {
    for (const name of names) shards.set(name, await openSafetensors(join(dirname(path), name)))
    const tensors = new Map<string, StoredTensor>()
    for (const [name, shard] of shards)
      for (const tensor of shard.tensors.values()) {
        if (tensors.has(tensor.name)) throw refuse(JSON.stringify(tensor.name), name, "a tensor of one shard only")
        tensors.set(tensor.name, tensor)
      }
    for (const [tensor, name] of map)
      if (!shards.get(name)!.tensors.has(tensor)) throw refuse(JSON.stringify(tensor), name, "a shard that holds it")
    const metadata = new Map([...shards.values()].flatMap((shard) => [...shard.metadata]))
    return { path, format: "safetensors", metadata, tensors, close }
  } catch (error) {
    await close()
    throw error
  }
}
