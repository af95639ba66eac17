import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import fc from "fast-check"
import { afterEach, beforeEach, expect, test, vi } from "vitest"
import { openCache } from "../src/cache.js"

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "cache-"))
  vi.stubEnv("XDG_CACHE_HOME", folder)
})
afterEach(() => {
  vi.unstubAllEnvs()
  rmSync(folder, { recursive: true })
})
const files = (kind: string) => {
  const place = join(folder, "lora-scaling", kind)
  return readdirSync(place).map((name) => join(place, name))
}

test("what was kept under some texts is given back under these alone", () => {
  const lists = fc.uniqueArray(fc.array(fc.string(), { maxLength: 3 }), {
    minLength: 1,
    maxLength: 6,
    selector: (list) => JSON.stringify(list),
  })
  fc.assert(
    fc.property(lists, fc.jsonValue(), ([first, ...others], value) => {
      const cache = openCache("kind")
      cache.set(first!, { value })
      expect(JSON.stringify(cache.get(first!))).toBe(JSON.stringify({ value }))
      for (const other of others) cache.set(other, "another")
      expect(JSON.stringify(openCache("kind").get(first!))).toBe(JSON.stringify({ value }))
      expect(openCache("other").get(first!)).toBeNull()
    }),
    { numRuns: 50 },
  )
})

test("a file in which anything is changed, lost or of another key counts as none", () => {
  const cache = openCache("kind")
  cache.set(["a"], { verdict: "accepted", digits: 12 })
  cache.set(["b"], { verdict: "refused", digits: 12 })
  const [one, two] = files("kind").map((file) => ({ file, text: readFileSync(file, "utf8") }))
  const kept = () => [cache.get(["a"]), cache.get(["b"])]
  expect(kept()).not.toContain(null)
  fc.assert(
    fc.property(fc.nat(one!.text.length - 1), fc.constantFrom("", "0", "x", '"', "{", " "), (at, sign) => {
      const text = one!.text.slice(0, at) + sign + one!.text.slice(at + 1)
      fc.pre(text !== one!.text)
      writeFileSync(one!.file, text)
      expect(kept()).toContain(null)
    }),
  )
  writeFileSync(one!.file, two!.text)
  expect(kept()).toContain(null)
})

test("where no file can be written nothing is kept and nothing fails", () => {
  mkdirSync(join(folder, "lora-scaling"), { recursive: true })
  writeFileSync(join(folder, "lora-scaling", "kind"), "a file where the folder should be")
  const cache = openCache("kind")
  cache.set(["a"], 1)
  expect(cache.get(["a"])).toBeNull()
})
