import type { ByteSource } from "./byteSource.js"
import { MalformedFile } from "./malformed.js"

/** An entry's bytes in the file: of its whole, for it is not compressed. */
export interface Extent {
  readonly byte: number
  readonly size: number
}

/** Bytes of the end record, of its longest comment, of the 64-bit end record's place and of that record. */
const [END, COMMENT, LOCATOR, END64] = [22, 0xffff, 20, 56]
const LONGEST_DIRECTORY = 64 * 2 ** 20
/** What a field of 32 bits holds where the value stands in 64 bits elsewhere. */
const ELSEWHERE = 0xffffffff

/**
 * The entries of a zip whose entries are not compressed, by name. Every place is checked against the file's size.
 *
 * Not by a library: with yauzl 3.4.0 a corrupted 64-bit place threw past the caller, where nothing could catch it.
 *
 * @throws MalformedFile naming the byte. Source: PKWARE's APPNOTE.TXT, sections 4.3 and 4.5.3.
 */
export async function storedEntries(source: ByteSource): Promise<Map<string, Extent>> {
  const refuse = (byte: number, part: string, given: unknown, allowed: string) =>
    new MalformedFile(
      { file: source.name, byte, part },
      given,
      allowed,
      "an archive by torch.save, version 1.6 or newer",
    )
  const { count, at, size } = await directoryOf(source, refuse)
  if (size > LONGEST_DIRECTORY || at + size > source.size)
    throw refuse(at, "directory", `${size} bytes`, `at most ${Math.min(LONGEST_DIRECTORY, source.size - at)}`)
  const bytes = await source.read(at, size)
  const view = viewOf(bytes)
  const entries = new Map<string, Extent>()
  let place = 0
  for (let i = 0; i < count; i++) {
    const byte = at + place
    if (place + 46 > size || view.getUint32(place, true) !== 0x02014b50)
      throw refuse(byte, `entry ${i}`, "other bytes", "an entry of the directory")
    const [nameLength, extraLength, commentLength] = [28, 30, 32].map((field) =>
      view.getUint16(place + field, true),
    ) as [number, number, number]
    const next = place + 46 + nameLength + extraLength + commentLength
    if (next > size) throw refuse(byte, `entry ${i}`, `${next - place} bytes`, `at most ${size - place}`)
    const name = new TextDecoder().decode(bytes.subarray(place + 46, place + 46 + nameLength))
    const extra = new DataView(view.buffer, view.byteOffset + place + 46 + nameLength, extraLength)
    const [whole, packed, head] = sizesOf(view, place, extra)
    const part = `entry ${JSON.stringify(name)}`
    if ((view.getUint16(place + 8, true) & 1) === 1 || view.getUint16(place + 10, true) !== 0 || whole !== packed)
      throw refuse(byte, part, "compressed or encrypted", "stored as it is")
    if (entries.has(name)) throw refuse(byte, part, "a second one", "each name once")
    if (!(head + 30 <= source.size)) throw refuse(byte, part, `at byte ${head}`, `below ${source.size}`)
    const local = viewOf(await source.read(head, 30))
    const begin = head + 30 + local.getUint16(26, true) + local.getUint16(28, true)
    if (local.getUint32(0, true) !== 0x04034b50 || !(begin + whole <= source.size))
      throw refuse(head, part, `${whole} bytes from ${begin}`, `an entry within the file's ${source.size}`)
    entries.set(name, { byte: begin, size: whole })
    place = next
  }
  return entries
}

const viewOf = ({ buffer, byteOffset, byteLength }: Uint8Array) => new DataView(buffer, byteOffset, byteLength)

/** A number of 64 bits; one beyond 2^53 is beyond every file too. */
const wide = (view: DataView, at: number) => Number(view.getBigUint64(at, true))

/** Where the directory lies, as the end record says, or the 64-bit one that torch writes before it. */
async function directoryOf(
  source: ByteSource,
  refuse: (byte: number, part: string, given: unknown, allowed: string) => MalformedFile,
): Promise<{ count: number; at: number; size: number }> {
  const from = Math.max(0, source.size - END - COMMENT)
  const tail = viewOf(await source.read(from, source.size - from))
  let end = tail.byteLength - END
  while (
    end >= 0 &&
    !(tail.getUint32(end, true) === 0x06054b50 && tail.getUint16(end + 20, true) === tail.byteLength - end - END)
  )
    end--
  if (end < 0)
    throw refuse(source.size, "end of the archive", "no end record", "a zip, as torch.save writes since version 1.6")
  const locator = end - LOCATOR
  if (locator < 0 || tail.getUint32(locator, true) !== 0x07064b50)
    return {
      count: tail.getUint16(end + 10, true),
      size: tail.getUint32(end + 12, true),
      at: tail.getUint32(end + 16, true),
    }
  const place = wide(tail, locator + 8)
  if (!(place + END64 <= source.size)) throw refuse(from + locator, "64-bit end record", place, `below ${source.size}`)
  const record = viewOf(await source.read(place, END64))
  if (record.getUint32(0, true) !== 0x06064b50) throw refuse(place, "64-bit end record", "other bytes", "its mark")
  return { count: wide(record, 32), size: wide(record, 40), at: wide(record, 48) }
}

/** Size, packed size and place of an entry: those that do not fit 32 bits stand in the extra field 1, in this order. */
function sizesOf(view: DataView, place: number, extra: DataView): [number, number, number] {
  const given = [24, 20, 42].map((field) => view.getUint32(place + field, true))
  let wider = extra.byteLength
  let end = 0
  for (let at = 0; at + 4 <= extra.byteLength; at += 4 + extra.getUint16(at + 2, true))
    if (extra.getUint16(at, true) === 1) {
      wider = at + 4
      end = Math.min(extra.byteLength, wider + extra.getUint16(at + 2, true))
    }
  return given.map((value) => {
    if (value !== ELSEWHERE) return value
    wider += 8
    return wider <= end ? wide(extra, wider - 8) : Number.POSITIVE_INFINITY
  }) as [number, number, number]
}
