/** TensorBoard's event files, made by hand. */
import { joined } from "../checkpoint/write.js"

/** A field of bytes of a protocol buffer. */
const field = (number: number, bytes: Uint8Array) => joined([Uint8Array.of(number * 8 + 2, bytes.length), bytes])
const float = (value: number) => new Uint8Array(Float32Array.of(value).buffer)
/** A scalar as TensorBoard 1 writes it, simple_value, or as 2 does, a tensor of one float. */
const scalar = (tag: string, value: number, tensor: boolean) =>
  joined([
    field(1, new TextEncoder().encode(tag)),
    tensor ? field(8, field(4, float(value))) : joined([Uint8Array.of(2 * 8 + 5), float(value)]),
  ])

/**
 * An events file: each record with its length and two checksums, which are left 0; the two forms of a scalar in turn.
 */
export function events(scalars: readonly (readonly [step: number, tag: string, value: number])[]): Uint8Array {
  return joined(
    scalars.map(([step, tag, value], i) => {
      const event = joined([Uint8Array.of(2 * 8, step), field(5, field(1, scalar(tag, value, i % 2 === 1)))])
      const length = new Uint8Array(12)
      new DataView(length.buffer).setBigUint64(0, BigInt(event.length), true)
      return joined([length, event, new Uint8Array(4)])
    }),
  )
}
