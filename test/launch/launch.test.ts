import { execFileSync } from "node:child_process"
import { once } from "node:events"
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { text } from "node:stream/consumers"
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest"
import { lora, loraIn, startLora } from "../cli/lora.js"
import { killTask } from "./killedTask.js"

let all: string
let folder: string
beforeAll(async () => {
  all = await mkdtemp(join(tmpdir(), "launch-"))
})
beforeEach(async () => {
  folder = await mkdtemp(join(all, "an array-"))
  await writeFile(join(folder, "short.json"), JSON.stringify(SHORT))
})
afterAll(() => rm(all, { recursive: true }))

const SHORT = { experiment: "theory", schemes: ["init-a", "init-b"], widths: [8, 16], seeds: 200, steps: 2 }
const read = (name: string) => readFile(join(folder, name), "utf8")
const sweep = (store: string) => lora(folder, "sweep", "short.json", "--store", store, "--out", `${store}.csv`)

describe("on this machine", () => {
  test("a task killed is begun again, and the table is that of one sweep", async () => {
    const words = ["launch", "local", "short.json", "--array", "3", "--store", "all.duckdb", "--out", "all.csv"]
    const child = startLora(folder, ...words, "--at-once", "2")
    const said = text(child.stderr!)
    const ended = once(child, "exit")
    await killTask(join(folder, "all.duckdb.parts/2-of-3.duckdb"))
    expect(await ended).toEqual([0, null])
    expect(await said).toMatch(/\n\d+ runs are stored; 1 of 3 tasks have runs to do\n/)
    expect((await sweep("whole.duckdb")).code).toBe(0)
    expect(await read("all.csv")).toBe(await read("whole.duckdb.csv"))
    expect((await readdir(join(folder, "all.duckdb.parts"))).every((name) => name.endsWith(".log"))).toBe(true)
  })

  test("what the store has is not done again, in an array of another size or with more seeds", async () => {
    await writeFile(join(folder, "short.json"), JSON.stringify({ ...SHORT, seeds: 10 }))
    await sweep("runs.duckdb")
    await writeFile(join(folder, "short.json"), JSON.stringify({ ...SHORT, seeds: 20 }))
    const launch = (count: number) =>
      lora(folder, "launch", "local", "short.json", "--array", String(count), "--store", "runs.duckdb", "--json")
    const { code, out, err } = await launch(2)
    expect(code, err).toBe(0)
    expect(err).toContain("40 runs are stored; 2 of 2 tasks have runs to do")
    expect(JSON.parse(out)).toMatchObject({ schema: "lora-scaling/sweep/1", runs: 80, outcomes: { finished: 80 } })
    const logs = await Promise.all(["1", "2"].map((task) => read(`runs.duckdb.parts/${task}-of-2.log`)))
    const done = logs.map((log) => /^runs: (\d+), (\d+) finished already/m.exec(log)!.slice(1).map(Number))
    expect([done[0]![0]! + done[1]![0]!, done[0]![1]! + done[1]![1]!]).toEqual([80, 40])
    const again = await launch(5)
    expect([again.code, again.err]).toEqual([0, ""])
    expect(again.out).toBe(out)
  })

  test("a task that fails each time is named with what it said", async () => {
    await writeFile(join(folder, "short.json"), JSON.stringify({ ...SHORT, widths: [2 ** 40] }))
    const { code, out, err } = await lora(
      folder,
      "launch",
      "local",
      "short.json",
      "--array",
      "1",
      "--store",
      "a.duckdb",
    )
    expect([code, out]).toEqual([2, ""])
    expect(err).toMatch(/1 of 1 tasks ended before their runs were done:\n {2}task 1: ended with 2; error: widths: got/)
  })
})

describe("what Slurm is given", () => {
  const slurm = (...words: string[]) =>
    lora(folder, "launch", "slurm", "short.json", "--array", "3", "--store", "r.duckdb", "--dry-run", ...words)

  test("options and further words in its own words; the shell's words are what the task gets", async () => {
    const asked = ["--time", "2:00:00", "--gpus", "a100:1", "--memory", "16G", "--partition", "long", "--account", "me"]
    const { code, out } = await slurm(...asked, "--cpus", "4", "--at-once", "2", "--", "--qos=long", "--comment", "a b")
    expect(code).toBe(0)
    expect(await readdir(folder)).toEqual(["short.json"])
    const [array, merge] = out.split("\n\n")
    for (const script of [array!, merge!])
      for (const line of [
        "--job-name=lora-scaling-[0-9a-f]{12}",
        "--cpus-per-task=4",
        "--time=2:00:00",
        "--gpus=a100:1",
        "--mem=16G",
        "--partition=long",
        "--account=me",
        '--qos=long --comment "a b"',
      ])
        expect(script).toMatch(new RegExp(`^#SBATCH ${line}$`, "m"))
    expect(array).toContain("#SBATCH --array=1-3%2\n")
    expect(array).toContain(`#SBATCH --output="${folder}/r.duckdb.parts/%a-of-3.log"`)
    const command = array!
      .split("\n")
      .at(-1)!
      .replace(/^exec \S+ \S+ /, "printf '%s\\n' ")
    const words = execFileSync("sh", ["-c", command], { env: { SLURM_ARRAY_TASK_ID: "2" }, encoding: "utf8" })
    const part = `${folder}/r.duckdb.parts/2-of-3.duckdb`
    expect(words.trim().split("\n")).toEqual([
      "sweep",
      `${folder}/short.json`,
      "--store",
      part,
      "--shard",
      "2/3",
      "--workers",
      "4",
    ])
  })

  test("without Slurm: what is missing, and what to do", async () => {
    const words = ["launch", "slurm", "short.json", "--array", "3", "--store", "r.duckdb"]
    const { code, out, err } = await loraIn({ folder, env: { PATH: folder } }, ...words)
    expect([code, out]).toEqual([2, ""])
    expect(err).toMatch(/^error: no squeue on this machine: .*login node.*apt-get install slurm-client.*launch local/)
    expect(await readdir(folder)).toEqual(["short.json"])
  })
})

describe("bad input: the field, exit 2, no file left", () => {
  const array = ["--array", "2", "--store", "a.duckdb"]
  test.each([
    [["launch", "cloud", "short.json", ...array], "launch: got"],
    [["launch", "local", "absent.json", ...array], "config"],
    [["launch", "local", "short.json", "--store", "a.duckdb"], "--array"],
    [["launch", "local", "short.json", "--array", "0", "--store", "a.duckdb"], "--array"],
    [["launch", "local", "short.json", "--array", "2", "--store", ":memory:"], "--store"],
    [["launch", "local", "short.json", ...array, "--out", "table.xls"], "--out"],
    [["launch", "local", "short.json", ...array, "--time", "1:00"], "--time 1:00"],
    [["launch", "slurm", "short.json", "more.json", ...array, "--dry-run"], "more.json"],
  ])("%j", async (words, field) => {
    const { code, out, err } = await lora(folder, ...words)
    expect(err).toContain(field)
    expect([code, out]).toEqual([2, ""])
    expect(await readdir(folder)).toEqual(["short.json"])
  })
})
