import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import fc from "fast-check"
import { afterAll, beforeAll, expect, test } from "vitest"
import { withTable } from "../../src/cli/folderTable.js"
import { InputError } from "../../src/inputError.js"
import { readTable } from "../../src/table/readTable.js"

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "folder-"))
})
afterAll(() => rm(folder, { recursive: true }))

/** How a file's text may stand on a disk: line ends, a byte order mark, an encoding, a line end at its end or none. */
const FORMS: readonly ((lines: readonly string[]) => Uint8Array)[] = [
  (lines) => Buffer.from(`${lines.join("\n")}\n`),
  (lines) => Buffer.from(lines.join("\r\n")),
  (lines) => Buffer.from(`\uFEFF${lines.join("\n")}\n`),
  (lines) => Buffer.from(`\uFEFF${lines.join("\r\n")}\r\n`, "utf16le"),
]

test("the files of a folder are one table, and a text that names a line of it names the file's", async () => {
  const form = fc.constantFrom(...FORMS)
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.tuple(fc.integer({ min: 2, max: 4 }), form), { minLength: 1, maxLength: 4 }),
      async (files) => {
        const path = await mkdtemp(join(folder, "runs-"))
        const places: string[] = []
        for (const [k, [count, written]] of files.entries()) {
          const lines = Array.from({ length: count }, (_, i) => JSON.stringify({ file: k, line: i + 1 }))
          await writeFile(join(path, `${k}.jsonl`), written(lines))
          places.push(...lines.map((_, i) => `${join(path, `${k}.jsonl`)}, line ${i + 1}`))
        }
        await withTable(path, async (file, told) => {
          const table = await readTable(file)
          expect(places.map((_, row) => told(table.place(row)))).toEqual(places)
          expect(told(`read from ${file}`)).toBe(`read from ${path}`)
        })
      },
    ),
    { numRuns: 20 },
  )
})

test("an error names the file and line that it is of, and the folder's table is gone", async () => {
  const path = await mkdtemp(join(folder, "broken-"))
  await writeFile(join(path, "a.jsonl"), '{"width": 1}\n{"width": 2}\n')
  await writeFile(join(path, "b.jsonl"), '{"width": 3}\n{"width": }\n')
  let made = ""
  const failed = withTable(path, (file) => {
    made = file
    return readTable(file)
  })
  await expect(failed).rejects.toThrow(`${join(path, "b.jsonl")}, line 2: got`)
  await expect(failed).rejects.toThrow(InputError)
  await expect(readFile(made)).rejects.toThrow("ENOENT")
  await writeFile(join(path, "b.jsonl"), Uint8Array.of(0, 1, 2, 0xff))
  await expect(withTable(path, (file) => readTable(file))).rejects.toThrow(/b\.jsonl.*JSON lines in UTF-8/)
})
