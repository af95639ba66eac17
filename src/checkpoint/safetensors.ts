import { z } from "zod"
import { type ByteSource, openBytes } from "./byteSource.js"
import { allowedBy } from "./issue.js"
import { MalformedFile } from "./malformed.js"
import { SAFETENSORS_TYPES } from "./numberTypes.js"
import { type StoredTensor, storedTensor, type TensorFile } from "./tensorFile.js"

/** The longest header that the format allows, in bytes. */
const LONGEST_HEADER = 100_000_000

const Size = z.number().int().nonnegative().max(Number.MAX_SAFE_INTEGER)
const Entry = z.object({
  dtype: z.enum([...SAFETENSORS_TYPES.keys()]),
  shape: z.array(Size).max(32),
  data_offsets: z.tuple([Size, Size]),
})

/**
 * Opens a safetensors file: eight bytes of the header's length, a JSON header, then the tensors without gaps.
 *
 * The whole header is checked against the file's size before a tensor can be read: types, shapes, and that the tensors
 * fill the file exactly, none over another (so that of two entries of one name none can be lost).
 *
 * @throws MalformedFile naming byte and field. Source: the format's specification, github.com/huggingface/safetensors.
 */
export async function openSafetensors(path: string): Promise<TensorFile> {
  const source = await openBytes(path)
  try {
    return await readSafetensors(source)
  } catch (error) {
    await source.close()
    throw error
  }
}

/** As `openSafetensors`, of bytes that are open already; closing the result closes them. */
export async function readSafetensors(source: ByteSource): Promise<TensorFile> {
  const file = source.name
  const start = { file, byte: 0, part: "length of the header" }
  if (source.size < 8)
    throw new MalformedFile(start, `a file of ${source.size} bytes`, "a safetensors file, at least 8 bytes", "a copy")
  const first = new TextDecoder("latin1").decode(await source.read(0, Math.min(60, source.size)))
  // No header is as long as these bytes say; git keeps a text in place of a large file, and a server a page.
  if (/^[\x20-\x7e\r\n\t]{8}/.test(first))
    throw new MalformedFile(
      start,
      first.split("\n")[0],
      "a safetensors file; this is a text, such as git keeps in place of a file that was not fetched",
      "git lfs pull",
    )
  const long = new DataView((await source.read(0, 8)).buffer).getBigUint64(0, true)
  const most = Math.min(source.size - 8, LONGEST_HEADER)
  if (long > BigInt(most) || long < 2n)
    throw new MalformedFile(start, String(long), `2 to ${most} bytes`, "an untouched safetensors file")
  const data = 8 + Number(long)
  const header = parsed(file, await source.read(8, data - 8))
  const tensors = new Map<string, StoredTensor>()
  const places: { name: string; begin: number; end: number }[] = []
  for (const [name, value] of Object.entries(header)) {
    if (name === "__metadata__") continue
    const { dtype, shape, data_offsets } = entryOf(file, name, value)
    const [begin, end] = data_offsets
    const type = SAFETENSORS_TYPES.get(dtype)!
    const bytes = shape.reduce((product, size) => product * size, type.bytes)
    const refuse = (part: string, given: unknown, allowed: string) =>
      new MalformedFile({ file, byte: data + begin, part: `${part} of ${JSON.stringify(name)}` }, given, allowed, "…")
    if (end > source.size - data || begin > end)
      throw refuse("data_offsets", data_offsets, `0 ≤ begin ≤ end ≤ ${source.size - data}`)
    if (end - begin !== bytes) throw refuse("data_offsets", data_offsets, `${bytes} bytes, as shape and type say`)
    tensors.set(name, storedTensor(source, name, type, shape, data + begin))
    places.push({ name, begin, end })
  }
  requireFilled(file, places, data, source.size)
  return {
    path: file,
    format: "safetensors",
    metadata: metadataOf(file, header.__metadata__),
    tensors,
    close: source.close,
  }
}

function parsed(file: string, bytes: Uint8Array): Record<string, unknown> {
  const refuse = (given: string) =>
    new MalformedFile({ file, byte: 8, part: "header" }, given, "a JSON object in UTF-8", '{"a":{"dtype":"F32",…}}')
  let value: unknown
  try {
    value = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes))
  } catch (error) {
    throw refuse(String(error))
  }
  if (typeof value !== "object" || value === null || Array.isArray(value)) throw refuse(String(JSON.stringify(value)))
  return value as Record<string, unknown>
}

function entryOf(file: string, name: string, value: unknown): z.infer<typeof Entry> {
  const entry = Entry.safeParse(value)
  if (entry.success) return entry.data
  const [issue] = entry.error.issues
  const part = [...issue!.path.map(String), `of ${JSON.stringify(name)}`].join(" ")
  throw new MalformedFile(
    { file, byte: 8, part },
    value,
    allowedBy(issue!),
    '{"dtype":"F32","shape":[8,384],"data_offsets":[0,12288]}',
  )
}

function metadataOf(file: string, value: unknown): Map<string, string> {
  const metadata = z.record(z.string(), z.string()).safeParse(value ?? {})
  if (metadata.success) return new Map(Object.entries(metadata.data))
  throw new MalformedFile({ file, byte: 8, part: "__metadata__" }, value, "texts by name", '{"format":"pt"}')
}

/** Tensors must follow one another from the end of the header to the end of the file. */
function requireFilled(
  file: string,
  places: { name: string; begin: number; end: number }[],
  data: number,
  size: number,
): void {
  let filled = 0
  for (const { name, begin, end } of places.sort((p, q) => p.begin - q.begin || p.end - q.end)) {
    if (begin !== filled) {
      const part = `data_offsets of ${JSON.stringify(name)}`
      throw new MalformedFile({ file, byte: data + begin, part }, begin, `${filled}: no gap, no overlap`, "…")
    }
    filled = end
  }
  if (data + filled !== size)
    throw new MalformedFile(
      { file, byte: data + filled, part: "end of the data" },
      `${size - data - filled} more bytes`,
      "the end of the file",
      "…",
    )
}
