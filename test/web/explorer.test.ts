import type { ChildProcess } from "node:child_process"
import { once } from "node:events"
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { gzipSync } from "node:zlib"
import axe from "axe-core"
import { Fraction } from "fraction.js"
import type { Page } from "playwright-core"
import { afterAll, beforeAll, describe, expect, test } from "vitest"
import { parseCondition } from "../../src/exponent/grammar.js"
import { holdsAt } from "../../src/exponent/system.js"
import type { ClaimsJson } from "../../src/report/claims.js"
import type { DerivationJson } from "../../src/report/derivationSchema.js"
import { chromium } from "../train/gpu/browser.js"
import { answered, type Explorers, explorers, served } from "./explorer.js"

const path = chromium()
if (path === null && process.env.REQUIRE_GPU) throw new Error("no chromium-headless-shell to open the explorer in")

let server: { url: string; process: ChildProcess }
let chrome: Explorers
let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "explorer-"))
  if (path === null) return
  server = await served()
  chrome = await explorers(path, server.url)
})
afterAll(async () => {
  await rm(folder, { recursive: true })
  if (path === null) return
  await chrome.browser.close()
  server.process.kill("SIGINT")
  const [code] = await once(server.process, "exit")
  expect(code).toBe(0)
})

/** What the page's link to its JSON holds, once the page is not busy. */
async function shownJson(page: Page): Promise<unknown> {
  await page.locator("[aria-busy=true]").waitFor({ state: "detached" })
  const href = await page.getByRole("link", { name: "JSON", exact: true }).getAttribute("href")
  return JSON.parse(decodeURIComponent(href!.replace(/^[^,]*,/, "")))
}

/** The words of a command that the page shows, without the program's name and quotes. */
async function shownCommand(page: Page): Promise<string[]> {
  const text = await page.locator(".command code").first().textContent()
  return (text!.match(/'[^']*'|\S+/g) ?? []).slice(1).map((word) => word.replace(/^'|'$/g, ""))
}

/**
 * A value whose numbers may differ in their last digits: two versions of V8 do not round logarithms alike, and a fit
 * stops its search for a minimum within 1e-5.
 */
function near(value: unknown): unknown {
  if (typeof value === "number") return Number.isInteger(value) ? value : expect.closeTo(value, 4)
  if (Array.isArray(value)) return value.map(near)
  if (typeof value !== "object" || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, near(inner)]))
}

const plane = (page: Page) => page.getByRole("application", { name: /^(Phase diagram|Exponents) of/ })

const OWN = `name: mine
start: { A: { exponent: -1/2 }, B: zero }
rates: { A: cA, B: cB + 1/4 }
optimiser: sign
multiplier: "-1/4"
`

describe.skipIf(path === null)(
  `the explorer: ${path ?? "skipped, no chromium-headless-shell (Debian) on the path"}`,
  () => {
    test("a scheme of the catalogue: its phase diagram is drawn where derive says it holds, and nowhere else", async () => {
      const { page, complaints } = await chrome.open("scheme=lora-plus")
      await plane(page).waitFor()
      const json = (await shownJson(page)) as DerivationJson
      expect(json).toEqual(await answered("derive", "lora-plus"))
      const grid = Array.from({ length: 23 }, (_, i) => -2 + (i + 0.5) / 8)
      const points = grid.flatMap((cA) => grid.map((cB) => [cA, cB] as const))
      const drawn = await page.evaluate((asked) => {
        const svg = document.querySelector<SVGSVGElement>("svg.plane")!
        const frame = svg.querySelector<SVGRectElement>(".frame")!
        const [left, top, width, height] = ["x", "y", "width", "height"].map((name) => Number(frame.getAttribute(name)))
        const paths = [...svg.querySelectorAll<SVGPathElement>("path.set.stable")]
        return asked.map(([cA, cB]) => {
          const point = svg.createSVGPoint()
          point.x = left! + ((cA + 2) / 3) * width!
          point.y = top! + ((1 - cB) / 3) * height!
          return paths.some((path) => path.isPointInFill(point))
        })
      }, points)
      const { pieces } = parseCondition(json.stable)
      const held = points.map(([cA, cB]) => {
        const at = new Map([
          ["cA", new Fraction(cA)],
          ["cB", new Fraction(cB)],
        ])
        return pieces.some((piece) => piece.every((constraint) => holdsAt(constraint, at)))
      })
      expect(drawn).toEqual(held)
      expect(held.filter(Boolean).length).toBeGreaterThan(100)
      expect(complaints).toEqual([])
    })

    test("a scheme of one's own, typed into the editor: the phase diagram of derive on the same file", async () => {
      const file = join(folder, "mine.yaml")
      await writeFile(file, OWN)
      const { page, complaints } = await chrome.open()
      await page.getByRole("combobox", { name: /^Scheme/ }).selectOption("")
      await page.getByLabel("My scheme").fill(OWN)
      await page.getByRole("application", { name: /Phase diagram of mine over cA and cB/ }).waitFor()
      await expect.poll(() => shownJson(page)).toEqual(await answered("derive", file))
      expect(await shownCommand(page)).toEqual(["derive", "mine.yaml"])
      expect(complaints).toEqual([])
    })

    test("a mistake in it is refused by its field with the nearest name, as on the command line, and can be corrected", async () => {
      const { page } = await chrome.open(`text=${encodeURIComponent(`${OWN}clipping: 0\n`)}`)
      await page.getByText("mine.yaml:6: mine.clipping: got 0, did you mean clip?").waitFor()
      // The sixth line is marked, below five of them and the padding.
      const editor = page.getByLabel("My scheme")
      expect(await editor.getAttribute("aria-invalid")).toBe("true")
      const marked = await editor.evaluate((element) => {
        const { backgroundPositionY, backgroundSize, lineHeight } = getComputedStyle(element)
        return { above: backgroundPositionY, size: backgroundSize, line: Number.parseFloat(lineHeight) }
      })
      expect(marked.size).toBe(`100% ${marked.line}px`)
      expect(Number.parseFloat(marked.above)).toBeGreaterThanOrEqual(5 * marked.line)
      expect(Number.parseFloat(marked.above)).toBeLessThan(6 * marked.line)
      await editor.fill(OWN)
      await plane(page).waitFor()
      expect(await page.getByRole("alert").textContent()).toBe("")
      expect(await editor.getAttribute("aria-invalid")).toBe("false")
      await editor.fill(OWN.replace("zero", "zro"))
      await page.getByText('mine.yaml:2: mine.start.B: got "zro"').waitFor()
    })

    test("a click moves the point; what is read there is what derive says at these values", async () => {
      const { page } = await chrome.open("scheme=lora-plus")
      const box = (await page.locator(".plane .frame").boundingBox())!
      // cA = -1/2, cB = -1/4.
      await page.mouse.click(box.x + box.width * 0.5, box.y + (box.height * 1.25) / 3)
      await page.getByRole("heading", { name: "At cA = −1/2, cB = −1/4: not stable, not efficient" }).waitFor()
      const { quantities } = (await answered("derive", "lora-plus", "--set", "cA=-1/2", "cB=-1/4")) as DerivationJson
      for (const [name, { steps, limit }] of Object.entries(quantities)) {
        const cells = await page
          .locator(".reading tbody tr", { has: page.getByText(name, { exact: true }) })
          .locator("td")
          .allInnerTexts()
        const shown = cells.slice(0, 4).map((text) => text.replace("−∞", "-inf").replace("−", "-"))
        expect([name, ...shown]).toEqual([name, ...steps.slice(0, 3), limit])
      }
    })

    test("the keyboard alone: to the diagram, and the point by arrow keys, which is told", async () => {
      const { page } = await chrome.open("scheme=lora-plus")
      await plane(page).waitFor()
      await page.keyboard.press("Tab")
      await expect(page.evaluate(() => document.activeElement?.textContent)).resolves.toBe("Skip to the result")
      await page.keyboard.press("Enter")
      for (
        let i = 0;
        i < 20 && (await page.evaluate(() => document.activeElement?.getAttribute("role"))) !== "application";
        i++
      )
        await page.keyboard.press("Tab")
      await page.keyboard.press("ArrowRight")
      await page.keyboard.press("Shift+ArrowDown")
      await page.getByRole("heading", { name: "At cA = −15/16, cB = −1/4" }).waitFor()
      expect(await page.locator("#reading[aria-live=polite]").textContent()).toContain("zB −3/16")
      expect(page.url()).toContain("point.cA=-15%2F16")
    })

    test("a slider moves a bound: the readout's exponent the output's", async () => {
      const { page } = await chrome.open("scheme=lora-plus&sets=stableOutput")
      await page.getByRole("slider", { name: /readout/ }).fill("1")
      await expect.poll(() => shownCommand(page)).toEqual(["derive", "lora-plus", "--set", "o=1"])
      expect(await shownJson(page)).toEqual(await answered("derive", "lora-plus", "--set", "o=1"))
      await page.getByLabel("o, exactly", { exact: true }).fill("2/3")
      await page.getByLabel("o, exactly", { exact: true }).press("Enter")
      await expect.poll(() => shownJson(page)).toEqual(await answered("derive", "lora-plus", "--set", "o=2/3"))
      await page.getByLabel("o, exactly", { exact: true }).fill("a lot")
      await page.getByLabel("o, exactly", { exact: true }).press("Enter")
      await page.getByText(/^o: got "a lot"/).waitFor()
    })

    test("every wall says why: the chain of derive --why", async () => {
      const { page } = await chrome.open("scheme=lora-plus&why=")
      await page.getByRole("button", { name: "why stable", exact: true }).click()
      await page.getByRole("button", { name: "cB ≤ 0" }).click()
      const { why } = (await answered("derive", "lora-plus", "--why", "stable")) as DerivationJson
      const { chain } = why!.reasons.find(({ claim }) => claim === "cB <= 0")!
      const rules = await page.locator(".why tbody tr td:last-child").allInnerTexts()
      expect(rules).toEqual(chain.map(({ rule }) => rule.replace(/\s+/g, " ")))
      await page.getByRole("button", { name: "cB ≤ 0" }).hover()
      await page.locator("path.edge.stable.told").waitFor({ state: "attached" })
    })

    test("other axes: the rank upwards, or nothing and exponents as lines", async () => {
      const { page } = await chrome.open("scheme=init-a")
      await page.getByRole("application", { name: "Exponents of init-a over c" }).waitFor()
      await page.getByLabel("Upwards").selectOption("rho")
      await page.getByRole("application", { name: "Phase diagram of init-a over c and rho" }).waitFor()
      expect(await shownJson(page)).toEqual(await answered("derive", "init-a", "--free", "rho"))
      await page.getByLabel("Optimiser").selectOption("sgd")
      await expect
        .poll(() => shownJson(page))
        .toEqual(await answered("derive", "init-a", "--free", "rho", "--optimiser", "sgd"))
    })

    test("training in the page gives the claims of check: same seeds, same slopes, same verdicts", async () => {
      const { page, complaints } = await chrome.open("view=train&scheme=init-a&train.from=8&train.to=14&train.seeds=4")
      await page.getByRole("button", { name: "Train" }).click()
      await page.getByText(/exponents: .* agree/).waitFor({ timeout: 120_000 })
      expect(await shownJson(page)).toEqual(near(await answered("check", "init-a", "--seeds", "4")))
      expect(await page.locator(".chart path.mark").count()).toBeGreaterThan(40)
      expect(complaints).toEqual([])
    })

    test.skipIf(!process.env.REQUIRE_GPU)("training by WebGPU where the browser offers it", async () => {
      const browser = await explorers(path!, server.url, "--enable-unsafe-webgpu")
      const { page } = await browser.open("view=train&scheme=init-b&train.to=10&train.engine=gpu")
      await page.getByRole("button", { name: "Train" }).click()
      await page.getByText(/0 contradict.*\(browser\), float32/).waitFor({ timeout: 120_000 })
      await browser.browser.close()
    })

    test("the WebAssembly kernel trains the same runs as the interpreter", async () => {
      const link = "view=train&scheme=init-a&model=teacher-student&train.to=11&train.seeds=4"
      const [exact, fast] = await Promise.all(
        ["interpreter", "kernel"].map(async (engine) => {
          const { page } = await chrome.open(`${link}&train.engine=${engine}`)
          await page.getByRole("button", { name: "Train" }).click()
          await page.getByText(/exponents: .* agree/).waitFor({ timeout: 120_000 })
          return (await shownJson(page)) as ClaimsJson
        }),
      )
      expect(fast!.claims.map(({ quantity }) => quantity)).toEqual(["zA", "zB", "f", "zA", "zB", "f", "zA", "zB", "f"])
      // Sizes in float32, and Adam's epsilon of 1e-8 where the program's is nothing.
      for (const { id, slope } of fast!.claims)
        expect([id, slope]).toEqual([id, expect.closeTo(exact!.claims.find((claim) => claim.id === id)!.slope!, 3)])
    })

    test("a rate moved: the answer of transfer, typed field by field", async () => {
      const { page } = await chrome.open("view=rate")
      await page.getByText("Use a learning rate of 1.41e-4").waitFor()
      await page.getByLabel("Rank r, where the rate is good").fill("8")
      await page.getByLabel("Rank r, where it is to go").fill("64")
      await page.getByLabel("lora_alpha, where the rate is good").fill("16")
      await page.getByLabel("Width of the layer, where it is to go").fill("")
      await page.getByText("Keep the learning rate of 2e-4.").waitFor()
      await page.getByText("LoraConfig(r=64, lora_alpha=16").waitFor()
      expect(await shownJson(page)).toEqual(near(await answered(...(await shownCommand(page)))))
      await page.getByLabel("A good learning rate").fill("fast")
      await page.getByText('--lr: got "fast"').waitFor()
    })

    test("a link brings another reader to the same page", async () => {
      const { page } = await chrome.open("scheme=rslora")
      await plane(page).waitFor()
      await page.getByLabel("stable output").check()
      await page.getByRole("slider", { name: /readout/ }).fill("1")
      await expect.poll(() => shownCommand(page)).toContain("o=1")
      const json = await shownJson(page)
      const link = new URL(page.url()).hash.slice(1)
      const other = await chrome.open(link, { colorScheme: "dark", reducedMotion: "reduce" })
      await plane(other.page).waitFor()
      expect(await shownJson(other.page)).toEqual(json)
      await expect(other.page.getByLabel("stable output").isChecked()).resolves.toBe(true)
    })

    test("no request leaves the server, whatever is done", async () => {
      const { page, requests, complaints } = await chrome.open("view=train&scheme=init-b&train.to=8&train.seeds=4")
      await page.getByRole("button", { name: "Train" }).click()
      await page.getByText(/exponents: .* agree/).waitFor()
      for (const name of ["Move a rate", "Phase diagram"]) await page.getByRole("link", { name }).click()
      await plane(page).waitFor()
      expect(requests.length).toBeGreaterThan(3)
      expect(requests.filter((request) => !request.startsWith(server.url) && !request.startsWith("data:"))).toEqual([])
      // The policy itself: a page that tried would be refused.
      const tried = await page.evaluate(() =>
        fetch("https://example.org/").then(
          () => "sent",
          () => "refused",
        ),
      )
      expect(tried).toBe("refused")
      expect(complaints.filter((text) => !/example\.org/.test(text))).toEqual([])
    })

    test.each(["view=diagram", "view=diagram&scheme=init-a", "view=rate", "view=train"])(
      "%s is readable by assistive technology, light and dark",
      async (link) => {
        for (const colorScheme of ["light", "dark"] as const) {
          const { page } = await chrome.open(link, { colorScheme, bypassCSP: true })
          await page.locator(".plane, .says, .budget").first().waitFor()
          await page.addScriptTag({ content: axe.source })
          const { violations } = (await page.evaluate("axe.run()")) as axe.AxeResults
          expect(violations.map(({ id, nodes }) => [id, nodes.map(({ html }) => html)])).toEqual([])
        }
      },
    )

    test("is seen within a second, and answers within a tenth", async () => {
      const { page } = await chrome.open("scheme=lora-plus")
      await plane(page).waitFor()
      const paint = await page.evaluate(() => performance.getEntriesByName("first-contentful-paint")[0]!.startTime)
      expect(paint).toBeLessThan(1000)
      await plane(page).focus()
      const waits = (await page.evaluate(async () => {
        const heading = document.querySelector(".reading h3")!
        const waits: number[] = []
        for (let i = 0; i < 15; i++) {
          const started = performance.now()
          const changed = new Promise<void>((resolve) => {
            const observer = new MutationObserver(() => {
              observer.disconnect()
              requestAnimationFrame(() => resolve())
            })
            observer.observe(heading, { subtree: true, characterData: true, childList: true })
          })
          document
            .querySelector(".plane")!
            .dispatchEvent(new KeyboardEvent("keydown", { key: i % 2 ? "ArrowLeft" : "ArrowRight", bubbles: true }))
          await changed
          waits.push(performance.now() - started)
        }
        return waits
      })) as number[]
      const median = waits.sort((x, y) => x - y)[7]!
      process.stdout.write(`explorer: first paint ${paint.toFixed(0)} ms, an arrow key ${median.toFixed(0)} ms\n`)
      expect(median).toBeLessThan(100)
    })
  },
)

test("what the page loads is small", async () => {
  const web = new URL("../../dist/web/", import.meta.url)
  const sizes = await Promise.all(
    (await readdir(web)).map(async (name) => {
      const content = await readFile(fileURLToPath(new URL(name, web)))
      return { bytes: content.length, packed: gzipSync(content).length }
    }),
  )
  const [bytes, packed] = (["bytes", "packed"] as const).map((kind) => sizes.reduce((sum, size) => sum + size[kind], 0))
  process.stdout.write(`explorer: ${(bytes! / 1e3).toFixed(0)} kB in all, ${(packed! / 1e3).toFixed(0)} kB packed\n`)
  expect(packed!).toBeLessThan(250_000)
})
