import { expect, test } from "vitest"
import { inOrder } from "../../src/program/node.js"
import { tensorNames } from "../../src/program/tensorNames.js"
import { schemeNamed } from "../../src/scheme/catalogue.js"
import { scheme } from "../../src/scheme/scheme.js"

const named = (name: string) => {
  const { program } = scheme(schemeNamed(name))
  return { nodes: inOrder([...program.next.values(), program.loss]), ...tensorNames(program, new Map()) }
}

test("a small program's tensors have their whole formula as a name", () => {
  const { nodes, name } = named("init-a")
  expect(nodes.map(name).filter((text) => text.startsWith("tensor "))).toEqual([])
})

test("a block's tensors have short names", () => {
  const { nodes, name } = named("llama-block/init-b")
  const names = nodes.map(name)
  expect(names.some((text) => /^tensor \d+ \(\w+\)$/.test(text))).toBe(true)
  expect(Math.max(...names.map(({ length }) => length))).toBeLessThan(200)
})
