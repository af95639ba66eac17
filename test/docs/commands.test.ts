import { execSync } from "node:child_process"
import { readdir, readFile } from "node:fs/promises"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { describe, expect, test } from "vitest"

const root = fileURLToPath(new URL("../../", import.meta.url))
const docs = (await readdir(join(root, "docs"), { recursive: true })).filter((name) => name.endsWith(".md")).sort()
const pages = ["README.md", ...docs.map((name) => `docs/${name}`)]

/** Commands that are not run here, and why not. */
const ELSEWHERE: readonly [RegExp, string][] = [
  [/^npm ci && npm run reproduce -- --quick$/, "the main job, run by .ci/run from a clean checkout"],
  [/^npm test$/, "these tests themselves"],
  [/^npm run reproduce -- --quick --only derived teacher-student$/, "a part of the main job"],
  [/^npm run reproduce -- --full/, "hours"],
  [/^npm install (webgpu|onnxruntime-node)/, "installs a package; .ci/run has installed it"],
  [/--backend (gpu|graph|auto)/, "needs one of those packages; test/train/gpu and test/train/graph run them"],
  [/^npm run bench(:job)? --.*--python/, "needs PyTorch; what it compares is tested in test/train"],
  [/^npm run bench$/, "minutes; its short form is run"],
  [/^npm run bench -- --widths 2048/, "minutes; its short form is run"],
  [/^npm run bench -- --against/, "builds another commit of this repository"],
  [/examples\/figure\.yaml/, "hours"],
  [/^npx lora-scaling verify theory-wide --store/, "minutes; with fewer seeds it is run"],
  [/^npx lora-scaling explore$/, "serves until it is ended; test/cli/explore.test.ts starts it"],
  [/^npx lora-scaling verify overflow$/, "minutes; one of its cases is run"],
]

/** Every command of the pages' shell blocks, each once; comments are dropped. */
const commands = new Map<string, string>()
for (const page of pages) {
  const text = await readFile(join(root, page), "utf8")
  for (const [, block] of text.matchAll(/^```sh\n([\s\S]*?)^```/gm))
    for (const line of block!.split("\n")) {
      const command = line.replace(/ +#.*$/, "").trim()
      if (command !== "" && !commands.has(command)) commands.set(command, page)
    }
}

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
  const own = [...commands].filter(([command, on]) => on === page && !ELSEWHERE.some(([no]) => no.test(command)))
  test.each(own.map(([command]) => command))("%s", (command) => {
    execSync(command, { cwd: root, stdio: "pipe", env: { ...process.env, NO_COLOR: "1" } })
  })
  if (own.length === 0) test("has no command of its own", () => expect(own).toEqual([]))
})
