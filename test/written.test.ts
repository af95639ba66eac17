import { mkdtemp, readdir, rm, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { expect, test } from "vitest"
import { InputError } from "../src/inputError.js"
import { replaceFolder } from "../src/report/files.js"
import { openStore } from "../src/sweep/store.js"
import { writeFileAtomic } from "../src/writeFileAtomic.js"
import { written } from "../src/written.js"

test("a place that cannot be written is the user's to correct, by its name and the system's reason; nothing is left", async () => {
  const folder = await mkdtemp(join(tmpdir(), "written-"))
  const file = join(folder, "file")
  await writeFile(file, "")
  const within = join(file, "x")
  try {
    for (const path of [join(folder, "none/x.html"), join(within, "x.html"), folder])
      await expect(written("--html", path, () => writeFileAtomic(path, "…"))).rejects.toThrow(
        /^--html: got ".*"; allowed: a place that can be written \(E[A-Z]+\)/,
      )
    await expect(openStore(join(within, "x.duckdb"), {})).rejects.toThrow(/^--store: got .*can be written/)
    await expect(replaceFolder(join(within, "report"), "marker", async () => {})).rejects.toThrow(InputError)
    await expect(written("--html", "x", () => Promise.reject(new Error("mine")))).rejects.toThrow(/^mine$/)
    expect(await readdir(folder)).toEqual(["file"])
  } finally {
    await rm(folder, { recursive: true })
  }
})
