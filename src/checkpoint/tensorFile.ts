import { InputError } from "../inputError.js"
import type { ByteSource } from "./byteSource.js"
import type { NumberType } from "./numberTypes.js"

/** A value of a header: metadata that is no tensor. */
export type MetadataValue = string | number | bigint | boolean | readonly MetadataValue[]

/** A tensor that lies in a file until it is read. */
export interface StoredTensor {
  readonly name: string
  readonly type: NumberType
  /** Row-major: the last index runs fastest. */
  readonly shape: readonly number[]
  /** How many values. */
  readonly length: number
  /** The file it lies in. */
  readonly file: string
  /** Its first byte there. */
  readonly byte: number
  /**
   * Its values as float32, or `count` of them from the value `from` on.
   *
   * @throws InputError for a type that this package does not read, or a range that cuts a block of a quantised type.
   */
  read(from?: number, count?: number): Promise<Float32Array>
}

/** An opened file of tensors, or several that belong together: headers are checked, tensors still unread. */
export interface TensorFile {
  readonly path: string
  readonly format: "safetensors" | "gguf" | "pickle"
  readonly metadata: ReadonlyMap<string, MetadataValue>
  readonly tensors: ReadonlyMap<string, StoredTensor>
  close(): Promise<void>
}

/**
 * A tensor at a place that the caller has checked to lie in the source.
 *
 * @param byte its first byte.
 */
export function storedTensor(
  source: ByteSource,
  name: string,
  type: NumberType,
  shape: readonly number[],
  byte: number,
): StoredTensor {
  const length = shape.reduce((product, size) => product * size, 1)
  const stored = { name, type, shape, length, file: source.name, byte }
  return { ...stored, read: (from = 0, count = length - from) => readValues(source, stored, from, count) }
}

async function readValues(
  source: ByteSource,
  { name, type, length, byte }: Omit<StoredTensor, "read">,
  from: number,
  count: number,
): Promise<Float32Array> {
  const field = `${source.name}: tensor ${JSON.stringify(name.slice(0, 120))}`
  if (type.decode === undefined)
    throw new InputError({
      field,
      given: type.name,
      allowed: "F64, F32, F16, BF16, I32, I64, and of GGUF also Q8_0, Q4_0, Q4_1, Q5_0, Q5_1",
      example: "F16",
    })
  if (from < 0 || count < 0 || from + count > length || from % type.values !== 0 || count % type.values !== 0)
    throw new InputError({
      field,
      given: `${count} values from ${from}`,
      allowed: `whole blocks of ${type.values} of its ${length} values`,
      example: `0 to ${length}`,
    })
  const blocks = (values: number) => (values / type.values) * type.bytes
  return type.decode(await source.read(byte + blocks(from), blocks(count)))
}
