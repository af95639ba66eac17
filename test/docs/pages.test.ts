import { readdir, readFile } from "node:fs/promises"
import { dirname, join, normalize, relative } from "node:path"
import { fileURLToPath } from "node:url"
import { fromMarkdown } from "mdast-util-from-markdown"
import { toString as textOf } from "mdast-util-to-string"
import { describe, expect, test } from "vitest"
import { parse } from "yaml"

const root = fileURLToPath(new URL("../../", import.meta.url))
const read = (path: string) => readFile(join(root, path), "utf8")

/** Every page of the documentation, the README first. */
const pages = [
  "README.md",
  ...(await readdir(join(root, "docs"), { recursive: true }))
    .filter((name) => name.endsWith(".md"))
    .map((name) => `docs/${name}`)
    .sort(),
]
const texts = new Map(await Promise.all(pages.map(async (page) => [page, await read(page)] as const)))

/** The links of a page within the repository, as path and anchor. */
function linksOf(page: string): { path: string; anchor: string | undefined }[] {
  return [...texts.get(page)!.matchAll(/\]\(([^)\s]+)\)/g)]
    .map(([, target]) => target!)
    .filter((target) => !/^[a-z]+:/.test(target))
    .map((target) => {
      const [path, anchor] = target.split("#")
      return { path: path === "" ? page : normalize(join(dirname(page), path!)), anchor }
    })
}

/** Headings as GitHub names them. */
function anchorsOf(text: string): string[] {
  return fromMarkdown(text)
    .children.filter(({ type }) => type === "heading")
    .map((heading) =>
      textOf(heading)
        .toLowerCase()
        .replace(/[^\p{L}\p{N} _-]/gu, "")
        .replaceAll(" ", "-"),
    )
}

test.each(pages)("every link of %s leads somewhere", async (page) => {
  for (const { path, anchor } of linksOf(page)) {
    await expect(
      read(path).catch(() => readdir(join(root, path))),
      `${page}: ${path}`,
    ).resolves.toBeDefined()
    if (anchor !== undefined) expect(anchorsOf(await read(path)), `${page}: ${path}#${anchor}`).toContain(anchor)
  }
})

test("every page is reached from the README", () => {
  const reached = new Set(["README.md"])
  for (const page of reached) for (const { path } of linksOf(page)) if (texts.has(path)) reached.add(path)
  expect(pages.filter((page) => !reached.has(page))).toEqual([])
})

test("the README has a hundred lines at most and one picture, which is kept", async () => {
  const readme = texts.get("README.md")!
  expect(readme.trimEnd().split("\n").length).toBeLessThanOrEqual(100)
  const pictures = [...readme.matchAll(/!\[([^\]]*)\]/g)]
  expect(pictures).toHaveLength(1)
  const svg = await read("docs/pictures/rates.svg")
  for (const label of ["width n", "learning rate η", "Init[A]", "Init[B]", "n^(−1/2)"])
    expect(svg).toContain(`>${label}<`)
})

describe("questions from other projects' trackers", async () => {
  const rows = texts
    .get("docs/questions.md")!
    .split("\n")
    .filter((line) => line.startsWith("| ["))
    .map((line) => line.split(" | "))
  const plain = (text: string) => text.replace(/\s+/g, " ")

  test("are at least five, of five projects", () => {
    const projects = rows.map(([asked]) => /\[(\S+)/.exec(asked!)![1])
    expect(new Set(projects).size).toBeGreaterThanOrEqual(5)
  })

  test.each(rows)("%s: %s", async (_asked, _question, answer, sentence) => {
    const [, target] = /\]\(([^)#]+)/.exec(answer!)!
    const path = relative(root, join(root, "docs", target!))
    expect(plain(texts.get(path)!)).toContain(plain(/"(.+)"/.exec(sentence!)![1]!))
    // Two clicks from the README: the list of questions, and the page.
    expect(linksOf("README.md").map((link) => link.path)).toContain("docs/questions.md")
    expect(linksOf("docs/questions.md").map((link) => link.path)).toContain(path)
  })
})

describe("the project as people find it", () => {
  test("CITATION.cff has the package's version and licence", async () => {
    const [citation, own] = [parse(await read("CITATION.cff")), JSON.parse(await read("package.json"))]
    expect(citation["cff-version"]).toBe("1.2.0")
    expect([citation.version, citation.license]).toEqual([own.version, own.license])
    for (const field of ["message", "title", "authors"]) expect(citation[field]).toBeTruthy()
  })

  test("the workflow runs the script that contributors run", async () => {
    const { jobs } = parse(await read(".github/workflows/ci.yml")) as { jobs: { all: { steps: { run?: string }[] } } }
    expect(jobs.all.steps.map(({ run }) => run)).toContain(".ci/run")
  })

  test("issue forms have a name, a description and fields with labels", async () => {
    const folder = ".github/ISSUE_TEMPLATE"
    const forms = (await readdir(join(root, folder))).filter((name) => name !== "config.yml")
    expect(forms.length).toBeGreaterThanOrEqual(3)
    for (const name of forms) {
      const form = parse(await read(`${folder}/${name}`))
      expect([typeof form.name, typeof form.description]).toEqual(["string", "string"])
      for (const { id, attributes } of form.body)
        expect([typeof id, typeof attributes.label]).toEqual(["string", "string"])
    }
  })
})
