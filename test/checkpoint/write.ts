/** Files of tensors made by hand, byte for byte as their formats say. */
import { crc32 } from "node:zlib"

/** A tensor to be written: bytes as they shall stand. */
export interface Written {
  readonly name: string
  readonly dtype: string
  readonly shape: readonly number[]
  readonly bytes: Uint8Array
}

export const float32 = (name: string, shape: readonly number[], values: ArrayLike<number>): Written => ({
  name,
  dtype: "F32",
  shape,
  bytes: new Uint8Array(Float32Array.from(values).buffer),
})

/** A number's upper 16 bits, rounded to nearest, ties to even. */
export function bfloat16Bits(value: number): number {
  const bits = new Uint32Array(Float32Array.of(value).buffer)[0]!
  return ((bits + 0x7fff + ((bits >>> 16) & 1)) >>> 16) & 0xffff
}

export const bfloat16 = (name: string, shape: readonly number[], values: ArrayLike<number>): Written => ({
  name,
  dtype: "BF16",
  shape,
  bytes: new Uint8Array(Uint16Array.from(values, bfloat16Bits).buffer),
})

/** A safetensors file. */
export function safetensors(tensors: readonly Written[], metadata?: Readonly<Record<string, string>>): Uint8Array {
  let offset = 0
  const header: Record<string, unknown> = metadata === undefined ? {} : { __metadata__: metadata }
  for (const { name, dtype, shape, bytes } of tensors) {
    header[name] = { dtype, shape, data_offsets: [offset, offset + bytes.length] }
    offset += bytes.length
  }
  return withHeader(
    JSON.stringify(header),
    tensors.map(({ bytes }) => bytes),
  )
}

/** A safetensors file with any text as its header. */
export function withHeader(header: string, data: readonly Uint8Array[]): Uint8Array {
  const text = new TextEncoder().encode(header)
  const length = new Uint8Array(8)
  new DataView(length.buffer).setBigUint64(0, BigInt(text.length), true)
  return joined([length, text, ...data])
}

export function joined(parts: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0))
  let at = 0
  for (const part of parts) {
    whole.set(part, at)
    at += part.length
  }
  return whole
}

const number = (bytes: 1 | 4 | 8, value: number | bigint): Uint8Array => {
  const view = new DataView(new ArrayBuffer(bytes))
  if (bytes === 8) view.setBigUint64(0, BigInt(value), true)
  else if (bytes === 4) view.setUint32(0, Number(value), true)
  else view.setUint8(0, Number(value))
  return new Uint8Array(view.buffer)
}
const text = (value: string): Uint8Array => {
  const bytes = new TextEncoder().encode(value)
  return joined([number(8, bytes.length), bytes])
}

/** A tensor of a GGUF file: sizes with the fastest first, as the format writes them. */
export interface GgufTensor {
  readonly name: string
  readonly sizes: readonly number[]
  readonly type: number
  readonly bytes: Uint8Array
}

/** A GGUF file, version 3, alignment 32; numbers are floats, and bigints unsigned integers of 32 bits. */
export function gguf(
  metadata: Readonly<Record<string, string | number | bigint | readonly string[] | readonly number[]>>,
  tensors: readonly GgufTensor[],
): Uint8Array {
  const entries = Object.entries(metadata).map(([key, value]) =>
    joined([
      text(key),
      ...(typeof value === "string"
        ? [number(4, 8), text(value)]
        : typeof value === "bigint"
          ? [number(4, 4), number(4, Number(value))]
          : typeof value === "number"
            ? [number(4, 6), new Uint8Array(Float32Array.of(value).buffer)]
            : typeof value[0] === "number"
              ? [
                  number(4, 9),
                  number(4, 6),
                  number(8, value.length),
                  new Uint8Array(Float32Array.from(value as number[]).buffer),
                ]
              : [number(4, 9), number(4, 8), number(8, value.length), ...(value as string[]).map(text)]),
    ]),
  )
  const padded = (bytes: Uint8Array) => joined([bytes, new Uint8Array((32 - (bytes.length % 32)) % 32)])
  let offset = 0
  const infos = tensors.map(({ name, sizes, type, bytes }) => {
    const info = joined([
      text(name),
      number(4, sizes.length),
      ...sizes.map((size) => number(8, size)),
      number(4, type),
      number(8, offset),
    ])
    offset += padded(bytes).length
    return info
  })
  const head = [new TextEncoder().encode("GGUF"), number(4, 3), number(8, tensors.length), number(8, entries.length)]
  return joined([padded(joined([...head, ...entries, ...infos])), ...tensors.map(({ bytes }) => padded(bytes))])
}

const short = (value: number) => Uint8Array.of(value & 255, value >> 8)

/** A zip of entries that are not compressed, as `torch.save` writes one; `method` lies about that. */
export function zip(entries: Readonly<Record<string, Uint8Array>>, method = 0): Uint8Array {
  const local: Uint8Array[] = []
  const central: Uint8Array[] = []
  let at = 0
  for (const [name, bytes] of Object.entries(entries)) {
    const title = new TextEncoder().encode(name)
    const sizes = [number(4, crc32(bytes)), number(4, bytes.length), number(4, bytes.length), short(title.length)]
    const head = joined([short(20), short(0), short(method), short(0), short(0x21), ...sizes, short(0)])
    const begin = joined([number(4, 0x04034b50), head, title, bytes])
    central.push(joined([number(4, 0x02014b50), short(20), head, new Uint8Array(10), number(4, at), title]))
    local.push(begin)
    at += begin.length
  }
  const directory = joined(central)
  const count = short(central.length)
  const end = joined([
    number(4, 0x06054b50),
    new Uint8Array(4),
    count,
    count,
    number(4, directory.length),
    number(4, at),
    short(0),
  ])
  return joined([...local, directory, end])
}
