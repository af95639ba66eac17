import { readdir, readFile } from "node:fs/promises"
import { fileURLToPath } from "node:url"
import { expect, test } from "vitest"
import { GROUPS } from "../../site/.vitepress/config.js"

const root = fileURLToPath(new URL("../../", import.meta.url))

test("the gallery shows every figure that the figures' test compares with, and no other", async () => {
  const kept = (await readdir(`${root}test/report/figures`)).filter((name) => name.endsWith(".svg")).sort()
  const gallery = await readFile(`${root}docs/gallery.md`, "utf8")
  const shown = [...gallery.matchAll(/!\[[^\]]+\]\(\.\.\/test\/report\/figures\/([^)]+)\)/g)].map(([, name]) => name!)
  expect(shown.sort()).toEqual(kept)
})

test("every page of the documentation stands in the side bar, or behind one that does", async () => {
  const listed = GROUPS.flatMap(([, pages]) => pages.map(([page]) => page))
  const pages = (await readdir(`${root}docs`)).flatMap((name) => (name.endsWith(".md") ? [name.slice(0, -3)] : []))
  expect(pages.filter((page) => !listed.includes(page))).toEqual([])
  const own = [...pages, "doctor/README", "CONTRIBUTING", "CHANGELOG"]
  expect(listed.filter((page) => !page.startsWith("reference/") && !own.includes(page))).toEqual([])
})
