import type { ByteSource } from "./byteSource.js"
import { MalformedFile } from "./malformed.js"

/** Bytes fetched at once: a header's fields are small. */
const CHUNK = 1 << 16

/** Reads a header field by field, little-endian, a chunk of the file at a time. */
export class Cursor {
  position = 0
  private chunk: Uint8Array = new Uint8Array(0)
  private start = 0

  constructor(private readonly source: ByteSource) {}

  /** Bytes from here to the end. */
  get left(): number {
    return this.source.size - this.position
  }

  /** The error for a value that began at this byte. */
  refuse(part: string, given: unknown, allowed: string, byte = this.position): MalformedFile {
    return new MalformedFile({ file: this.source.name, byte, part }, given, allowed, "an untouched file")
  }

  /** So many bytes. @throws MalformedFile where the file ends before. */
  async bytes(length: number, part: string): Promise<Uint8Array> {
    if (length > this.left) throw this.refuse(part, `${length} bytes`, `at most ${this.left}: the file ends there`)
    const from = this.position - this.start
    if (from < 0 || from + length > this.chunk.length) {
      this.chunk = await this.source.read(this.position, Math.min(Math.max(length, CHUNK), this.left))
      this.start = this.position
    }
    const begin = this.position - this.start
    this.position += length
    return this.chunk.subarray(begin, begin + length)
  }

  /** As `bytes`, as a view for numbers. */
  async view(length: number, part: string): Promise<DataView> {
    const { buffer, byteOffset } = await this.bytes(length, part)
    return new DataView(buffer, byteOffset, length)
  }

  async u32(part: string): Promise<number> {
    return (await this.view(4, part)).getUint32(0, true)
  }

  /** A whole number of 64 bits that must not exceed `most`. */
  async u64(part: string, most: number): Promise<number> {
    const value = (await this.view(8, part)).getBigUint64(0, true)
    if (value > BigInt(most)) throw this.refuse(part, String(value), `at most ${most}`, this.position - 8)
    return Number(value)
  }

  /** A text with its length in front. */
  async text(part: string): Promise<string> {
    const length = await this.u64(`length of ${part}`, Math.max(0, this.left - 8))
    const byte = this.position
    try {
      return new TextDecoder("utf-8", { fatal: true }).decode(await this.bytes(length, part))
    } catch (error) {
      if (error instanceof TypeError) throw this.refuse(part, "other bytes", "UTF-8", byte)
      throw error
    }
  }
}
