/** Public-domain text of two kinds out of Debian's packages, as files of UTF-8. */
import { execFileSync } from "node:child_process"
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { inflateSync } from "node:zlib"

/** The King James Bible out of Debian's packages, a line a verse. @throws Error where apt-get or dpkg is missing. */
export function bibleText(folder: string): string {
  const packages = unpacked(folder, ["bible-kjv", "bible-kjv-text"])
  const printed = execFileSync(
    join(packages, "usr/bin/bible"),
    ["-f", "-p", join(packages, "usr/lib"), "Ge1:1-Re22:21"],
    { encoding: "latin1", maxBuffer: 1e8 },
  )
  // Each line is a verse behind its number.
  return printed.replace(/^\S+ /gm, "")
}

/** Jane Austen's novels out of a Debian package of R's data. @throws Error as `bibleText`, or for other data. */
export function austenText(folder: string): string {
  const packages = unpacked(folder, ["r-cran-janeaustenr"])
  return novels(readFileSync(join(packages, "usr/lib/R/site-library/janeaustenr/data/Rdata.rdb"))).join("\n\n")
}

/** Characters of the text to fine-tune on, with what is held back. */
const TUNED = 300_000

/** Writes austen.txt, to fine-tune on, and austen-held.txt, the last tenth, to judge by. */
export function writeTuned(folder: string, text: string): void {
  const own = text.slice(0, TUNED)
  const cut = own.lastIndexOf("\n", 0.9 * own.length)
  writeFileSync(join(folder, "austen.txt"), own.slice(0, cut))
  writeFileSync(join(folder, "austen-held.txt"), own.slice(cut))
}

/** The folder that Debian's packages are downloaded and unpacked into; nothing is installed. */
function unpacked(folder: string, names: readonly string[]): string {
  const packages = join(folder, "packages")
  mkdirSync(packages, { recursive: true })
  execFileSync("apt-get", ["download", ...names], { cwd: packages, stdio: ["ignore", "ignore", "inherit"] })
  for (const file of readdirSync(packages).filter((file) => names.some((name) => file.startsWith(`${name}_`))))
    execFileSync("dpkg", ["-x", file, "."], { cwd: packages })
  return packages
}

/** Flags of a text in R's serialisation, without those of its encoding; missing ones have the length −1. */
const CHARACTERS = 9

/**
 * The texts in R's lazy-load database: behind each object's length its serialisation, compressed, in which each text
 * has its flags, its length and its bytes.
 *
 * Source: "R Internals", section 1.8, serialization formats.
 */
function novels(data: Buffer): string[] {
  const found: string[] = []
  for (let at = 0; at < data.length; ) {
    // The types of Node 20 leave `info` out.
    const { buffer, engine } = inflateSync(data.subarray(at + 4), { info: true }) as unknown as {
      buffer: Buffer
      engine: { bytesWritten: number }
    }
    at += 4 + engine.bytesWritten
    found.push(lines(buffer).join("\n"))
  }
  return found
}

/** The lines of an object: format, versions and encoding stand before the vector's flags and length. */
function lines(object: Buffer): string[] {
  const encoding = object.readInt32BE(14)
  let at = 18 + encoding
  const count = object.readInt32BE(at + 4)
  at += 8
  return Array.from({ length: count }, () => {
    const [flags, length] = [object.readInt32BE(at), object.readInt32BE(at + 4)]
    if ((flags & 0xff) !== CHARACTERS) throw new Error(`R's data has ${flags.toString(16)} where a text is expected`)
    at += 8 + Math.max(0, length)
    return length <= 0 ? "" : object.toString("utf8", at - length, at)
  })
}
