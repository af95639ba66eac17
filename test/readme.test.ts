import { execSync } from "node:child_process"
import { mkdtemp, readFile, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { expect, test } from "vitest"

const root = fileURLToPath(new URL("..", import.meta.url))
const readme = await readFile(join(root, "README.md"), "utf8")

/** Every command of the README's shell blocks; comments are dropped. */
const commands = [...readme.matchAll(/```sh\n([\s\S]*?)```/g)]
  .flatMap(([, block]) => block!.split("\n"))
  .map((line) => line.replace(/ +#.*$/, "").trim())
  .filter((line) => line !== "")

/** Run elsewhere: cloning and installing by the reader, these tests by themselves, the reproduction by `.ci/run`. */
const ELSEWHERE = /^(git clone|cd |npm ci|npm test|npm run check|npm run reproduce)/

test("the README names the main job and the tests on its first screen", () => {
  const screen = readme.split("\n").slice(0, 40).join("\n")
  expect(screen).toContain("npm ci && npm run reproduce -- --quick")
  expect(screen).toContain("npm test")
})

test.each(commands.filter((command) => !ELSEWHERE.test(command)))("%s", async (command) => {
  const place = await mkdtemp(join(tmpdir(), "readme-"))
  try {
    expect(() => execSync(command, { cwd: root, stdio: "pipe", env: { ...process.env, NO_COLOR: "1" } })).not.toThrow()
  } finally {
    await rm(place, { recursive: true })
  }
})
