import { mkdtemp, readdir, readFile, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterAll, beforeAll, expect, test } from "vitest"
import { derived } from "../../src/cli/derive.js"
import { rowOf } from "../../src/cli/schemes.js"
import { CATALOGUE } from "../../src/scheme/catalogue.js"
import { loraIn } from "./lora.js"

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "remembered-"))
})
afterAll(() => rm(folder, { recursive: true }))
const ask = async (...words: string[]) => (await loraIn({ folder, env: { XDG_CACHE_HOME: folder } }, ...words)).out

test("what is remembered is what is computed, and a second answer is the first one", async () => {
  const questions = [
    ["schemes", "--json"],
    ["derive", "init-a", "--set", "c=-1/2", "--json"],
    ["derive", "lora-plus"],
    ["derive", "lora-plus", "--format", "markdown"],
    ["derive", "init-a", "--level", "output", "--free", "o", "--steps", "7"],
  ]
  const answers: string[] = []
  for (const words of questions) answers.push(await ask(...words))
  for (const [i, words] of questions.entries()) expect(await ask(...words)).toBe(answers[i])
  const place = join(folder, "lora-scaling/derivations")
  const kept = await Promise.all(
    (await readdir(place)).map(async (name) => JSON.parse(await readFile(join(place, name), "utf8")).value),
  )
  // lora-plus is asked twice, in two formats, and kept once.
  expect(kept).toHaveLength(CATALOGUE.length + 3)
  for (const { what, inputs, result } of kept)
    expect(JSON.parse(JSON.stringify(what === "schemes" ? rowOf(inputs) : derived(inputs)))).toEqual(result)
})

test("a question that is refused is not remembered", async () => {
  const refused = () => loraIn({ folder, env: { XDG_CACHE_HOME: folder } }, "derive", "init-a", "--set", "q=1")
  expect((await refused()).code).toBe(2)
  expect((await refused()).code).toBe(2)
})
