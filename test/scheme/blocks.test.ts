import { expect, test } from "vitest"
import { derive } from "../../src/derive/derive.js"
import { BLOCK_SCHEMES } from "../../src/scheme/blocks.js"
import { schemeNamed } from "../../src/scheme/catalogue.js"
import { scheme } from "../../src/scheme/scheme.js"

test("each start has a name of its own on both blocks, by which it is found", () => {
  expect(new Set(BLOCK_SCHEMES.map(({ name }) => name)).size).toBe(BLOCK_SCHEMES.length)
  for (const definition of BLOCK_SCHEMES) expect(schemeNamed(definition.name)).toBe(definition)
  const starts = (kind: string) =>
    BLOCK_SCHEMES.flatMap(({ name }) => (name.startsWith(`${kind}/`) ? [name.slice(kind.length + 1)] : []))
  expect(starts("llama-block")).toEqual(starts("bert-block"))
  expect(starts("llama-block")).toEqual(
    expect.arrayContaining(["init-a", "init-b", "lora-plus", "rslora", "peft-pissa", "peft-olora", "peft-eva"]),
  )
})

test.each(BLOCK_SCHEMES.map((definition) => [definition.name, definition] as const))(
  "%s keeps its features bounded where it is measured",
  (_, definition) => {
    expect(derive(scheme(definition, definition.example)).stable.isNever).toBe(false)
  },
)
