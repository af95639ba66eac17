import fc from "fast-check"
import { expect, test } from "vitest"
import { stringify } from "yaml"
import { yamlText } from "../src/yamlText.js"

const TEXT = `# a scheme
start:
  A: { exponent: -1/2 }
  B: zero
schemes:
  - init-a
  - scheme: init-b
    set: { c: -1 }
"*.lora_A": zA
`

test.each([
  ["start", 2],
  ["start.A.exponent", 3],
  ["start.B", 4],
  ["schemes[0]", 6],
  ["schemes[1].set.c", 8],
  ["*.lora_A", 9],
  // Of what the text does not have, the innermost around it.
  ["start.A.constant", 3],
  ["schemes[1].rates", 7],
  ["schemes[7]", 5],
  ["rates.A", null],
])("%s stands in line %s", (field, line) => {
  expect(yamlText(TEXT, "mine.yaml", "").lineOf(field)).toBe(line)
})

test("every field of any text stands in the line that holds its key", () => {
  const key = fc.stringMatching(/^[a-z]{1,6}$/)
  const inner = fc.dictionary(key, fc.dictionary(key, fc.integer(), { minKeys: 1 }), { minKeys: 1 })
  fc.assert(
    fc.property(fc.dictionary(key, inner, { minKeys: 1 }), (value) => {
      const text = stringify(value)
      const { lineOf } = yamlText(text, "mine.yaml", "")
      for (const [a, of] of Object.entries(value))
        for (const [b, leaves] of Object.entries(of))
          for (const [c, number] of Object.entries(leaves)) {
            const above = text.split("\n").slice(0, lineOf(`${a}.${b}.${c}`)!)
            expect(above.at(-1)).toMatch(new RegExp(`^    "?${c}"?: ${number}$`))
            expect(above.findLast((line) => /^ {2}\S/.test(line))).toMatch(new RegExp(`^  "?${b}"?:`))
            expect(above.findLast((line) => /^\S/.test(line))).toMatch(new RegExp(`^"?${a}"?:`))
          }
    }),
  )
})

test("a line that is no YAML is named", () => {
  expect(() => yamlText("start: zero\nrates: { A: c", "mine.yaml", "rates: c")).toThrow(/^mine\.yaml:[23]: got/)
})
