import { execFile } from "node:child_process"
import { fileURLToPath } from "node:url"
import { promisify } from "node:util"
import { expect, test } from "vitest"

const root = fileURLToPath(new URL("../../", import.meta.url))

/** A 7B model's run has 32 layers and may take 60 s on two cores, so 120 s of processor time. */
const [LAYERS, CORES, SECONDS] = [32, 2, 60]

test("one layer of a 7B model's run, ten checkpoints, r = 64: its share of a minute on two cores, and well below 2 GB", async () => {
  const words = ["--import", "tsx", "bench/doctor.ts", "--layers", "1", "--json"]
  const { stdout } = await promisify(execFile)(process.execPath, words, { cwd: root })
  const { bytes, cpu, memory, findings } = JSON.parse(stdout) as Record<"bytes" | "cpu" | "memory", number> & {
    readonly findings: string
  }
  // 64 (input + output) numbers of two bytes in each of seven modules, ten times.
  expect(bytes).toBe(10 * 2 * 64 * (4 * 8192 + 3 * 15104))
  expect(findings).toContain("A random, drawn as N(0, 1/fan-in), B zero: Init[A]")
  // Reading the command itself, once a run, is counted with the one layer.
  expect(cpu).toBeLessThan((CORES * SECONDS) / LAYERS + 2)
  expect(memory).toBeLessThan(1e9)
})
