import { execFile } from "node:child_process"
import { mkdtemp, rm, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { afterAll, beforeAll, expect, test } from "vitest"
import { SMALL_LLAMA, WORDS } from "../checkpoint/randomModel.js"
import { pythonWithTorch } from "../python/venv.js"
import { engineForTests } from "../train/graph/engine.js"
import { SMALL_SWEEP, writeFamily } from "../train/tuning/texts.js"

const python = await pythonWithTorch()
const engine = await engineForTests()

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "engines-"))
  await writeFamily(folder, [32], { ...SMALL_LLAMA, vocab_size: WORDS.length })
})
afterAll(() => rm(folder, { recursive: true }))

async function compare(config: object): Promise<{ code: number; out: string; err: string }> {
  const file = join(folder, "both.json")
  await writeFile(file, JSON.stringify({ ...SMALL_SWEEP, checkpoints: ["llama-32"], ...config }))
  const script = fileURLToPath(new URL("../../scripts/compareEngines.ts", import.meta.url))
  const env = { ...process.env, LORA_SCALING_PYTHON: python ?? "none" }
  return new Promise((resolve) =>
    execFile(process.execPath, ["--import", "tsx", script, file], { env }, (error, out, err) =>
      resolve({ code: error ? Number(error.code) : 0, out, err }),
    ),
  )
}

test.skipIf(python === null || engine === null)(
  "losses of 20 steps by both engines are equal to 1e-4 up to the best rates, which are equal to a step",
  async () => {
    const rates = { from: 1e-3, to: 1e-1, perDecade: 2 }
    const { code, out, err } = await compare({ schemes: ["init-a", "init-b"], seeds: 1, steps: 20, record: [1], rates })
    expect(code, err + out).toBe(0)
    const told = [
      ...out.matchAll(
        /by graph, .* by torch, (\d) steps of the grid apart; up to it losses of 20 steps differ by (\S+) /g,
      ),
    ]
    expect(told.length).toBe(2)
    for (const [, steps, most] of told) {
      expect(Number(steps)).toBeLessThanOrEqual(1)
      expect(Number(most)).toBeLessThan(1e-4)
    }
    // Engines that were one would not differ at all.
    expect(told.some(([, , most]) => Number(most) > 0)).toBe(true)
    expect(out.match(/^init-[ab], width 32, seed 1 +\d/gm)).toHaveLength(10)
  },
)

test("what has no grid of rates is refused", async () => {
  const { code, err } = await compare({ rates: [1e-3] })
  expect([code, err]).toEqual([2, expect.stringContaining("over a grid of rates")])
})
