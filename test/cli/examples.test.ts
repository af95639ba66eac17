import { execFile, execFileSync } from "node:child_process"
import { copyFile, cp, mkdtemp, readFile, rm, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { promisify } from "node:util"
import { afterAll, beforeAll, describe, expect, test } from "vitest"
import { EXAMPLES } from "../../src/cli/examples.js"
import { startHub, type TestHub } from "../checkpoint/hub/server.js"
import { isRun } from "../docs/pageCommands.js"
import { isInstalled } from "../isInstalled.js"

const program = fileURLToPath(new URL("../../dist/command/main.js", import.meta.url))
const root = fileURLToPath(new URL("../../", import.meta.url))

/** Not run here: minutes (.ci/run does), and servers that wait for a browser (test/web starts one). */
const ELSEWHERE = ["reproduce --quick", "explore", "explore --port 0"]

let folder: string
/** What `fetch` asks. */
let hub: TestHub
beforeAll(async () => {
  const hosted = (...paths: string[]) => {
    const files = Object.fromEntries(paths.map((path) => [path, new TextEncoder().encode(path)]))
    return { commit: "a".repeat(40), files, large: ["model.safetensors"] }
  }
  hub = await startHub({
    "models/HuggingFaceTB/SmolLM2-135M": hosted("config.json", "model.safetensors", "tokenizer.json"),
    "datasets/nyu-mll/glue": hosted("mrpc/train.jsonl", "cola/train.jsonl"),
  })
  folder = await mkdtemp(join(tmpdir(), "examples-"))
  const write = (name: string, text: string) => writeFile(join(folder, name), text)
  const sweep = await readFile(join(root, "examples/sweep.csv"), "utf8")
  await write(
    "runs.csv",
    sweep
      .split("\n")
      .filter((line) => !line.startsWith("other"))
      .join("\n")
      .replace("final_loss", "eval_loss"),
  )
  await write(
    "sizes.csv",
    [
      "quantity,n,seed,rms",
      ...[64, 128, 256].flatMap((n) => [1, 2, 3].map((s) => `zA,${n},${s},${(1 + s / 100) * n ** 0.5}`)),
    ].join("\n"),
  )
  await write(
    "rates.yaml",
    "experiment: teacher-student\nschemes: [init-a]\nwidths: [64, 128]\nrates: [0.01]\nseeds: 2\nsteps: 5\nsamples: 16\n",
  )
  await copyFile(join(root, "examples/coordinates.csv"), join(folder, "coordinates.csv"))
  await cp(join(root, "examples/runs/width-64"), join(folder, "outputs/run-1"), { recursive: true })
  for (const shard of ["1", "2"])
    await promisify(execFile)(
      process.execPath,
      [program, "sweep", "rates.yaml", "--store", `part-${shard}.duckdb`, "--shard", `${shard}/2`],
      { cwd: folder },
    )
})
afterAll(async () => {
  await hub.close()
  await rm(folder, { recursive: true })
})

const help = (...words: string[]) =>
  execFileSync(process.execPath, [program, ...words, "--help"], { encoding: "utf8", cwd: root })

test("every command's help ends with its two examples", () => {
  const commands = [...help().matchAll(/^ {2}([a-z]+)[ [].*/gm)]
    .map(([, name]) => name!)
    .filter((name) => name !== "help")
  expect(commands.length).toBeGreaterThan(12)
  expect(Object.keys(EXAMPLES).sort()).toEqual([...commands].sort())
  for (const name of commands) {
    const [first, second] = EXAMPLES[name]!
    expect(help(name).trimEnd().split("\n").slice(-3)).toEqual([
      "Examples:",
      `  lora-scaling ${first}`,
      `  lora-scaling ${second}`,
    ])
  }
})

describe("each example runs", () => {
  const all = Object.values(EXAMPLES)
    .flat()
    // Those of a page of the documentation are run there.
    .filter((words) => !ELSEWHERE.includes(words) && !isRun(`npx lora-scaling ${words}`))
  test.each(all)("lora-scaling %s", async (words) => {
    const typed = [...words.matchAll(/"([^"]*)"|(\S+)/g)].map(([, quoted, plain]) => quoted ?? plain!)
    const { stdout, stderr } = await promisify(execFile)(process.execPath, [program, ...typed], {
      cwd: folder,
      maxBuffer: 1e8,
      env: { ...process.env, HF_ENDPOINT: hub.url, HF_HOME: join(folder, "hf") },
    })
    expect(stdout + stderr).not.toBe("")
  })
})

describe.skipIf(!isInstalled("script", "--version"))("on a terminal", () => {
  /** Runs on a pseudo-terminal of so many columns. */
  const onTerminal = (columns: number, words: string, env: Readonly<Record<string, string>> = {}) =>
    execFileSync("script", ["-qec", `stty cols ${columns}; "${process.execPath}" "${program}" ${words}`, "/dev/null"], {
      encoding: "utf8",
      cwd: folder,
      env: {
        ...process.env,
        TERM: "xterm-256color",
        FORCE_COLOR: undefined,
        // Where CI is set Node counts no colours on a terminal that it does not know.
        CI: undefined,
        NO_COLOR: undefined,
        ...env,
      } as NodeJS.ProcessEnv,
    }).replaceAll("\r", "")

  test("tables fit it", () => {
    for (const columns of [60, 100]) {
      const text = onTerminal(columns, "schemes --wide")
      const lines = text.split("\n")
      expect(Math.max(...lines.map((line) => [...line].length))).toBeLessThanOrEqual(columns)
      expect(text).toContain("two-layers-init-b")
    }
  })

  test("verdicts are coloured, but not where NO_COLOR says so", () => {
    const words = "verify init-b/c=-1/sign --seeds 4"
    const green = "\u001b[32magrees\u001b[39m"
    expect(onTerminal(100, words)).toContain(green)
    expect(onTerminal(100, words, { NO_COLOR: "1" })).not.toContain("\u001b[32m")
  })
})

test("schemes shows name, title and largest rate; --wide the rest; a name all of one", () => {
  const lora = (...words: string[]) => execFileSync(process.execPath, [program, ...words], { encoding: "utf8" })
  const columns = (text: string) => text.split("\n")[0]!.split(",")
  expect(columns(lora("schemes", "--format", "csv"))).toEqual(["name", "title", "largestRate"])
  expect(columns(lora("schemes", "--wide", "--format", "csv"))).toEqual([
    "name",
    "title",
    "stable",
    "stableOutput",
    "efficient",
    "largestRate",
    "source",
  ])
  const one = lora("schemes", "lora")
  for (const text of ["Init[A]", "c <= -1/2", "internallyStable", "arXiv 2406.08447"]) expect(one).toContain(text)
})
