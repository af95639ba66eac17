/**
 * The wire format of Protocol Buffers, as far as an ONNX model needs it:
 * https://protobuf.dev/programming-guides/encoding.
 *
 * Writing is these few lines; the libraries that exist bring a reader, reflection and a schema of 8,000 lines with
 * them.
 */

/** An encoded message, or a part of one. */
export type Encoded = readonly Uint8Array[]

/** A message's fields one after the other. */
export function message(...fields: readonly Encoded[]): Encoded {
  return fields.flat()
}

/** A whole number ≥ 0, as int64 or an enumeration. */
export function integer(field: number, value: number): Encoded {
  return [varint(8 * field), varint(value)]
}

/** Bytes with their length before them: a text, raw data, or a message within a message. */
export function delimited(field: number, value: string | Uint8Array | Encoded): Encoded {
  const parts = typeof value === "string" ? [Buffer.from(value)] : value instanceof Uint8Array ? [value] : value
  const length = parts.reduce((sum, { length }) => sum + length, 0)
  return [varint(8 * field + 2), varint(length), ...parts]
}

/**
 * Seven bits a byte, the lowest first; −1, the only negative number that a model here has, as 64-bit two's complement.
 */
function varint(value: number): Uint8Array {
  const bytes: number[] = []
  let rest = BigInt.asUintN(64, BigInt(value))
  for (; rest > 127n; rest >>= 7n) bytes.push(Number(rest & 127n) | 128)
  return Uint8Array.from([...bytes, Number(rest)])
}
