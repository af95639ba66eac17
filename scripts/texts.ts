/** Public-domain text of two kinds out of Debian's packages, as files of UTF-8. */
import { execFileSync } from "node:child_process"
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { inflateSync } from "node:zlib"

/** The packages: the King James Bible and what prints it, and Jane Austen's novels as R's data. */
const PACKAGES = ["bible-kjv", "bible-kjv-text", "r-cran-janeaustenr"]

/**
 * Downloads the packages and writes bible.txt and austen.txt; nothing is installed.
 *
 * @throws Error where apt-get or dpkg is missing, or a package holds something else.
 */
export function writeTexts(folder: string): { readonly bible: string; readonly austen: string } {
  const packages = join(folder, "packages")
  mkdirSync(packages, { recursive: true })
  execFileSync("apt-get", ["download", ...PACKAGES], { cwd: packages, stdio: ["ignore", "ignore", "inherit"] })
  for (const file of readdirSync(packages).filter((name) => name.endsWith(".deb")))
    execFileSync("dpkg", ["-x", file, "."], { cwd: packages })
  const [bible, austen] = [join(folder, "bible.txt"), join(folder, "austen.txt")]
  const printed = execFileSync(
    join(packages, "usr/bin/bible"),
    ["-f", "-p", join(packages, "usr/lib"), "Ge1:1-Re22:21"],
    {
      encoding: "latin1",
      maxBuffer: 1e8,
    },
  )
  // Each line is a verse behind its number.
  writeFileSync(bible, printed.replace(/^\S+ /gm, ""))
  const data = readFileSync(join(packages, "usr/lib/R/site-library/janeaustenr/data/Rdata.rdb"))
  writeFileSync(austen, novels(data).join("\n\n"))
  return { bible, austen }
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
