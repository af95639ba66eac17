import { readdir, stat } from "node:fs/promises"
import { join } from "node:path"
import { InputError } from "../inputError.js"
import { openGguf } from "./gguf.js"
import { openSafetensors } from "./safetensors.js"
import { openSharded } from "./sharded.js"
import type { TensorFile } from "./tensorFile.js"

/** Names of what `torch.save` writes: pickles in a zip. */
const isPickle = (name: string) => /\.(bin|pt|pth|ckpt)$/.test(name)

/**
 * Opens a checkpoint: a .safetensors or .gguf file, a `….safetensors.index.json`, or a folder with one model in one of
 * these forms.
 *
 * @param pickles reads a file by `torch.save` too, by a parser that builds numbers only.
 * @throws InputError for another kind of file, or a folder with none or several; MalformedFile for a file that is
 * broken.
 */
export async function openCheckpoint(path: string, pickles = false): Promise<TensorFile> {
  const file = (await isFolder(path)) ? join(path, await modelIn(path)) : path
  if (file.endsWith(".safetensors.index.json")) return openSharded(file)
  if (file.endsWith(".safetensors")) return openSafetensors(file)
  if (file.endsWith(".gguf")) return openGguf(file)
  if (isPickle(file) && pickles) return (await import("./torchFile.js")).openTorchFile(file)
  if (isPickle(file))
    throw new InputError({
      field: "file",
      given: path,
      allowed: "no pickle unless it is asked for; it is then parsed, never run",
      example: `inspect --pickle ${path}`,
    })
  throw new InputError({
    field: "file",
    given: path,
    allowed: "a .safetensors or .gguf file, a .safetensors.index.json, or a folder with one of them",
    example: "model.safetensors",
  })
}

/** The one model of a folder: its index, model.safetensors, or its only file of tensors. */
async function modelIn(folder: string): Promise<string> {
  const names = (await readdir(folder)).sort()
  const indices = names.filter((name) => name.endsWith(".safetensors.index.json"))
  const models = names.filter((name) => name.endsWith(".safetensors") || name.endsWith(".gguf"))
  const found = indices.length > 0 ? indices : models.includes("model.safetensors") ? ["model.safetensors"] : models
  if (found.length === 1) return found[0]!
  throw new InputError({
    field: "folder",
    given: found.length === 0 ? folder : `${folder}: ${found.slice(0, 4).join(", ")}`,
    allowed: "a folder with one model: model.safetensors, an index of shards, or a .gguf file",
    example: join(folder, found[0] ?? "model.safetensors"),
  })
}

async function isFolder(path: string): Promise<boolean> {
  const found = await stat(path).catch((error: NodeJS.ErrnoException) => {
    throw new InputError({
      field: "file",
      given: path,
      allowed: `a path that can be read (${error.code})`,
      example: "model/",
    })
  })
  return found.isDirectory()
}
