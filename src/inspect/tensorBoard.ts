/** Scalars of TensorBoard's event files, without its library. */
import { type ByteSource, openBytes } from "../checkpoint/byteSource.js"
import { MalformedFile } from "../checkpoint/malformed.js"
import { LOG_NAMES, type LogEntry } from "./logEntry.js"

/** A record may be this long; images and graphs that are longer are no scalars and are passed over. */
const LONGEST_RECORD = 1 << 20

/**
 * The scalars of an events file by step: records of a length (8 bytes), its checksum (4), a protocol buffer `Event` and
 * its checksum (4). Checksums are not compared; a record that the file ends in is left out, as a killed run leaves one.
 *
 * @throws MalformedFile naming byte and field. Source: tensorflow/core/util/event.proto and summary.proto.
 */
export async function readEvents(path: string): Promise<LogEntry[]> {
  const source = await openBytes(path)
  try {
    return await eventsOf(source)
  } finally {
    await source.close()
  }
}

/** As `readEvents`, of bytes that are open already. */
export async function eventsOf(source: ByteSource): Promise<LogEntry[]> {
  const byStep = new Map<number, Map<string, number>>()
  for (let at = 0; at + 12 <= source.size; ) {
    const head = await source.read(at, 12)
    const length = new DataView(head.buffer, head.byteOffset).getBigUint64(0, true)
    if (length > BigInt(source.size)) {
      const place = { file: source.name, byte: at, part: "length of a record" }
      throw new MalformedFile(place, String(length), `at most ${source.size - at - 16}`, "an untouched events file")
    }
    const end = at + 12 + Number(length)
    if (end + 4 > source.size) break
    if (length <= LONGEST_RECORD) addEvent(byStep, source.name, at + 12, await source.read(at + 12, Number(length)))
    at = end + 4
  }
  const value = (scalars: ReadonlyMap<string, number>, names: readonly string[]) => {
    const name = names.find((name) => scalars.has(name))
    return name === undefined ? null : scalars.get(name)!
  }
  return [...byStep]
    .map(([step, scalars]) => ({
      step,
      loss: value(scalars, LOG_NAMES.loss),
      rate: value(scalars, LOG_NAMES.rate),
      gradientNorm: value(scalars, LOG_NAMES.gradientNorm),
    }))
    .filter(({ loss, rate }) => loss !== null || rate !== null)
    .sort((p, q) => p.step - q.step)
}

/** A field of a protocol buffer: its number and what it holds. */
interface Field {
  readonly number: number
  readonly integer: bigint | null
  readonly bytes: Uint8Array | null
}

function addEvent(byStep: Map<number, Map<string, number>>, file: string, byte: number, event: Uint8Array): void {
  const fields = fieldsOf(file, byte, event)
  const step = Number(fields.find(({ number }) => number === 2)?.integer ?? 0n)
  for (const summary of fields)
    if (summary.number === 5 && summary.bytes !== null)
      for (const value of fieldsOf(file, byte, summary.bytes))
        if (value.number === 1 && value.bytes !== null) addScalar(byStep, step, fieldsOf(file, byte, value.bytes))
}

function addScalar(byStep: Map<number, Map<string, number>>, step: number, fields: readonly Field[]): void {
  const bytesOf = (number: number) => fields.find((field) => field.number === number)?.bytes ?? null
  const tag = bytesOf(1)
  // simple_value, or a tensor of one float: float_val packed (5), or its raw bytes (4).
  const tensor = bytesOf(8)
  const packed =
    tensor === null ? null : (fieldsOf("", 0, tensor).find(({ number }) => number === 5 || number === 4)?.bytes ?? null)
  const number = bytesOf(2) ?? packed
  if (tag === null || number === null || number.length !== 4) return
  const scalars = byStep.get(step) ?? new Map<string, number>()
  scalars.set(new TextDecoder().decode(tag), new DataView(number.buffer, number.byteOffset).getFloat32(0, true))
  byStep.set(step, scalars)
}

/** The fields of a message; numbers of four and eight bytes are given as bytes. */
function fieldsOf(file: string, byte: number, bytes: Uint8Array): Field[] {
  const fields: Field[] = []
  let at = 0
  const refuse = (given: string) =>
    new MalformedFile({ file, byte: byte + at, part: "event" }, given, "a protocol buffer", "an untouched events file")
  const varint = () => {
    let value = 0n
    for (let shift = 0n; shift < 70n; shift += 7n) {
      if (at >= bytes.length) throw refuse("its end within a number")
      const next = bytes[at++]!
      value |= BigInt(next & 127) << shift
      if (next < 128) return value
    }
    throw refuse("a number of more than ten bytes")
  }
  while (at < bytes.length) {
    const key = varint()
    const kind = Number(key & 7n)
    const number = Number(key >> 3n)
    if (kind === 0) fields.push({ number, integer: varint(), bytes: null })
    else if (kind === 1 || kind === 2 || kind === 5) {
      const length = kind === 2 ? Number(varint()) : kind === 1 ? 8 : 4
      if (length > bytes.length - at) throw refuse(`${length} bytes of field ${number}`)
      fields.push({ number, integer: null, bytes: bytes.subarray(at, at + length) })
      at += length
    } else throw refuse(`field ${number} of kind ${kind}`)
  }
  return fields
}
