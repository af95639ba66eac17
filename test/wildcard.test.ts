import fc from "fast-check"
import { expect, test } from "vitest"
import { wildcard } from "../src/wildcard.js"

test("a text without * finds itself alone, and each * stands for any text", () => {
  const part = fc.string({ unit: fc.constantFrom(..."ab.+?^$|{}()[]\\/-") })
  fc.assert(
    fc.property(fc.array(part, { minLength: 1 }), part, (parts, between) => {
      expect(wildcard(parts.join("*")).test(parts.join(between))).toBe(true)
      const [text] = parts
      expect(wildcard(text!).test(`${text}${between}`)).toBe(between === "")
    }),
  )
})
