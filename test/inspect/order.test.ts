/** Where checkpoints lie and how their names count, by trainers that people use. */
import { mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { dirname, join } from "node:path"
import { afterAll, beforeAll, describe, expect, test } from "vitest"
import { examine } from "../../src/inspect/catalogue.js"
import { measureRun } from "../../src/inspect/measureRun.js"
import { readRuns } from "../../src/inspect/run.js"
import { tableRows } from "../../src/inspect/table.js"
import { float32, safetensors } from "../checkpoint/write.js"

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "order-"))
})
afterAll(() => rm(folder, { recursive: true }))

/** An adapter whose B holds so many in each entry: that tells which is which. */
async function kept(file: string, b: number, metadata: Record<string, string> = {}): Promise<void> {
  const path = join(folder, file)
  await mkdir(dirname(path), { recursive: true })
  const tensors = [
    float32("base_model.model.l.q.lora_A.weight", [2, 3], [1, 2, 3, 0, 1, 0]),
    float32("base_model.model.l.q.lora_B.weight", [4, 2], new Array(8).fill(b)),
  ]
  await writeFile(path, safetensors(tensors, metadata))
}

const runs = async (place: string) => readRuns(join(folder, place))
const labels = async (place: string) =>
  (await runs(place)).map(({ checkpoints }) => checkpoints.map(({ label }) => label))

describe("the order of checkpoints", () => {
  test("ai-toolkit: steps of nine digits, and the last without any", async () => {
    for (const name of ["my_lora_000001000", "my_lora", "my_lora_000000250"])
      await kept(`aitoolkit/${name}.safetensors`, 1)
    expect(await labels("aitoolkit")).toEqual([["my_lora_000000250", "my_lora_000001000", "my_lora"]])
    const [run] = await runs("aitoolkit")
    expect(run!.checkpoints.map(({ step }) => step)).toEqual([250, 1000, null])
    expect(run!.name).toBe("my_lora")
  })

  test("kohya: epochs and steps side by side are in the order of the steps that the files say", async () => {
    for (const [name, steps] of Object.entries({
      "cat-000001": 500,
      "cat-000002": 1000,
      "cat-step00000200": 200,
      "cat-step00000800": 800,
      cat: 1500,
    }))
      await kept(`kohya/${name}.safetensors`, 1, { ss_steps: String(steps) })
    expect(await labels("kohya")).toEqual([["cat-step00000200", "cat-000001", "cat-step00000800", "cat-000002", "cat"]])
    expect((await runs("kohya"))[0]!.checkpoints.map(({ step }) => step)).toEqual([200, 500, 800, 1000, 1500])
    // Without them (no_metadata) nothing says which came first.
    await kept("bare/cat-000001.safetensors", 1)
    await kept("bare/cat-step00000200.safetensors", 1)
    await expect(runs("bare")).rejects.toThrow(/counts steps, .*cat-000001.safetensors epochs/)
  })

  test("torchtune: epoch_0 is the end of an epoch and no start; epochs are no steps", async () => {
    for (const epoch of [0, 1, 10]) await kept(`torchtune/epoch_${epoch}/adapter_model.safetensors`, epoch + 1)
    await writeFile(join(folder, "torchtune/log.csv"), "step,loss,learning_rate\n1,1,1e-4\n500,1,1e-4\n1000,1,1e-4\n")
    expect(await labels("torchtune/")).toEqual([["epoch 0", "epoch 1", "epoch 10"]])
    const measured = await measureRun((await runs("torchtune"))[0]!, null)
    expect(measured.spans).toEqual(new Array(2).fill({ steps: null, rateSum: null }))
    const said = (id: string) => examine(measured).find(({ finding }) => finding.id === id)!.answer
    expect(said("start").says).not.toContain("step 0:")
    expect(said("rate-exceeded").state).toBe("unknown")
    // B moves in each interval, A in none: how many steps that took is not known.
    expect(said("frozen-by-precision").says).toContain("nothing says how many steps")
    expect(new Set(tableRows([measured]).map(({ step }) => step))).toEqual(new Set([0, 1, 10]))
  })
})

test("an adapter in several files is one, by its index", async () => {
  const place = join(folder, "parts/checkpoint-10")
  await mkdir(place, { recursive: true })
  const factors = {
    A: float32("base_model.model.l.q.lora_A.weight", [2, 3], [1, 2, 3, 0, 1, 0]),
    B: float32("base_model.model.l.q.lora_B.weight", [4, 2], [1, 0, 0, 2, 0, 0, 1, 1]),
  }
  const write = async (stem: string) => {
    const parts = Object.values(factors).map(
      (factor, i) => [factor, `${stem}-0000${i + 1}-of-00002.safetensors`] as const,
    )
    for (const [factor, name] of parts) await writeFile(join(place, name), safetensors([factor]))
    const weight_map = Object.fromEntries(parts.map(([{ name }, file]) => [name, file]))
    await writeFile(join(place, `${stem}.safetensors.index.json`), JSON.stringify({ metadata: {}, weight_map }))
  }
  await write("adapter_model")
  const [run, ...others] = await runs("parts")
  expect(others).toEqual([])
  expect(run!.checkpoints.map(({ label }) => label)).toEqual(["step 10"])
  const { modules, notes } = await measureRun(run!, null)
  expect(Math.hypot(...modules[0]!.points[0]!.spectrum) ** 2).toBeCloseTo(37, 8)
  expect(notes).toEqual([])
  // Beside other adapters, under a name of its own.
  await rm(place, { recursive: true })
  await mkdir(place)
  await write("mine")
  expect((await labels("parts")).flat()).toEqual(["mine"])
})

test("folders that differ in more than the count are of several trainings", async () => {
  for (const name of ["lr-1e-4-step-100", "lr-1e-4-step-200", "lr-3e-4-step-100"])
    await kept(`sweep/${name}/adapter_model.safetensors`, 1)
  expect((await runs("sweep")).map(({ name }) => name)).toEqual(["sweep/lr-1e-4", "sweep/lr-3e-4"])
  expect(await labels("sweep")).toEqual([["step 100", "step 200"], ["step 100"]])
  for (const name of ["checkpoint-100", "checkpoint-200", "checkpoint-200-averaged"])
    await kept(`averaged/${name}/adapter_model.safetensors`, 1)
  expect((await runs("averaged")).map(({ name }) => name)).toEqual(["averaged", "averaged/averaged"])
  // Names that are alike but for the count need not be of the word alone.
  for (const step of [10, 9]) await kept(`mine/mine-step-${step}/adapter_model.safetensors`, 1)
  expect((await runs("mine")).map(({ name }) => name)).toEqual(["mine"])
  expect(await labels("mine")).toEqual([["step 9", "step 10"]])
})

describe("what lies beside checkpoints", () => {
  const notes = async (place: string) => (await runs(place)).flatMap((run) => run.notes)

  test("a checkpoint without an adapter, and adapters whose names count nothing, are named", async () => {
    for (const name of ["checkpoint-10", "checkpoint-100", "checkpoint-best", "final"])
      await kept(`final/${name}/adapter_model.safetensors`, 1)
    await kept("final/other.safetensors", 1)
    await mkdir(join(folder, "final/checkpoint-200"))
    await symlink(join(folder, "final/checkpoint-10"), join(folder, "final/checkpoint-20"))
    expect(await labels("final")).toEqual([["step 10", "step 20", "step 100"]])
    expect(await notes("final")).toEqual([
      "Without an adapter, and left out: checkpoint-200.",
      "Adapters whose names count no steps are left out; inspect them by their own paths: other.safetensors, checkpoint-best, final.",
    ])
  })

  test("checkpoints of another run in the same folder: their multiplier is told to be another one", async () => {
    for (const [step, alpha] of [
      [10, 2],
      [20, 8],
    ]) {
      await kept(`again/checkpoint-${step}/adapter_model.safetensors`, step!)
      const config = JSON.stringify({ peft_type: "LORA", r: 2, lora_alpha: alpha })
      await writeFile(join(folder, `again/checkpoint-${step}/adapter_config.json`), config)
    }
    const { notes } = await measureRun((await runs("again"))[0]!, null)
    expect(notes).toEqual([
      "The multiplier of 1 modules is another one at step 10, as of l.q; all sizes are told with that of the last checkpoint (4).",
    ])
  })

  test("PEFT's named adapters: a folder of their own in each checkpoint, or beside the default one", async () => {
    for (const step of [10, 20])
      for (const name of ["policy/", "reference/", ""])
        await kept(`named/checkpoint-${step}/${name}adapter_model.safetensors`, step)
    expect((await runs("named")).map(({ name }) => name)).toEqual(["named", "named/policy", "named/reference"])
    expect(await labels("named")).toEqual(new Array(3).fill(["step 10", "step 20"]))
    await kept("two/adapter_model.safetensors", 1)
    await kept("two/other/adapter_model.safetensors", 1)
    expect(await notes("two")).toEqual([expect.stringContaining("their own paths: other.")])
  })

  test("data, predictions and empty files are no logs, and are named where they are no table", async () => {
    await kept("data/adapter_model.safetensors", 1)
    await writeFile(join(folder, "data/train.jsonl"), '{"messages":[{"role":"user"}]}\n')
    await writeFile(join(folder, "data/predictions.csv"), "text,label\na,b,c\n")
    expect(await notes("data")).toEqual([expect.stringMatching(/^No table.*predictions\.csv, line 2/)])
    // A log with a step that is none is refused.
    await writeFile(join(folder, "data/log.csv"), "step,loss\nabc,1\n")
    await expect(runs("data")).rejects.toThrow(/log\.csv, line 2, column step/)
  })
})
