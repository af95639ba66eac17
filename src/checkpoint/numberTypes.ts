/** Number types of tensors as files store them, and their values as float32. */

/** How a type is stored: so many bytes for so many values, and how they become numbers. */
export interface NumberType {
  readonly name: string
  /** Values in a block; 1 for plain numbers. */
  readonly values: number
  /** Bytes of a block. */
  readonly bytes: number
  /** Bits of the significand, the leading one included, of a floating-point type that is stored number by number. */
  readonly significand?: number
  /** Whole blocks as float32; absent where this package does not read the type. */
  readonly decode?: (bytes: Uint8Array) => Float32Array
}

const plain = (name: string, bytes: number): NumberType => ({ name, values: 1, bytes })

/** float64 is rounded to float32. */
export const F64: NumberType = {
  ...plain("F64", 8),
  significand: 53,
  decode: (bytes) => Float32Array.from(new Float64Array(aligned(bytes).buffer)),
}
export const F32: NumberType = {
  ...plain("F32", 4),
  significand: 24,
  decode: (bytes) => new Float32Array(aligned(bytes).buffer),
}
export const F16: NumberType = {
  ...plain("F16", 2),
  significand: 11,
  decode: (bytes) => {
    const table = halves()
    const stored = new Uint16Array(aligned(bytes).buffer)
    const values = new Float32Array(stored.length)
    for (let i = 0; i < stored.length; i++) values[i] = table[stored[i]!]!
    return values
  },
}
export const BF16: NumberType = {
  ...plain("BF16", 2),
  significand: 8,
  decode: (bytes) => {
    const upper = new Uint16Array(aligned(bytes).buffer)
    const values = new Uint32Array(upper.length)
    for (let i = 0; i < upper.length; i++) values[i] = upper[i]! << 16
    return new Float32Array(values.buffer)
  },
}
/** Whole numbers as float32: exact up to 2²⁴, rounded beyond. */
export const I32: NumberType = {
  ...plain("I32", 4),
  decode: (bytes) => Float32Array.from(new Int32Array(aligned(bytes).buffer)),
}
export const I64: NumberType = {
  ...plain("I64", 8),
  decode: (bytes) => Float32Array.from(new BigInt64Array(aligned(bytes).buffer), Number),
}

/** Types of a safetensors header; those without `decode` are refused when read. */
export const SAFETENSORS_TYPES: ReadonlyMap<string, NumberType> = new Map(
  [
    F64,
    F32,
    F16,
    BF16,
    I64,
    I32,
    plain("U64", 8),
    plain("U32", 4),
    plain("I16", 2),
    plain("U16", 2),
    plain("I8", 1),
    plain("U8", 1),
    plain("BOOL", 1),
    plain("F8_E4M3", 1),
    plain("F8_E5M2", 1),
    plain("F8_E8M0", 1),
    plain("C64", 8),
  ].map((type) => [type.name, type]),
)

/** Bytes that start at a multiple of 8, as typed arrays need; a machine with the other byte order is not supported. */
function aligned(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  return bytes.byteOffset === 0 && bytes.byteLength === bytes.buffer.byteLength && bytes.buffer instanceof ArrayBuffer
    ? (bytes as Uint8Array<ArrayBuffer>)
    : Uint8Array.from(bytes)
}

let table: Float32Array | undefined

/** The value of each of the 65,536 halves. */
function halves(): Float32Array {
  table ??= Float32Array.from({ length: 1 << 16 }, (_, bits) => halfValue(bits))
  return table
}

/** The value of an IEEE 754 half from its bits. */
export function halfValue(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1
  const exponent = (bits >> 10) & 31
  const fraction = bits & 1023
  if (exponent === 31) return fraction === 0 ? sign * Number.POSITIVE_INFINITY : Number.NaN
  return exponent === 0 ? sign * fraction * 2 ** -24 : sign * (1024 + fraction) * 2 ** (exponent - 25)
}
