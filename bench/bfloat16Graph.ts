/** A step's graph with its frozen weights as bfloat16 in a file, cast to float32 where they are read. */
import type { TensorFile } from "../src/checkpoint/tensorFile.js"
import { delimited, type Encoded, integer, message } from "../src/train/graph/protobuf.js"

/**
 * When a weight is cast: `read`, for each operation that reads it; `once` a step, and kept for the way back; `constant`,
 * by the engine when it opens the graph.
 */
export const CASTS = ["read", "once", "constant"] as const
export type CastWhen = (typeof CASTS)[number]

/** TensorProto.DataType. */
const [FLOAT32, INT64, BFLOAT16] = [1, 7, 16]
/** Fields of ModelProto and GraphProto. */
const [GRAPH, NODE, INITIALISER, INPUT] = [7, 1, 5, 11]
const AXES = "axes of a weight"

/** The weight's name in a checkpoint, by that of the graph's input. */
export function weightOf(input: string): string {
  return input.replace(/ \d+$/, "")
}

/** The graph's bytes, whose weights lie in the file beside it. */
export function withBfloat16(model: Uint8Array, file: TensorFile, location: string, when: CastWhen): Uint8Array {
  const top = fieldsOf(model)
  const graph = fieldsOf(top.find(({ field }) => field === GRAPH)!.data)
  const added: Encoded[] = [
    delimited(
      INITIALISER,
      message(integer(1, 1), integer(2, INT64), delimited(8, AXES), delimited(9, new Uint8Array(8))),
    ),
  ]
  const inputs = new Set(graph.filter(({ field }) => field === INPUT).map(({ data }) => nameOf(data)))
  const frozen = new Set([...inputs].filter((name) => file.tensors.has(weightOf(name))))
  const uses = new Map<string, number>()
  const node = (operator: string, from: readonly string[], to: string, ...attributes: Encoded[]) => {
    const names = [...from.map((name) => delimited(1, name)), delimited(2, to)]
    added.push(delimited(NODE, message(...names, delimited(4, operator), ...attributes)))
    return to
  }
  const toFloat32 = delimited(5, message(delimited(1, "to"), integer(3, FLOAT32), integer(20, 2)))
  const cast = (name: string): string => {
    const use = when === "read" ? (uses.get(name) ?? 0) : 0
    const isKnown = uses.has(name)
    uses.set(name, use + 1)
    if (use === 0 && isKnown) return `${name} cast`
    if (use > 0) {
      // The same bytes in another shape: casts that are alike would become one, whose result is kept for both.
      const other = node("Unsqueeze", [`${name} stored`, AXES], `${name} other ${use}`)
      return node("Squeeze", [node("Cast", [other], `${name} wide ${use}`, toFloat32), AXES], `${name} cast ${use}`)
    }
    const { shape, byte, length } = file.tensors.get(weightOf(name))!
    const sizes = [1, ...shape, ...(shape.length === 1 ? [1] : [])]
    const place = Object.entries({ location, offset: byte, length: 2 * length }).map(([key, value]) =>
      delimited(13, message(delimited(1, key), delimited(2, String(value)))),
    )
    const tensor = [...sizes.map((size) => integer(1, size)), integer(2, BFLOAT16), delimited(8, `${name} stored`)]
    added.push(delimited(INITIALISER, message(...tensor, ...place, integer(14, 1))))
    // What may be given too is no constant.
    if (when !== "constant") {
      const known = message(...sizes.map((size) => delimited(1, integer(1, size))))
      const type = delimited(1, message(integer(1, BFLOAT16), delimited(2, known)))
      added.push(delimited(INPUT, message(delimited(1, `${name} stored`), delimited(2, type))))
    }
    return node("Cast", [`${name} stored`], `${name} cast`, toFloat32)
  }
  const kept = graph.flatMap(({ field, all, data }): Encoded[] => {
    if (field === INPUT && frozen.has(nameOf(data))) return []
    if (field !== NODE) return [[all]]
    const parts = fieldsOf(data).map((part) => {
      const name = part.field === 1 ? new TextDecoder().decode(part.data) : ""
      return frozen.has(name) ? delimited(1, cast(name)) : [part.all]
    })
    return [delimited(NODE, parts.flat())]
  })
  const others = top.filter(({ field }) => field !== GRAPH).map(({ all }) => all)
  return Buffer.concat([...others, ...delimited(GRAPH, message(...added, ...kept))])
}

/** The text in a message's first field. */
function nameOf(of: Uint8Array): string {
  return new TextDecoder().decode(fieldsOf(of).find(({ field }) => field === 1)?.data)
}

/** A message's fields: their numbers, all their bytes, and what they hold where it has a length. */
function fieldsOf(
  bytes: Uint8Array,
): { readonly field: number; readonly all: Uint8Array; readonly data: Uint8Array }[] {
  const found: { field: number; all: Uint8Array; data: Uint8Array }[] = []
  let at = 0
  const varint = () => {
    let value = 0
    for (let scale = 1; ; scale *= 128) {
      const byte = bytes[at++]!
      value += (byte & 127) * scale
      if (byte < 128) return value
    }
  }
  while (at < bytes.length) {
    const begin = at
    const key = varint()
    const length = varint()
    const hasLength = key % 8 === 2
    if (hasLength) at += length
    const data = hasLength ? bytes.subarray(at - length, at) : new Uint8Array()
    found.push({ field: Math.floor(key / 8), all: bytes.subarray(begin, at), data })
  }
  return found
}
