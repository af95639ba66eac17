import { openBytes } from "./byteSource.js"
import { MalformedFile } from "./malformed.js"
import { BF16, F16, F32, F64, I32, I64, type NumberType } from "./numberTypes.js"
import { describe, type Pickled, type PickledTensor, readPickle } from "./pickle.js"
import { type Extent, storedEntries } from "./storedZip.js"
import { type StoredTensor, storedTensor, type TensorFile } from "./tensorFile.js"

/** torch's names of the types whose numbers are read. */
const TYPES: Readonly<Record<string, NumberType>> = {
  FloatStorage: F32,
  HalfStorage: F16,
  BFloat16Storage: BF16,
  DoubleStorage: F64,
  IntStorage: I32,
  LongStorage: I64,
}

/** In bytes. */
const LONGEST_PICKLE = 32 * 2 ** 20

/**
 * Opens what `torch.save` (1.6 or newer) wrote of a dictionary of tensors: a zip whose `data.pkl` describes the tensors
 * and whose entries `data/…` hold their numbers, uncompressed. The pickle is parsed, never run: see pickle.ts.
 *
 * @throws MalformedFile for another kind of file or value, tensors that lie outside their entry, are no plain rows or
 * share a name, and what `readPickle` refuses.
 */
export async function openTorchFile(path: string): Promise<TensorFile> {
  const source = await openBytes(path)
  try {
    const entries = await storedEntries(source)
    const pickle = [...entries.keys()].filter((name) => /^[^/]+\/data\.pkl$/.test(name))
    if (pickle.length !== 1) throw refuse(path, null, "data.pkl", `${pickle.length} of them`, "one")
    const folder = pickle[0]!.slice(0, -"data.pkl".length)
    const bytesOf = async (name: string, most: number) => {
      const { byte, size } = entries.get(name)!
      if (size > most) throw refuse(path, byte, name, `${size} bytes`, `at most ${most}`)
      return source.read(byte, size)
    }
    const order = entries.has(`${folder}byteorder`) ? await bytesOf(`${folder}byteorder`, 16) : null
    if (order !== null && new TextDecoder().decode(order) !== "little")
      throw refuse(path, null, "byteorder", new TextDecoder().decode(order), "little")
    const place = entries.get(pickle[0]!)!
    const value = readPickle(path, await bytesOf(pickle[0]!, LONGEST_PICKLE))
    const tensors = new Map<string, StoredTensor>()
    for (const [name, tensor] of tensorsIn(path, value)) {
      const data = entries.get(`${folder}data/${tensor.storage.key}`)
      if (data === undefined)
        throw refuse(path, place.byte, `storage of ${JSON.stringify(name)}`, tensor.storage.key, "an entry data/…")
      tensors.set(name, storedTensor(source, name, ...placed(path, name, tensor, data)))
    }
    return { path, format: "pickle", metadata: new Map(), tensors, close: source.close }
  } catch (error) {
    await source.close()
    throw error
  }
}

function refuse(file: string, byte: number | null, part: string, given: unknown, allowed: string): MalformedFile {
  return new MalformedFile({ file, byte, part }, given, allowed, "torch.save(model.state_dict(), file)")
}

function tensorsIn(path: string, value: Pickled): [string, PickledTensor][] {
  if (!(value instanceof Map)) throw refuse(path, null, "data.pkl", describe(value), "a dictionary of tensors by name")
  return [...value].map(([name, tensor]) => {
    const is = typeof tensor === "object" && tensor !== null && "kind" in tensor && tensor.kind === "tensor"
    if (typeof name !== "string" || !is)
      throw refuse(path, null, `value of ${describe(name)}`, describe(tensor), "a dictionary of tensors by name")
    return [name, tensor]
  })
}

/** Type, shape and first byte, checked to lie in the entry. */
function placed(
  path: string,
  name: string,
  { storage, offset, shape, strides }: PickledTensor,
  data: Extent,
): [NumberType, readonly number[], number] {
  const wrong = (part: string, given: unknown, allowed: string) =>
    refuse(path, data.byte, `${part} of ${JSON.stringify(name)}`, given, allowed)
  const type = TYPES[storage.type]
  if (type === undefined) throw wrong("type", storage.type, Object.keys(TYPES).join(", "))
  const length = shape.reduce((product, size) => product * size, 1)
  let step = 1
  for (let i = shape.length - 1; i >= 0; i--) {
    if (shape[i]! > 1 && length > 0 && strides[i] !== step)
      throw wrong("strides", strides, "a tensor row by row: save it with .contiguous()")
    step *= shape[i]!
  }
  if (storage.length * type.bytes !== data.size)
    throw wrong("storage", `${data.size} bytes`, `${storage.length * type.bytes}, as data.pkl says`)
  if (offset + length > storage.length)
    throw wrong("shape", shape, `at most ${storage.length - offset} values from ${offset}`)
  return [type, shape, data.byte + offset * type.bytes]
}
