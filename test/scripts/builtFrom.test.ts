import { cp, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { afterEach, beforeEach, expect, test } from "vitest"
import { digestOfSources, isBuiltFrom, noteBuilt } from "../../scripts/builtFrom.js"

const TOOLS = ["cc 14"]
let root: string
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), "built-"))
  for (const folder of ["proofs", "scripts", "src/deep", "verify", "web", "dist/src"])
    await mkdir(join(root, folder), { recursive: true })
  const settings = ["package.json", "package-lock.json", "asconfig.json", "rolldown.config.ts"]
  for (const name of [...settings, "tsconfig.json", "tsconfig.build.json"])
    await cp(fileURLToPath(new URL(`../../${name}`, import.meta.url)), join(root, name))
  await writeFile(join(root, "src/deep/one.ts"), "export const one = 1\n")
  await writeFile(join(root, "dist/src/one.js"), "export const one = 1\n")
  await noteBuilt(root, await digestOfSources(root, TOOLS))
})
afterEach(() => rm(root, { recursive: true }))

const isBuilt = async (tools = TOOLS) => isBuiltFrom(root, await digestOfSources(root, tools))

test("a build is good for the sources that it was made from", async () => expect(await isBuilt()).toBe(true))

test.each([
  ["a changed source", "src/deep/one.ts", "export const one = 2\n"],
  ["a new one", "web/two.tsx", ""],
  ["changed settings", "tsconfig.json", "{}"],
  ["a result that is cut short", "dist/src/one.js", "export"],
])("%s needs another", async (_, file, text) => {
  await writeFile(join(root, file), text)
  expect(await isBuilt()).toBe(false)
})

test.each([
  ["a source that is gone", "src/deep/one.ts"],
  ["a result that is gone", "dist/src/one.js"],
  ["a build that was not noted", "dist/built.json"],
])("%s needs another", async (_, file) => {
  await rm(join(root, file))
  expect(await isBuilt()).toBe(false)
})

test("so does another compiler, and a source under another name", async () => {
  expect(await isBuilt(["cc 15"])).toBe(false)
  await cp(join(root, "src/deep/one.ts"), join(root, "src/one.ts"))
  await rm(join(root, "src/deep/one.ts"))
  expect(await isBuilt()).toBe(false)
})
