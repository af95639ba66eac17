import { mkdtemp, rm, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterAll, beforeAll, expect, test } from "vitest"
import { METRICS } from "../../../src/train/tuning/task.js"
import { readTask } from "../../../src/train/tuning/tasks.js"

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "tasks-"))
  await writeFile(join(folder, "a.txt"), "In the beginning.")
  await writeFile(join(folder, "b.txt"), "It is a truth.")
  await writeFile(join(folder, "latin.txt"), Buffer.from([0x63, 0xe9, 0x20]))
  await writeFile(join(folder, "empty.txt"), " \n")
})
afterAll(() => rm(folder, { recursive: true }))

test("running text is read from files beside the configuration, the test's first characters alone where it says so", async () => {
  const task = await readTask({ kind: "text", train: ["a.txt"], test: ["b.txt", "a.txt"], most: 20 }, folder)
  expect(task.train).toEqual({ kind: "causal", texts: ["In the beginning."] })
  expect(task.evaluation).toEqual({ kind: "perplexity", texts: ["It is a truth.", "In the"], length: 128, stride: 64 })
  expect(METRICS[task.metric]).toBe("lower")
})

test.each([
  [{ kind: "txt" }, /^task\.kind: got "txt", did you mean text\?/],
  [{}, /^task\.kind: got "nothing"; allowed: text/],
  [{ kind: "text", train: ["a.txt"] }, /^task\.test: got "nothing"; allowed: the files/],
  [{ kind: "text", train: ["a.txt"], test: ["c.txt"] }, /^task\.test\[0\]: got ".*c.txt"; allowed: a file that can be/],
  [{ kind: "text", train: ["latin.txt"], test: ["a.txt"] }, /^task\.train\[0\]: .*UTF-8/],
  [{ kind: "text", train: ["a.txt"], test: ["empty.txt"] }, /^task\.test\[0\]: .*text in it/],
  [{ kind: "text", train: ["a.txt"], test: ["b.txt"], window: 8, stride: 9 }, /^task\.stride: got 9; .*window's 8/],
])("refused with its field: %j", async (given, message) => {
  await expect(readTask(given, folder)).rejects.toThrow(message)
})
