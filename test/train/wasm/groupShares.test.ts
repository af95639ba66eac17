import fc from "fast-check"
import { describe, expect, test } from "vitest"
import { KernelArrays, shareWords } from "../../../src/train/wasm/arrays.js"
import { openCpu } from "../../../src/train/wasm/cpu.js"
import { GroupShares, wordsOf } from "../../../src/train/wasm/groupShares.js"
import { kernelFor, phasesOf } from "../../../src/train/wasm/kernel.js"
import type { KernelShape } from "../../../src/train/wasm/layout.js"
import { layoutOf } from "../../../src/train/wasm/layout.js"
import { kernelMemory } from "../../../src/train/wasm/phases.js"
import { drawActivations, readoutOf, startOf, targetsOf } from "../../../src/train/wasm/teacherStudentData.js"
import { recordsOf, trainRows } from "../../../src/train/wasm/trainRows.js"
import { SMALL_RUN } from "../gpu/smallRun.js"

const words = (groups: number) => new Int32Array(new SharedArrayBuffer(4 * wordsOf(groups)))

describe("groups of rows that threads share", () => {
  test("each is done once a phase, and one thread does all where the others do not come", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 64 }),
        fc.integer({ min: 1, max: 8 }),
        fc.array(fc.nat(7)),
        (groups, most, turns) => {
          const threads = Math.min(groups, most)
          const shared = words(groups)
          const all = Array.from(
            { length: threads },
            (_, thread) => new GroupShares(shared, groups, { thread, threads }),
          )
          turns.forEach((turn, phase) => {
            const done: number[] = []
            expect(all[0]!.isOver(phase)).toBe(false)
            all[turn % threads]!.share(phase, (group) => void done.push(group))
            expect([...done].sort((x, y) => x - y)).toEqual(Array.from({ length: groups }, (_, i) => i))
            // Its own part comes first.
            expect(done[0]).toBe(Math.floor((groups * (turn % threads)) / threads))
            for (const other of all) {
              expect(other.isOver(phase)).toBe(true)
              for (let before = 0; before <= phase; before++) other.share(before, () => expect.fail("done again"))
            }
          })
        },
      ),
      { numRuns: 50 },
    )
  })

  test("what another thread has begun is left to it", () => {
    const shared = words(4)
    const [one, other] = [0, 1].map((thread) => new GroupShares(shared, 4, { thread, threads: 2 })) as [
      GroupShares,
      GroupShares,
    ]
    const done: string[] = []
    // The other comes while this thread is at its first group, does the rest, and would then wait for that one.
    const others = () =>
      other.share(0, (group) => {
        done.push(`other ${group}`)
        if (done.length === 4) one.fail()
      })
    const failed = "another thread of this run has failed"
    const own = () =>
      one.share(0, (group) => {
        done.push(`one ${group}`)
        expect(others).toThrow(failed)
      })
    expect(own).toThrow(failed)
    expect(done).toEqual(["one 0", "other 2", "other 3", "other 1"])
  })
})

test("a thread that comes when the run is over finds the same result, whichever it is", async () => {
  const config = {
    ...SMALL_RUN,
    width: 1100,
    rank: 5,
    steps: 6,
    seed: 3,
    start: { A: 0.3, B: 0.1 },
    rates: { A: 0.01, B: 0.02 },
  }
  const alone = openCpu(config, { precision: "float32", activations: "float32", threads: 1, memoryLimit: 2 ** 30 })
  const { backend: _, ...expected } = await alone.train(config)
  for (const first of [0, 1]) {
    const shape: KernelShape = { ...config, precision: "float32", threads: 2 }
    const layout = layoutOf(shape)
    const memory = kernelMemory(layout)
    const arrays = new KernelArrays(layout, memory)
    drawActivations(config, "thin", (name, row, rows) => arrays.setRows(name, row, rows))
    arrays.setEnds(readoutOf(config), targetsOf(config))
    arrays.setStart(startOf(config))
    const { phases } = phasesOf(kernelFor("float32"), memory, "float32")
    const records = recordsOf(config)
    for (const thread of [first, 1 - first]) {
      const shares = new GroupShares(shareWords(memory, layout), layout.groups, { thread, threads: 2 })
      expect(trainRows(phases, layout, memory, { thread, shares, records }, config)).toEqual(expected)
    }
  }
})
