/** What was computed before, kept in files that are named by everything it depends on. */
import { createHash } from "node:crypto"
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs"
import { homedir } from "node:os"
import { isAbsolute, join } from "node:path"

/** Values by the texts that they follow from. */
export interface Cache {
  /** The value kept under these texts; null if there is none, or if its file is not exactly what was written. */
  get(texts: readonly string[]): unknown
  /** Keeps a value that JSON can hold; where no file can be written nothing is kept. */
  set(texts: readonly string[], value: unknown): void
}

/** A folder of the user's cache: that of $XDG_CACHE_HOME, or ~/.cache. */
export function openCache(kind: string): Cache {
  const { XDG_CACHE_HOME: given = "" } = process.env
  // The XDG specification: a path that is not absolute is ignored.
  const folder = join(isAbsolute(given) ? given : join(homedir(), ".cache"), "lora-scaling", kind)
  const fileOf = (key: string) => join(folder, `${key}.json`)
  return {
    get: (texts) => {
      const key = digest(texts)
      try {
        const { seal, value } = JSON.parse(readFileSync(fileOf(key), "utf8"))
        return seal === digest([key, JSON.stringify(value)]) ? value : null
      } catch {
        return null
      }
    },
    set: (texts, value) => {
      const key = digest(texts)
      const temporary = `${fileOf(key)}.${process.pid}.tmp`
      try {
        mkdirSync(folder, { recursive: true })
        writeFileSync(temporary, JSON.stringify({ seal: digest([key, JSON.stringify(value)]), value }))
        renameSync(temporary, fileOf(key))
      } catch {
        if (existsSync(temporary)) rmSync(temporary)
      }
    },
  }
}

/** The SHA-256 of a list of texts; lists that differ anywhere, be it in where a text ends, have other ones. */
function digest(texts: readonly string[]): string {
  return createHash("sha256").update(JSON.stringify(texts)).digest("hex")
}
