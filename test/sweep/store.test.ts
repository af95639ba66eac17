import { execFile, spawn } from "node:child_process"
import { copyFile, mkdtemp, readdir, readFile, rm, truncate, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import fc from "fast-check"
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest"
import { InputError } from "../../src/inputError.js"
import { identity } from "../../src/sweep/identity.js"
import { mergeStores } from "../../src/sweep/merge.js"
import { openStore } from "../../src/sweep/store.js"

let folder: string
let path: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "store-"))
})
beforeEach(async () => {
  path = join(await mkdtemp(join(folder, "case-")), "runs.duckdb")
})
afterAll(() => rm(folder, { recursive: true }))

const finishedRun = (name: number, result: unknown = name ** 2, seconds = 1) => {
  const config = { name, text: "x".repeat(200) }
  return { id: identity(config), config, result, seconds }
}

/** All rows of a closed store, in the order of their identities. */
async function rows(file: string): Promise<unknown[][]> {
  const store = await openStore(file, {})
  const found = (await store.connection.runAndReadAll("select * from stored order by id")).getRows()
  await store.close()
  return found
}

/** A store to which another process has written, killed without closing it. */
function killedWriter(file: string, commits: number): Promise<void> {
  const module = new URL("../../dist/src/sweep/", import.meta.url).href
  const script = `
    const { openStore } = await import("${module}store.js")
    const { identity } = await import("${module}identity.js")
    const store = await openStore(${JSON.stringify(file)}, {})
    for (let i = 0; i < ${commits}; i++) {
      for (let k = 0; k < 10; k++) {
        const config = { name: 10 * i + k, text: "x".repeat(200) }
        store.put({ id: identity(config), config, result: (10 * i + k) ** 2, seconds: 1 })
      }
      await store.flush()
    }
    process.kill(process.pid, "SIGKILL")`
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, ["--input-type=module", "-e", script], {
      stdio: ["ignore", "ignore", "pipe"],
    })
    let errors = ""
    child.stderr.on("data", (text) => {
      errors += text
    })
    child.once("close", (_, signal) => (signal === "SIGKILL" ? resolve() : reject(new Error(errors))))
  })
}

describe("a killed process's store", () => {
  test("has what was stored; a torn log loses no more than its torn commit, and what follows is kept", async () => {
    await killedWriter(path, 12)
    const log = `${path}.journal.wal`
    const { length } = await readFile(log)
    const files = ["", ".journal", ".journal.wal"]
    const copy = `${path}-copy.duckdb`
    let whole = 0
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 0, max: length }), async (cut) => {
        for (const file of files) await copyFile(`${path}${file}`, `${copy}${file}`)
        await truncate(`${copy}.journal.wal`, cut)
        const store = await openStore(copy, {})
        const names = Array.from({ length: 120 }, (_, name) => name)
        const there = names.filter((name) => store.finished.has(finishedRun(name).id))
        expect(there).toEqual(names.slice(0, there.length))
        expect(there.length % 10).toBe(0)
        if (cut === length) expect(there).toHaveLength(120)
        whole = Math.max(whole, there.length)
        await store.put(finishedRun(1000))
        await store.close()
        expect(await rows(copy)).toHaveLength(there.length + 1)
      }),
      { numRuns: 12, examples: [[length], [length - 1], [0]] },
    )
    expect(whole).toBe(120)
  })

  test("killed between the renaming and the journal's removal, has each run once", async () => {
    await killedWriter(path, 2)
    for (const file of [".journal", ".journal.wal"]) await copyFile(`${path}${file}`, `${path}${file}.kept`)
    const before = await rows(path)
    expect(await readdir(join(path, ".."))).toEqual(expect.not.arrayContaining(["runs.duckdb.journal"]))
    for (const file of [".journal", ".journal.wal"]) await copyFile(`${path}${file}.kept`, `${path}${file}`)
    expect(await rows(path)).toEqual(before)
    expect(before).toHaveLength(20)
  })

  test("leaves nothing half written beside it for long, and nothing of other files is touched", async () => {
    await killedWriter(path, 1)
    const gone = await new Promise<number>((resolve) => {
      const child = execFile(process.execPath, ["-e", ""], () => resolve(child.pid!))
    })
    for (const name of [`runs.duckdb.${gone}.tmp`, `runs.duckdb.journal.${gone}.tmp`, "runs.duckdb.notes"])
      await writeFile(join(path, "..", name), "half")
    expect(await rows(path)).toHaveLength(10)
    expect((await readdir(join(path, ".."))).sort()).toEqual(["runs.duckdb", "runs.duckdb.notes"])
  })
})

test("a store that another process has open is refused, and says which process", async () => {
  const module = new URL("../../dist/src/sweep/store.js", import.meta.url).href
  const script = `const { openStore } = await import("${module}")
    const store = await openStore(${JSON.stringify(path)}, {})
    console.log("open")
    setInterval(() => store, 1000)`
  const child = spawn(process.execPath, ["--input-type=module", "-e", script], { stdio: ["ignore", "pipe", "inherit"] })
  try {
    await new Promise((resolve) => child.stdout.once("data", resolve))
    await expect(openStore(path, {})).rejects.toThrow(InputError)
    await expect(openStore(path, {})).rejects.toThrow(`process ${child.pid} has it`)
  } finally {
    child.kill("SIGKILL")
    await new Promise((resolve) => child.once("close", resolve))
  }
  await (await openStore(path, {})).close() // the lock went with its process
})

test("a DuckDB file of another kind is refused and left as it is", async () => {
  const { DuckDBInstance } = await import("@duckdb/node-api")
  const instance = await DuckDBInstance.create(path)
  const connection = await instance.connect()
  await connection.run("create table runs (a integer)")
  connection.closeSync()
  instance.closeSync()
  const before = await readFile(path)
  await expect(openStore(path, {})).rejects.toThrow("another kind")
  expect(await readFile(path)).toEqual(before)
  expect(await readdir(join(path, ".."))).toEqual(["runs.duckdb"])
})

describe("merge", () => {
  const part = fc.uniqueArray(fc.integer({ min: 0, max: 12 }), { maxLength: 8 })

  test("the order does not matter, nor does merging twice", async () => {
    let counter = 0
    await fc.assert(
      fc.asyncProperty(fc.array(part, { minLength: 1, maxLength: 3 }), fc.integer(), async (parts, salt) => {
        const place = join(path, "..", String(counter++))
        const files: string[] = []
        for (const [i, names] of parts.entries()) {
          const file = `${place}-${i}.duckdb`
          // The same run takes another time in another store, at another version.
          const store = await openStore(file, { version: (i * 7 + salt) % 3 })
          for (const name of names) store.put(finishedRun(name, name ** 2, Math.abs((name * salt + i) % 5)))
          await store.close()
          files.push(file)
        }
        const [forth, back, stepwise] = ["forth", "back", "stepwise"].map((name) => `${place}-${name}.duckdb`)
        const { runs, added } = await mergeStores(files, forth!, {})
        expect([runs, added]).toEqual([new Set(parts.flat()).size, runs])
        await mergeStores([...files].reverse(), back!, {})
        for (const file of [...files, ...files]) await mergeStores([file, stepwise!], stepwise!, {})
        const merged = await rows(forth!)
        expect(merged).toHaveLength(runs)
        expect(await rows(back!)).toEqual(merged)
        expect(await rows(stepwise!)).toEqual(merged)
        expect(await mergeStores([...files, back!], forth!, {})).toEqual({ runs, added: 0 })
        expect(await rows(forth!)).toEqual(merged)
      }),
      { numRuns: 3 },
    )
  })

  test("a conflict names the run, and the result is as it was", async () => {
    const files = ["a", "b"].map((name) => `${path}-${name}.duckdb`)
    for (const [i, file] of files.entries()) {
      const store = await openStore(file, {})
      store.put(finishedRun(7, { loss: i }))
      store.put(finishedRun(i))
      await store.close()
    }
    const out = await openStore(path, {})
    out.put(finishedRun(3))
    await out.close()
    const before = await rows(path)
    const error = await mergeStores(files, path, {}).catch((cause) => cause)
    expect(error).toBeInstanceOf(InputError)
    expect(error.message).toContain(finishedRun(7).id.slice(0, 12))
    expect(error.message).toContain('"name":7')
    expect(await rows(path)).toEqual(before)
    expect(await mergeStores([files[0]!], path, {})).toEqual({ runs: 3, added: 2 })
  })

  test("takes a killed process's store, and leaves it as it is", async () => {
    const killed = `${path}-killed.duckdb`
    await killedWriter(killed, 3)
    const log = await readFile(`${killed}.journal.wal`)
    expect(await mergeStores([killed], path, {})).toEqual({ runs: 30, added: 30 })
    expect(await readFile(`${killed}.journal.wal`)).toEqual(log)
  })
})
