import { type ByteSource, openBytes } from "./byteSource.js"
import { Cursor } from "./cursor.js"
import { GGUF_TYPES } from "./ggufTypes.js"
import { MalformedFile } from "./malformed.js"
import { type MetadataValue, type StoredTensor, storedTensor, type TensorFile } from "./tensorFile.js"

const MAGIC = "GGUF"
/** Fewest bytes of a metadata entry and of a tensor's: counts beyond what the file can hold are refused at once. */
const LEAST_ENTRY = 13
const LEAST_TENSOR = 24
const MOST_DIMENSIONS = 4
/** Arrays within arrays, and no further. */
const DEEPEST = 4

/** Scalars of metadata by their type's number: bytes, and how they are read. */
const SCALARS: ReadonlyMap<number, readonly [number, (view: DataView) => MetadataValue]> = new Map<
  number,
  readonly [number, (view: DataView) => MetadataValue]
>([
  [0, [1, (v) => v.getUint8(0)]],
  [1, [1, (v) => v.getInt8(0)]],
  [2, [2, (v) => v.getUint16(0, true)]],
  [3, [2, (v) => v.getInt16(0, true)]],
  [4, [4, (v) => v.getUint32(0, true)]],
  [5, [4, (v) => v.getInt32(0, true)]],
  [6, [4, (v) => v.getFloat32(0, true)]],
  [7, [1, (v) => v.getUint8(0) !== 0]],
  [10, [8, (v) => v.getBigUint64(0, true)]],
  [11, [8, (v) => v.getBigInt64(0, true)]],
  [12, [8, (v) => v.getFloat64(0, true)]],
])
const TEXT = 8
const ARRAY = 9

/**
 * Opens a GGUF file, version 2 or 3, little-endian: metadata, then tensors at aligned offsets.
 *
 * Every count, length and offset is checked against the file's size before it is followed. Shapes are turned to
 * row-major order: GGUF writes the fastest index first.
 *
 * @throws MalformedFile naming byte and field. Source: docs/gguf.md of github.com/ggml-org/ggml.
 */
export async function openGguf(path: string): Promise<TensorFile> {
  const source = await openBytes(path)
  try {
    return await readGguf(source)
  } catch (error) {
    await source.close()
    throw error
  }
}

/** As `openGguf`, of bytes that are open already; closing the result closes them. */
export async function readGguf(source: ByteSource): Promise<TensorFile> {
  const cursor = new Cursor(source)
  const magic = new TextDecoder("latin1").decode(await cursor.bytes(4, "magic"))
  if (magic !== MAGIC) throw cursor.refuse("magic", magic, MAGIC, 0)
  const version = await cursor.u32("version")
  if (version !== 2 && version !== 3) throw cursor.refuse("version", version, "2 or 3, little-endian", 4)
  const tensorCount = await cursor.u64("count of tensors", Math.floor(cursor.left / LEAST_TENSOR))
  const entryCount = await cursor.u64("count of metadata entries", Math.floor(cursor.left / LEAST_ENTRY))
  const metadata = new Map<string, MetadataValue>()
  for (let i = 0; i < entryCount; i++) {
    const key = await cursor.text(`metadata key ${i}`)
    if (metadata.has(key)) throw cursor.refuse("metadata key", key, "each key once")
    metadata.set(key, await metadataValue(cursor, await cursor.u32(`type of ${key}`), key, 0))
  }
  const entries = []
  for (let i = 0; i < tensorCount; i++) entries.push(await tensorEntry(cursor, i))
  const alignment = metadata.get("general.alignment") ?? 32
  if (typeof alignment !== "number" || alignment < 8 || alignment % 8 !== 0)
    throw cursor.refuse("general.alignment", alignment, "a multiple of 8")
  const data = Math.ceil(cursor.position / alignment) * alignment
  const tensors = new Map<string, StoredTensor>()
  for (const { name, type, shape, bytes, offset, byte } of entries) {
    if (tensors.has(name)) throw cursor.refuse("name of a tensor", name, "each name once", byte)
    if (offset % alignment !== 0 || offset + bytes > source.size - data)
      throw cursor.refuse(
        `offset of ${JSON.stringify(name)}`,
        offset,
        `a multiple of ${alignment}, so that its ${bytes} bytes end within the data's ${source.size - data}`,
        byte,
      )
    tensors.set(name, storedTensor(source, name, type, shape, data + offset))
  }
  requireApart(source.name, entries, data)
  return { path: source.name, format: "gguf", metadata, tensors, close: source.close }
}

async function metadataValue(cursor: Cursor, type: number, key: string, depth: number): Promise<MetadataValue> {
  if (type === TEXT) return cursor.text(key)
  const scalar = SCALARS.get(type)
  if (scalar !== undefined) return scalar[1](await cursor.view(scalar[0], key))
  if (type !== ARRAY || depth >= DEEPEST)
    throw cursor.refuse(`type of ${key}`, type, `0 to 12, arrays at most ${DEEPEST} deep`, cursor.position - 4)
  const of = await cursor.u32(`element type of ${key}`)
  const least = of === TEXT ? 8 : of === ARRAY ? 12 : (SCALARS.get(of)?.[0] ?? 1)
  const count = await cursor.u64(`length of ${key}`, Math.floor(Math.max(0, cursor.left - 8) / least))
  const values: MetadataValue[] = []
  for (let i = 0; i < count; i++) values.push(await metadataValue(cursor, of, key, depth + 1))
  return values
}

async function tensorEntry(cursor: Cursor, i: number) {
  const byte = cursor.position
  const name = await cursor.text(`name of tensor ${i}`)
  const of = `of ${JSON.stringify(name)}`
  const dimensions = await cursor.u32(`dimensions ${of}`)
  if (dimensions > MOST_DIMENSIONS)
    throw cursor.refuse(`dimensions ${of}`, dimensions, `at most ${MOST_DIMENSIONS}`, cursor.position - 4)
  const sizes: number[] = []
  for (let d = 0; d < dimensions; d++) sizes.push(await cursor.u64(`shape ${of}`, Number.MAX_SAFE_INTEGER))
  const number = await cursor.u32(`type ${of}`)
  const type = GGUF_TYPES.get(number)
  if (type === undefined)
    throw cursor.refuse(`type ${of}`, number, [...GGUF_TYPES.keys()].join(", "), cursor.position - 4)
  const length = sizes.reduce((product, size) => product * size, 1)
  if ((sizes[0] ?? 1) % type.values !== 0 || !Number.isSafeInteger(length))
    throw cursor.refuse(`shape ${of}`, sizes, `rows of whole blocks of ${type.values} ${type.name} values`, byte)
  const offset = await cursor.u64(`offset ${of}`, Number.MAX_SAFE_INTEGER)
  return { name, type, shape: sizes.reverse(), bytes: (length / type.values) * type.bytes, offset, byte }
}

/** No tensor lies over another. */
function requireApart(
  file: string,
  entries: readonly { name: string; offset: number; bytes: number }[],
  data: number,
): void {
  let end = 0
  for (const { name, offset, bytes } of [...entries].sort((p, q) => p.offset - q.offset || p.bytes - q.bytes)) {
    const part = `offset of ${JSON.stringify(name)}`
    if (offset < end)
      throw new MalformedFile({ file, byte: data + offset, part }, offset, `at least ${end}: no overlap`, "…")
    end = offset + bytes
  }
}
