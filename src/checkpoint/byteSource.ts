import { type FileHandle, open, stat } from "node:fs/promises"
import { InputError } from "../inputError.js"
import { MalformedFile } from "./malformed.js"

/** Bytes that are read a range at a time: nothing is held but what was asked for. */
export interface ByteSource {
  /** What an error calls it. */
  readonly name: string
  /** In bytes. */
  readonly size: number
  /** Exactly these bytes. @throws MalformedFile if they lie outside. */
  read(position: number, length: number): Promise<Uint8Array>
  close(): Promise<void>
}

/** A regular file, opened for reading. @throws InputError for what cannot be read or is no regular file. */
export async function openBytes(path: string): Promise<ByteSource> {
  const refuse = (allowed: string) => new InputError({ field: "file", given: path, allowed, example: "adapter/" })
  // Asked before it is opened: opening a pipe would wait for its other end.
  const found = await stat(path).catch((error: NodeJS.ErrnoException) => {
    throw refuse(`a file that can be read (${error.code})`)
  })
  if (!found.isFile()) throw refuse("a regular file")
  const handle = await open(path, "r").catch((error: NodeJS.ErrnoException) => {
    throw refuse(`a file that can be read (${error.code})`)
  })
  const { size } = found
  return {
    name: path,
    size,
    async read(position, length) {
      requireWithin(path, size, position, length)
      return filled(handle, path, position, new Uint8Array(length))
    },
    close: () => handle.close(),
  }
}

/** Bytes in memory, read the same way. */
export function bytesInMemory(name: string, bytes: Uint8Array): ByteSource {
  return {
    name,
    size: bytes.length,
    async read(position, length) {
      requireWithin(name, bytes.length, position, length)
      return bytes.slice(position, position + length)
    },
    close: async () => {},
  }
}

function requireWithin(file: string, size: number, position: number, length: number): void {
  if (position + length <= size) return
  const at = { file, byte: position, part: `${length} bytes` }
  throw new MalformedFile(at, "past the file's end", `bytes below ${size}`, "a file copied whole")
}

async function filled(handle: FileHandle, file: string, position: number, into: Uint8Array): Promise<Uint8Array> {
  for (let done = 0; done < into.length; ) {
    const { bytesRead } = await handle.read(into, done, into.length - done, position + done)
    if (bytesRead === 0) {
      const at = { file, byte: position + done, part: "data" }
      throw new MalformedFile(at, "the end of the file", "a file that does not shrink while it is read", "a copy")
    }
    done += bytesRead
  }
  return into
}
