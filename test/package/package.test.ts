import { execFile } from "node:child_process"
import { copyFile, mkdir, mkdtemp, readdir, readFile, realpath, rm, symlink, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { promisify } from "node:util"
import { afterAll, beforeAll, describe, expect, test } from "vitest"

const run = promisify(execFile)
const QUIETLY = ["--prefer-offline", "--no-audit", "--no-fund", "--silent"]
const root = fileURLToPath(new URL("../../", import.meta.url))
const compiler = join(root, "node_modules/typescript/bin/tsc")

let place: string
/** An empty project with the packed package. */
let folder: string
let packed: string
let sizes: { readonly size: number; readonly unpackedSize: number }
beforeAll(async () => {
  place = await realpath(await mkdtemp(join(tmpdir(), "package-")))
  // Tests run on what is built already.
  const words = ["pack", "--ignore-scripts", "--json", "--pack-destination", place]
  const [{ filename, ...own }] = JSON.parse((await run("npm", words, { cwd: root, maxBuffer: 1e8 })).stdout)
  packed = join(place, filename)
  sizes = own
  folder = join(place, "project")
  await mkdir(folder)
  await writeFile(join(folder, "package.json"), JSON.stringify({ name: "empty", private: true, type: "module" }))
  for (const name of ["typed.ts", "use.mjs"])
    await copyFile(fileURLToPath(new URL(name, import.meta.url)), join(folder, name))
})
afterAll(() => rm(place, { recursive: true }))

/** In one folder one after the other: `npm rebuild` runs the install scripts that the first was not allowed to run. */
const INSTALLS: readonly (readonly [string, () => readonly string[]])[] = [
  ["without install scripts", () => ["install", ...QUIETLY, "--ignore-scripts", packed]],
  ["with install scripts", () => ["rebuild", ...QUIETLY]],
]

describe.each(INSTALLS)("installed %s", (title, words) => {
  beforeAll(() => run("npm", words(), { cwd: folder }))

  const command = (...words: string[]) => run(join(folder, "node_modules/.bin/lora-scaling"), words, { cwd: folder })

  test("holds no source, test or configuration of the project", async () => {
    const own = join(folder, "node_modules/lora-scaling")
    expect((await readdir(own)).sort()).toEqual([
      "CHANGELOG.md",
      "LICENSE",
      "README.md",
      "dist",
      "docs",
      "package.json",
      "proofs",
      "python",
    ])
    // The doctor's pages, which its findings name, and the recorder for PyTorch.
    expect(await readdir(join(own, "docs"))).toEqual(["doctor"])
    const python = ["lora_scaling_recorder.py", "lora_scaling_worker.py", "requirements.txt"]
    expect((await readdir(join(own, "python"))).sort()).toEqual(python)
    expect((await readdir(join(own, "dist"))).sort()).toEqual([
      "command",
      "kernel",
      "proofs",
      "schema",
      "src",
      "verify",
      "web",
    ])
    // The command is bundled: no second copy of it.
    expect(await readdir(join(own, "dist/src"))).not.toContain("cli")
  })

  test("the command derives, and proves from the packed theorems", async () => {
    const { version } = JSON.parse(await readFile(join(root, "package.json"), "utf8"))
    expect((await command("--version")).stdout).toBe(`${version}\n`)
    expect(JSON.parse((await command("derive", "init-a", "--json")).stdout).stable).toBe("c <= -1/2")
    const { theorems } = JSON.parse((await command("prove", "init-a-stable", "--checker", "kernel", "--json")).stdout)
    expect(theorems[0].verdicts).toMatchObject([{ checker: "kernel", verdict: "accepted" }])
  })

  test("JavaScript imports it by its name; worker threads give what the calling thread gives", async () => {
    expect((await run(process.execPath, ["use.mjs"], { cwd: folder })).stdout).toMatch(/^\d+ claims\n$/)
  })

  test("the kernel trains, alone and with its rows on two threads, to the same bits", async () => {
    await writeFile(
      join(folder, "one.yaml"),
      "experiment: teacher-student\nschemes: [init-a]\nwidths: [512]\nseeds: 1\nsteps: 3\nsamples: 16\nrates: [0.01]\n",
    )
    const table = async (workers: string) => {
      // A store of its own: one that is there already would leave nothing to train.
      const [store, out] = [`${title} ${workers}.duckdb`, `${title} ${workers}.csv`]
      await command("sweep", "one.yaml", "--store", store, "--out", out, "--workers", workers)
      return readFile(join(folder, out), "utf8")
    }
    const one = await table("1")
    expect(one.trim().split("\n")).toHaveLength(2)
    expect(one).toContain(",cpu float32")
    expect(await table("2")).toBe(one)
  })
})

/**
 * The packed package and what it unpacks to, in bytes: measured 2.0 and 9.4 MB, without the packages that it depends
 * on.
 */
const MOST = { packed: 3e6, unpacked: 14e6 }

test("the package is small", () => {
  expect(sizes.size).toBeLessThan(MOST.packed)
  expect(sizes.unpackedSize).toBeLessThan(MOST.unpacked)
})

test("npm i -g puts the command on the path, and npx runs it from the package alone", async () => {
  const prefix = join(place, "global")
  await run("npm", ["install", "-g", "--prefix", prefix, ...QUIETLY, "--ignore-scripts", packed], { cwd: place })
  const stable = JSON.stringify("c <= -1/2")
  const { stdout } = await run(join(prefix, "bin/lora-scaling"), ["derive", "lora", "--json"], { cwd: place })
  expect(stdout).toContain(`"stable": ${stable}`)
  const elsewhere = join(place, "elsewhere")
  await mkdir(elsewhere)
  // npx installs into npm's cache: into one that goes with the test, with the downloads of the user's.
  const cache = join(place, "cache")
  await mkdir(cache)
  const downloads = join((await run("npm", ["config", "get", "cache"])).stdout.trim(), "_cacache")
  await symlink(downloads, join(cache, "_cacache"))
  const words = [
    "--yes",
    "--prefer-offline",
    "--ignore-scripts",
    "--package",
    packed,
    "lora-scaling",
    "derive",
    "lora",
    "--json",
  ]
  const env = { ...process.env, npm_config_cache: cache }
  expect((await run("npx", words, { cwd: elsewhere, env })).stdout).toBe(stdout)
})

// What follows is the same wherever scripts ran.
const packedCommand = (words: readonly string[], env: Readonly<Record<string, string>> = {}) =>
  run(join(folder, "node_modules/.bin/lora-scaling"), words, { cwd: folder, env: { ...process.env, ...env } })

test("a figure finds its font", async () => {
  await packedCommand(["check", "init-a", "--seeds", "2", "--figure", "check.svg"]).catch((error) => {
    // Two seeds need not decide: a verdict is no failure here.
    if (error.code !== 1) throw error
  })
  expect(await readFile(join(folder, "check.svg"), "utf8")).toContain("<svg")
})

test("derive loads neither the prover nor figures, stores or threads", async () => {
  const coverage = join(place, "coverage")
  await packedCommand(["derive", "init-a"], { NODE_V8_COVERAGE: coverage })
  const [file] = await readdir(coverage)
  const { result } = JSON.parse(await readFile(join(coverage, file!), "utf8")) as { result: { url: string }[] }
  const loaded = result.map(({ url }) => url).filter((url) => url.startsWith("file:"))
  expect(loaded.length).toBeGreaterThan(3)
  expect(loaded.filter((url) => !url.includes("/dist/command/"))).toEqual([])
  expect(loaded.filter((url) => /prove|proof|theorem|figure|reproduce|database|store|task|sweep/.test(url))).toEqual([])
})

test.each([
  ["node16", "node16"],
  ["esnext", "bundler"],
])("types are whole where there are Node's alone: module %s, resolution %s", async (module, moduleResolution) => {
  const settings = {
    compilerOptions: {
      module,
      moduleResolution,
      target: "ES2022",
      lib: ["ES2023"],
      typeRoots: [join(root, "node_modules/@types")],
      types: ["node"],
      strict: true,
      exactOptionalPropertyTypes: true,
      skipLibCheck: false,
      noEmit: true,
    },
    files: ["typed.ts"],
  }
  const file = join(folder, `${moduleResolution}.json`)
  await writeFile(file, JSON.stringify(settings))
  const { stdout } = await run(process.execPath, [compiler, "-p", file]).catch((error) => error)
  expect(stdout).toBe("")
})
