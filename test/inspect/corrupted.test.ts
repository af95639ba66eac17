import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import fc from "fast-check"
import { afterAll, beforeAll, expect, test } from "vitest"
import { InputError } from "../../src/inputError.js"
import { acrossRuns } from "../../src/inspect/across.js"
import { examine } from "../../src/inspect/catalogue.js"
import { measureRun } from "../../src/inspect/measureRun.js"
import { readRuns } from "../../src/inspect/run.js"
import { tableRows } from "../../src/inspect/table.js"
import { inspectionJson, inspectionSection, inspectionText } from "../../src/report/inspection.js"
import { bfloat16, float32, safetensors } from "../checkpoint/write.js"
import { events } from "./events.js"
import { train, usual, write } from "./made.js"

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "corrupted-"))
})
afterAll(() => rm(folder, { recursive: true }))

/** Everything that the command does with a folder. */
async function inspected(path: string): Promise<void> {
  const runs = await readRuns(path, true)
  const measured = []
  for (const run of runs) measured.push(await measureRun(run, null))
  const examined = measured.map((one) => ({ measured: one, answers: examine(one) }))
  inspectionJson(examined, acrossRuns(measured))
  tableRows(measured)
  for (const one of examined) {
    inspectionText(one)
    inspectionSection(one, "run")
  }
}

/** What stands in place of a token of a text, beside bytes at random. */
const TOKENS = [
  "-1",
  "0",
  "1e308",
  "9007199254740993",
  "1e999",
  "NaN",
  "null",
  "[]",
  "{}",
  '"x"',
  "8",
  "true",
  ",",
  "\n",
  '"',
].map((text) => new TextEncoder().encode(text))

type Change =
  | { readonly kind: "byte"; readonly at: number; readonly value: number }
  | { readonly kind: "cut"; readonly at: number }
  | { readonly kind: "token"; readonly at: number; readonly token: number }
  | { readonly kind: "twice"; readonly at: number; readonly length: number }

const change: fc.Arbitrary<Change> = fc.oneof(
  { weight: 3, arbitrary: fc.record({ kind: fc.constant("byte" as const), at: fc.nat(), value: fc.nat(255) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("cut" as const), at: fc.nat() }) },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant("token" as const), at: fc.nat(), token: fc.nat(TOKENS.length - 1) }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant("twice" as const),
      at: fc.nat(),
      length: fc.integer({ min: 1, max: 60 }),
    }),
  },
)

function changed(bytes: Uint8Array, changes: readonly Change[]): Uint8Array {
  let now = bytes
  for (const one of changes) {
    const at = one.at % Math.max(1, now.length)
    if (one.kind === "cut") now = now.subarray(0, at)
    else if (one.kind === "token") now = replaced(now, at, TOKENS[one.token]!)
    else if (one.kind === "twice")
      now = Buffer.concat([now.subarray(0, at), now.subarray(at, at + one.length), now.subarray(at)])
    else {
      now = Uint8Array.from(now)
      now[at] = one.value
    }
  }
  return now
}

/** In place of the word or number at a place. */
function replaced(bytes: Uint8Array, at: number, by: Uint8Array): Uint8Array {
  const inWord = (i: number) => i >= 0 && i < bytes.length && /[\w.+-]/.test(String.fromCharCode(bytes[i]!))
  let [from, to] = [at, at + 1]
  while (inWord(from - 1)) from--
  while (inWord(to)) to++
  return Buffer.concat([bytes.subarray(0, from), by, bytes.subarray(to)])
}

const CASES = 5000

test(`${CASES.toLocaleString("en")} runs with a corrupted header, configuration or log: read, or refused with a typed error; memory stays bounded`, async () => {
  const made = train({ ...usual, width: 12, rank: 2, layers: 1, kept: [0, 2, 4] })
  const torch = await readFile(new URL("../checkpoint/torch/dict.bin", import.meta.url))
  const table = "step,train/loss,train/learning_rate\n1,3,0.1\n2,2.5,0.1\n4,2.25,0.1\n"
  const scalars = [1, 2, 4].flatMap((step) => [
    [step, "train/loss", 3 / step] as const,
    [step, "train/learning_rate", 0.1] as const,
  ])
  // Each a folder with a healthy run, and its files that are corrupted in turn.
  const peft = await write(join(folder, "peft"), made)
  const logged = await write(join(folder, "logged"), made, { silent: true })
  await writeFile(join(logged, "wandb.csv"), table)
  const board = await write(join(folder, "board"), made, { silent: true })
  await writeFile(join(board, "events.out.tfevents.1.host"), events(scalars))
  const pickle = join(folder, "pickle.bin")
  await writeFile(pickle, torch)
  const kohya = join(folder, "kohya.safetensors")
  const [down, up] = [
    [1, 2, 3, 0, 1, 0],
    [1, 0, 0, 2, 0, 0, 1, 1],
  ]
  await writeFile(
    kohya,
    safetensors(
      [
        float32("lora_unet_q.lora_down.weight", [2, 3], down),
        bfloat16("lora_unet_q.lora_up.weight", [4, 2], up),
        float32("lora_unet_q.alpha", [], [1]),
      ],
      { ss_network_alpha: "4" },
    ),
  )
  const targets = [
    [peft, "checkpoint-2/adapter_model.safetensors"],
    [peft, "checkpoint-4/adapter_config.json"],
    [peft, "checkpoint-4/trainer_state.json"],
    [logged, "wandb.csv"],
    [board, "events.out.tfevents.1.host"],
    [pickle, ""],
    [kohya, ""],
  ] as const
  for (const path of [peft, logged, board, pickle, kohya]) await inspected(path)
  const whole = await Promise.all(targets.map(([path, file]) => readFile(join(path, file))))
  const seen = targets.map(() => ({ read: 0, refused: 0 }))
  let most = 0
  const before = process.memoryUsage().rss
  await fc.assert(
    fc.asyncProperty(
      fc.nat(targets.length - 1),
      fc.array(change, { minLength: 1, maxLength: 3 }),
      fc.boolean(),
      async (which, changes, early) => {
        const [path, file] = targets[which]!
        const place = join(path, file)
        const bytes = whole[which]!
        // Half of the changes are in the first bytes, where headers are.
        const near = early ? changes.map((one) => ({ ...one, at: one.at % 200 })) : changes
        await writeFile(place, changed(bytes, near))
        try {
          await inspected(path)
          seen[which]!.read++
        } catch (error) {
          if (!(error instanceof InputError)) throw error
          expect(error.message.length).toBeLessThan(2000)
          seen[which]!.refused++
        } finally {
          await writeFile(place, bytes)
        }
        most = Math.max(most, process.memoryUsage().rss)
      },
    ),
    { numRuns: CASES, seed: 22 },
  )
  // Each kind was met both ways.
  const onesided = seen.flatMap(({ read, refused }, i) =>
    Math.min(read, refused) > 5 ? [] : [`${targets[i]!.join("/")}: ${read} read, ${refused} refused`],
  )
  expect(onesided).toEqual([])
  expect(most - before).toBeLessThan(500e6)
  expect((await readdir(folder)).sort()).toEqual(["board", "kohya.safetensors", "logged", "peft", "pickle.bin"])
})
