import { execSync } from "node:child_process"
import { readFile } from "node:fs/promises"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { describe, expect, test } from "vitest"
import { commands, ELSEWHERE, isRun, pages } from "./pageCommands.js"

const root = fileURLToPath(new URL("../../", import.meta.url))
const run = (command: string) =>
  execSync(command, { cwd: root, encoding: "utf8", stdio: "pipe", env: { ...process.env, NO_COLOR: "1" } })

/** What npx starts in a clone. npx itself takes longer than most commands: it is asked once. */
const started = (command: string) =>
  command
    .replace(/^npx lora-scaling\b/, `"${process.execPath}" dist/command/main.js`)
    .replace(/^npx tsx\b/, "node_modules/.bin/tsx")

test("npx starts the built command", () => {
  const command = "npx lora-scaling derive init-a --json"
  expect(started(command)).not.toBe(command)
  expect(run(command)).toBe(run(started(command)))
})

test("the README names the main job and the tests on its first screen", async () => {
  const screen = (await readFile(join(root, "README.md"), "utf8")).split("\n").slice(0, 40).join("\n")
  expect(screen).toContain("npm ci && npm run reproduce -- --quick")
  expect(screen).toContain("npm test")
})

test("what is not run here still stands on some page", () => {
  for (const [pattern] of ELSEWHERE)
    expect(
      [...commands.keys()].some((command) => pattern.test(command)),
      String(pattern),
    ).toBe(true)
})

describe.each(pages)("%s", (page) => {
  const own = [...commands].filter(([command, on]) => on === page && isRun(command))
  test.each(own.map(([command]) => command))("%s", (command) => {
    run(started(command))
  })
  if (own.length === 0) test("has no command of its own", () => expect(own).toEqual([]))
})
