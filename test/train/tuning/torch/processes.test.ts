/** What a worker prints beside its answers, and one that prints nothing else; of programs in its place, so that no torch is needed. */
import { chmod, mkdtemp, rm, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterAll, beforeAll, describe, expect, test } from "vitest"
import { TuningFailure } from "../../../../src/train/tuning/engine.js"
import { torchTuning } from "../../../../src/train/tuning/torch/engine.js"
import { startProcesses, WorkerDied, WorkerFailure } from "../../../../src/train/tuning/torch/processes.js"

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "worker-"))
})
afterAll(() => rm(folder, { recursive: true }))

/** A program that is started as Python would be. */
async function program(name: string, text: string): Promise<string> {
  const path = join(folder, name)
  await writeFile(path, `#!${process.execPath}\n${text}`)
  await chmod(path, 0o755)
  return path
}

const GREETING = `console.log(JSON.stringify({ protocol: 2, versions: { torch: "2" }, device: "cpu", processes: 1 }))`
/** What libraries print: no JSON, and JSON that is no answer. */
const NOISE = ["a warning: {", "", "null", "17", '"a text"', "[1]", "{}", '{"loss": 0.5}', '{"id": "1"}']

describe("a worker", () => {
  test("that prints no line of JSON and ends is told with what it said", async () => {
    const python = await program("silent", `console.log("no module named torch"); process.exitCode = 1`)
    await expect(startProcesses({ python })).rejects.toThrow(
      new WorkerDied("the worker in Python (process 0) ended with 1", "no module named torch"),
    )
    // An engine's failure, which a sweep tells in a line.
    const engine = torchTuning({ python })
    const job = { start: [], factors: [], optimiser: {}, schedule: {} } as never
    await expect(engine.open(job)).rejects.toThrow(TuningFailure)
    await engine.close()
  })

  test("that ends at once without a word says how", async () => {
    const python = await program("quiet", "")
    await expect(startProcesses({ python })).rejects.toThrow("the worker in Python (process 0) ended with 0")
    await expect(startProcesses({ python: join(folder, "nowhere") })).rejects.toThrow(/cannot be started: .*ENOENT/)
  })

  test("may print other lines before its greeting and before each answer", async () => {
    const noise = `for (const line of ${JSON.stringify(NOISE)}) console.log(line)`
    const python = await program(
      "noisy",
      `${noise}\n${GREETING}
require("node:readline").createInterface({ input: process.stdin }).on("line", (line) => {
  ${noise}
  const { id, do: asked } = JSON.parse(line)
  console.log(JSON.stringify(asked === "end" ? { id, error: { kind: "failed", message: "as asked" } } : { id, ok: asked }))
})`,
    )
    const worker = await startProcesses({ python })
    expect(worker.greeting.device).toBe("cpu")
    expect(await worker.ask("open", {})).toBe("open")
    expect(await worker.ask("step", {})).toBe("step")
    await expect(worker.ask("end", {})).rejects.toThrow(new WorkerFailure("the worker in Python failed: as asked"))
    await worker.stop()
  })

  test("of another protocol is refused", async () => {
    const python = await program("later", GREETING.replace("protocol: 2", "protocol: 3"))
    await expect(startProcesses({ python })).rejects.toThrow("the worker speaks protocol 3, not 2")
  })
})
