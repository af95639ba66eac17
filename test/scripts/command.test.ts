import { spawnSync } from "node:child_process"
import { describe, expect, test } from "vitest"

const script = (name: string, ...words: string[]) =>
  spawnSync(process.execPath, ["--import", "tsx", `scripts/${name}.ts`, ...words], { encoding: "utf8" })

describe.each(["makeFamily", "fetchModels", "compareEngines"])("%s", (name) => {
  test("says what it does, and refuses an option that it lacks in a line", () => {
    const help = script(name, "--help")
    expect([help.status, help.stdout]).toEqual([0, expect.stringMatching(/^Usage: .*\n\n\w[\s\S]*\.\n\n/)])
    const odd = script(name, "--odd")
    expect([odd.status, odd.stderr]).toEqual([2, expect.stringMatching(/^error: unknown option '--odd'\n/)])
  })
})

test.each([
  [["makeFamily", "--widths", "sixty"], '--widths: got "sixty"; allowed: an integer ≥ 1'],
  [["fetchModels", "smolm2"], 'model: got "smolm2", did you mean smollm2?'],
  [["compareEngines", "gone.yaml"], 'config: got "gone.yaml"'],
] as const)("what is wrong is said with its field: %j", ([name, ...words], message) => {
  const { status, stderr } = script(name, ...words)
  expect([status, stderr]).toEqual([2, expect.stringContaining(`error: ${message}`)])
})
