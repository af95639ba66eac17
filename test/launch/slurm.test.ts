import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterAll, beforeAll, describe, expect, test } from "vitest"
import { lora, loraIn } from "../cli/lora.js"
import { killTask } from "./killedTask.js"
import { hasSlurm, type SlurmCluster, startSlurm } from "./slurmCluster.js"

const SHORT = { experiment: "theory", schemes: ["init-a", "init-b"], widths: [8, 16], seeds: 400, steps: 2 }

describe.skipIf(!hasSlurm())("a Slurm of this machine", { timeout: 120_000 }, () => {
  let folder: string
  let cluster: SlurmCluster
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "slurm-"))
    cluster = await startSlurm(folder)
    await writeFile(join(folder, "short.json"), JSON.stringify(SHORT))
  })
  afterAll(async () => {
    await cluster?.stop()
    await rm(folder, { recursive: true })
  })
  const launch = (...words: string[]) =>
    loraIn({ folder, env: cluster.env }, "launch", "slurm", "short.json", ...words, "--time", "5:00")

  test("does an array of four; a task killed is begun again, and the table is that of one sweep", async () => {
    // One at a time, so that some still wait when one is killed, however quick they are.
    const array = ["--array", "4", "--at-once", "1", "--store", "all.duckdb", "--out", "all.csv"]
    const begun = await launch(...array, "--no-wait")
    expect([begun.code, begun.out]).toEqual([0, ""])
    expect(begun.err).toMatch(/^0 runs are stored; 4 of 4 tasks have runs to do\narray job (\d+): scancel \1 ends it\n/)
    await killTask(join(folder, "all.duckdb.parts/2-of-4.duckdb"))
    // Nothing is begun twice: who comes again watches what is under way, and then begins what was killed.
    const { code, out, err } = await launch(...array)
    expect(code, err).toBe(0)
    expect(err).toMatch(/^\d tasks are under way\n/)
    expect(err).toMatch(/\d+ runs are stored; 1 of 4 tasks have runs to do\n/)
    expect(out).toBe("all.duckdb: 1600 runs, 1600 finished\nall.csv\n")
    const logs = await readFile(join(folder, "all.duckdb.parts/2-of-4.log"), "utf8")
    expect([...logs.matchAll(/^runs: \d+, (\d+) finished already/gm)].map(([, count]) => Number(count) > 0)).toEqual([
      false,
      true,
    ])
    expect((await readdir(join(folder, "all.duckdb.parts"))).filter((name) => !name.endsWith(".log"))).toEqual([])

    expect((await lora(folder, "sweep", "short.json", "--store", "whole.duckdb", "--out", "whole.csv")).code).toBe(0)
    expect(await readFile(join(folder, "all.csv"), "utf8")).toBe(await readFile(join(folder, "whole.csv"), "utf8"))
    expect(await cluster.command("squeue", "--noheader")).toBe("")
  })

  test("what Slurm refuses is told in its words; nothing is submitted", async () => {
    const { code, out, err } = await launch("--array", "4", "--store", "b.duckdb", "--partition", "nowhere")
    expect([code, out]).toEqual([2, ""])
    expect(err).toContain("error: sbatch refused: sbatch: error: invalid partition specified: nowhere")
    const words = await launch("--array", "4", "--store", "b.duckdb", "--", "--no-such-option")
    expect(words.code).toBe(2)
    expect(words.err).toContain("no-such-option")
    expect(await cluster.command("squeue", "--noheader")).toBe("")
  })

  test("tasks that someone cancels are not begun again by themselves", async () => {
    const launched = launch("--array", "2", "--store", "c.duckdb", "--", "--begin=now+1hour")
    let job = ""
    while (job === "") job = (await cluster.command("squeue", "--noheader", "--format", "%F")).split("\n")[0]!
    await cluster.command("scancel", job)
    const { code, err } = await launched
    expect(code).toBe(2)
    expect(err).toContain("2 of 2 tasks ended before their runs were done:\n  task 1: CANCELLED\n  task 2: CANCELLED\n")
  })
})
