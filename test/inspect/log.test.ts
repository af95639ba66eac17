import { mkdtemp, rm, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import fc from "fast-check"
import { afterEach, beforeEach, describe, expect, test } from "vitest"
import { bytesInMemory } from "../../src/checkpoint/byteSource.js"
import { InputError } from "../../src/inputError.js"
import { findLog, rateSum } from "../../src/inspect/log.js"
import { eventsOf } from "../../src/inspect/tensorBoard.js"
import { events } from "./events.js"

let folder: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "log-"))
})
afterEach(() => rm(folder, { recursive: true }))

const text = (value: string) => new TextEncoder().encode(value)

describe("logs", () => {
  test("TensorBoard's scalars, in both of its forms", async () => {
    const bytes = events([
      [5, "train/loss", 2],
      [5, "train/learning_rate", 0.5],
      [10, "train/loss", 1.5],
      [10, "other", 9],
    ])
    const entries = [
      { step: 5, loss: 2, rate: 0.5, gradientNorm: null },
      { step: 10, loss: 1.5, rate: null, gradientNorm: null },
    ]
    expect(await eventsOf(bytesInMemory("made", bytes))).toEqual(entries)
    // A killed run ends within a record.
    expect(await eventsOf(bytesInMemory("made", bytes.subarray(0, bytes.length - 3)))).toEqual(entries)
    await writeFile(join(folder, "events.out.tfevents.1.host"), bytes)
    expect((await findLog([folder])).log!.entries).toEqual(entries)
  })

  test("a table, and a trainer's state with NaN as Python writes it, which comes first", async () => {
    await writeFile(join(folder, "wandb.csv"), "Step,train/loss,train/learning_rate\n1,3,0.1\n2,2,0.1\n")
    expect((await findLog([folder])).log!.entries[1]).toEqual({ step: 2, loss: 2, rate: 0.1, gradientNorm: null })
    await writeFile(
      join(folder, "trainer_state.json"),
      '{"log_history": [{"step": 1, "loss": NaN, "learning_rate": 1e-3}, {"step": 1, "train_runtime": 3}]}',
    )
    expect((await findLog([folder])).log!.entries).toEqual([
      { step: 1, loss: Number.NaN, rate: 1e-3, gradientNorm: null },
    ])
  })

  test("rates between logged steps are summed along straight lines: a linear schedule exactly", () => {
    // η (1 − k/20), k = 0 … 19, logged at every fifth step: the sum of the first five is 1 + .95 + .9 + .85 + .8.
    const entries = [5, 10, 15, 20].map((step) => ({ step, loss: null, gradientNorm: null, rate: 1 - (step - 1) / 20 }))
    expect(rateSum({ source: "", entries }, 0, 5)).toBeCloseTo(4.5, 12)
    expect(rateSum({ source: "", entries }, 0, 20)).toBeCloseTo(10.5, 12)
    expect(rateSum(null, 0, 5)).toBeNull()
    // A folder named checkpoint-999999999999 is answered as well.
    const constant = [1, 2].map((step) => ({ step, loss: null, gradientNorm: null, rate: 0.5 }))
    expect(rateSum({ source: "", entries: constant }, 0, 1e12)! / 5e11).toBeCloseTo(1, 6)
  })

  test("2,000 corrupted logs are refused with a typed error or read", async () => {
    const whole = [
      events([
        [1, "train/loss", 2],
        [2, "train/loss", 1],
      ]),
      text('{"log_history":[{"step":1,"loss":2.5,"learning_rate":0.001},{"step":2,"loss":2.25}]}'),
    ]
    let refused = 0
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(0, 1),
        fc.array(fc.tuple(fc.nat(), fc.nat(255)), { minLength: 1, maxLength: 4 }),
        async (kind, changes) => {
          const bytes = whole[kind]!.slice()
          for (const [at, value] of changes) bytes[at % bytes.length] = value
          try {
            if (kind === 0) await eventsOf(bytesInMemory("made", bytes))
            else {
              await writeFile(join(folder, "trainer_state.json"), bytes)
              await findLog([folder])
            }
          } catch (error) {
            refused++
            expect(error).toBeInstanceOf(InputError)
          }
        },
      ),
      { numRuns: 2000, seed: 22 },
    )
    expect(refused).toBeGreaterThan(500)
  })
})
