import type { ChildProcess } from "node:child_process"
import { once } from "node:events"
import { afterAll, beforeAll, describe, expect, test } from "vitest"
import { chromium } from "../train/gpu/browser.js"
import { answered, type Explorers, explorers, served } from "./explorer.js"

const path = chromium()
if (path === null && process.env.REQUIRE_GPU) throw new Error("no chromium-headless-shell to open the explorer in")

describe.skipIf(path === null)(
  `the explorer: ${path ?? "skipped, no chromium-headless-shell (Debian) on the path"}`,
  () => {
    let server: { url: string; process: ChildProcess }
    let chrome: Explorers
    beforeAll(async () => {
      server = await served()
      chrome = await explorers(path!, server.url)
    })
    afterAll(async () => {
      await chrome?.browser.close()
      server.process.kill("SIGINT")
      const [code] = await once(server.process, "exit")
      expect(code).toBe(0)
    })

    test("draws the phase diagram of a scheme of the catalogue, by what derive says", async () => {
      const { page, complaints } = await chrome.open("scheme=lora-plus")
      await page.getByRole("application", { name: /Phase diagram of lora-plus/ }).waitFor()
      const shown = await page.getByRole("link", { name: "JSON" }).getAttribute("href")
      const json = JSON.parse(decodeURIComponent(shown!.replace(/^[^,]*,/, "")))
      expect(json).toEqual(await answered("derive", "lora-plus"))
      expect(complaints).toEqual([])
    })
  },
)
