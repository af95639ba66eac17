import { type ChildProcess, execFile, spawn } from "node:child_process"
import { once } from "node:events"
import { fileURLToPath } from "node:url"
import { type Browser, type BrowserContextOptions, chromium, type Page } from "playwright-core"

const program = fileURLToPath(new URL("../../dist/command/main.js", import.meta.url))

/** What the command prints as JSON. */
export async function answered(...words: string[]): Promise<unknown> {
  return new Promise((resolve, reject) =>
    execFile(process.execPath, [program, ...words, "--json"], { maxBuffer: 1e8 }, (error, out) =>
      error ? reject(error) : resolve(JSON.parse(out)),
    ),
  )
}

/** `lora-scaling explore` as a user starts it, on a free port. */
export async function served(): Promise<{ readonly url: string; readonly process: ChildProcess }> {
  const child = spawn(process.execPath, [program, "explore", "--port", "0"], { stdio: ["ignore", "pipe", "inherit"] })
  const [line] = (await once(child.stdout!, "data")) as [Buffer]
  const [, url] = /(http:\S+)/.exec(line.toString()) ?? []
  return { url: url!, process: child }
}

/** A browser, and pages of the explorer that remember what they asked for and complained of. */
export async function explorers(path: string, url: string, ...flags: readonly string[]): Promise<Explorers> {
  const browser = await chromium.launch({ executablePath: path, args: ["--no-sandbox", ...flags] })
  return {
    browser,
    open: async (link = "", options = {}) => {
      const context = await browser.newContext({ viewport: { width: 1360, height: 900 }, ...options })
      const page = await context.newPage()
      const [requests, complaints] = [[] as string[], [] as string[]]
      page.on("request", (request) => requests.push(request.url()))
      page.on("console", (message) => {
        if (["error", "warning"].includes(message.type())) complaints.push(message.text())
      })
      page.on("pageerror", (error) => complaints.push(String(error)))
      await page.goto(`${url}#${link}`)
      return { page, requests, complaints }
    },
  }
}

/** See {@link explorers}. */
export interface Explorers {
  readonly browser: Browser
  open(link?: string, options?: BrowserContextOptions): Promise<Opened>
}

/** A page with the addresses that it asked for, and what its console said. */
export interface Opened {
  readonly page: Page
  readonly requests: readonly string[]
  readonly complaints: readonly string[]
}
