import { execFile } from "node:child_process"
import { mkdtemp, readdir, readFile, rm, symlink, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { promisify } from "node:util"
import { afterAll, beforeAll, expect, test } from "vitest"

const run = promisify(execFile)
const root = fileURLToPath(new URL("..", import.meta.url))
let folder: string
let installed: string

/** The packed package unpacked where npm would install it, beside the libraries that are installed here. */
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "package-"))
  await run("npm", ["pack", "--ignore-scripts", "--pack-destination", folder], { cwd: root })
  const [archive] = (await readdir(folder)).filter((name) => name.endsWith(".tgz"))
  await run("tar", ["xzf", archive!], { cwd: folder })
  installed = join(folder, "package")
  await symlink(join(root, "node_modules"), join(folder, "node_modules"))
})
afterAll(() => rm(folder, { recursive: true }))

/** Runs the packed command in the temporary folder. */
async function packed(words: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<string> {
  const main = join(installed, "dist/command/main.js")
  const { stdout } = await run(process.execPath, [main, ...words], { cwd: folder, env: { ...process.env, ...env } })
  return stdout
}

test("the command says its version and has a schema, theorems and no second copy of itself", async () => {
  const { version } = JSON.parse(await readFile(join(root, "package.json"), "utf8"))
  expect((await packed(["--version"])).trim()).toBe(version)
  const names = await readdir(installed, { recursive: true })
  expect(names).toContain("dist/schema/derive-1.json")
  expect(names).toContain("dist/src/index.d.ts")
  expect(names.filter((name) => name.startsWith("dist/src/cli/"))).toEqual([])
  const { theorems } = JSON.parse(await packed(["prove", "init-a-stable", "--checker", "kernel", "--json"]))
  expect(theorems[0].verdicts[0].verdict).toBe("accepted")
})

test("worker threads find their files: over runs, and over the rows of one run", async () => {
  // Where there are fewer runs than workers, the workers share rows.
  const config = {
    experiment: "teacher-student",
    schemes: ["init-a"],
    widths: [1024],

    steps: 3,
    samples: 8,
    rates: [0.01],
  }
  for (const seeds of [2, 1]) {
    await writeFile(join(folder, "sweep.json"), JSON.stringify({ ...config, seeds }))
    const store = `${seeds}.duckdb`
    await packed(["sweep", "sweep.json", "--store", store, "--out", "results.csv", "--workers", "2"])
    const rows = (await readFile(join(folder, "results.csv"), "utf8")).trim().split("\n")
    expect(rows).toHaveLength(1 + seeds)
  }
})

test("a figure finds its font", async () => {
  await packed(["check", "init-a", "--seeds", "2", "--figure", "check.svg"]).catch((error) => {
    // Two seeds need not decide: a verdict is no failure here.
    if (error.code !== 1) throw error
  })
  expect(await readFile(join(folder, "check.svg"), "utf8")).toContain("<svg")
})

test("the library is imported by its name", async () => {
  const file = join(installed, "consumer.mjs")
  await writeFile(
    file,
    'import { derive, formatCondition, scheme, schemeNamed } from "lora-scaling"\n' +
      'console.log(formatCondition(derive(scheme(schemeNamed("init-a"))).stable))\n',
  )
  expect((await run(process.execPath, [file])).stdout.trim()).toBe("c <= -1/2")
})

test("derive loads neither the prover nor figures, stores or threads", async () => {
  const coverage = join(folder, "coverage")
  await packed(["derive", "init-a"], { NODE_V8_COVERAGE: coverage })
  const [file] = await readdir(coverage)
  const { result } = JSON.parse(await readFile(join(coverage, file!), "utf8")) as { result: { url: string }[] }
  const loaded = result.map(({ url }) => url).filter((url) => url.startsWith("file:"))
  expect(loaded.length).toBeGreaterThan(3)
  expect(loaded.filter((url) => !url.includes("/dist/command/"))).toEqual([])
  expect(loaded.filter((url) => /prove|proof|theorem|figure|reproduce|database|store|task|sweep/.test(url))).toEqual([])
})
