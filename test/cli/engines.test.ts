import { readFile } from "node:fs/promises"
import { expect, test } from "vitest"
import { isInstalled } from "../isInstalled.js"
import { PACKAGES, pythonWithTorch } from "../python/venv.js"
import { loraIn } from "./lora.js"

const python = await pythonWithTorch()
const folder = "."

interface EnginesJson {
  readonly engines: readonly {
    readonly engine: string
    readonly installed: readonly string[]
    readonly missing: readonly string[]
    readonly install: string
  }[]
}

const engines = async (own: string) => {
  const { code, out } = await loraIn({ folder, env: { LORA_SCALING_PYTHON: own } }, "engines", "--json")
  expect(code).toBe(0)
  return (JSON.parse(out) as EnginesJson).engines
}

test("without a Python the line is told that makes one with every package", async () => {
  const [graph, torch] = await engines("/no/python")
  expect([graph!.engine, torch!.engine]).toEqual(["graph", "torch"])
  expect(torch).toMatchObject({ installed: [], missing: ["python"] })
  expect(torch!.install).toMatch(/^python3 -m venv (\S+) && \1\/bin\/pip install -r \S+requirements\.txt$/)
  const { out } = await loraIn({ folder, env: { LORA_SCALING_PYTHON: "/no/python" } }, "engines")
  expect(out).toContain(torch!.install)
})

test.skipIf(!isInstalled("python3", "--version"))("of a Python without torch it says what is missing", async () => {
  const [, torch] = await engines("python3")
  expect(torch!.installed[0]).toMatch(/^python 3\./)
  expect([...torch!.missing, ...torch!.installed.map((text) => text.split(" ")[0]!)].sort()).toEqual(
    ["python", "torch", "transformers", "peft", "accelerate", "safetensors", "gguf"].sort(),
  )
})

test.skipIf(python === null)("of one with torch it says the versions", async () => {
  const [, torch] = await engines(python!)
  expect(torch!.missing).toEqual([])
  expect(torch!.installed.find((text) => text.startsWith("torch "))).toMatch(/^torch \d+\.\d+/)
})

test("what users install is what these tests run on", async () => {
  const lines = (await readFile(new URL("../../python/requirements.txt", import.meta.url), "utf8")).split("\n")
  const pinned = lines.filter((line) => /^[a-z]/.test(line))
  expect(pinned).toHaveLength(6)
  for (const line of pinned) {
    expect(line).toMatch(/^[a-z]+==\d+(\.\d+)+$/)
    const name = line.split("==")[0]!
    const tested = PACKAGES.flat().find((own) => own.startsWith(`${name}==`))
    // Accelerate comes with PEFT.
    expect(tested, name).toBe(name === "accelerate" ? undefined : line)
  }
})
