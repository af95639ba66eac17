import { execFile } from "node:child_process"
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { promisify } from "node:util"
import { PNG } from "pngjs"
import { afterAll, beforeAll, describe, expect, test } from "vitest"
import type { ReportDocument } from "../../src/report/document.js"
import { environment } from "../../src/report/environment.js"
import { renderFigure } from "../../src/report/figure.js"
import { documentHtml } from "../../src/report/html.js"
import { chromium } from "../train/gpu/browser.js"
import { EXAMPLES, OPENING_EXAMPLE } from "./examples.js"
import { largestDifference } from "./pictures.js"

const program = chromium()
if (program === null && process.env.REQUIRE_GPU)
  throw new Error("no chromium-headless-shell to draw the first screen in")

/**
 * The picture is kept; made anew by `UPDATE_PICTURES=1 npx vitest run test/report/firstScreen.test.ts`, and looked at.
 */
const KEPT = fileURLToPath(new URL("figures/first-screen.png", import.meta.url))

/** A text that is missing or elsewhere differs by 0.15 and more. */
const BOUND = 0.1

const document: ReportDocument = {
  title: "The impact of initialisation on LoRA: derived, proven and measured",
  opening: OPENING_EXAMPLE,
  preface: "**A quick run.**",
  chapters: [
    {
      section: {
        id: "losses",
        title: "Losses",
        answer: { question: "What is the loss?", text: "Small." },
        claim: "It is small.",
        parts: [{ kind: "figure", name: "loss", caption: "The loss", spec: EXAMPLES.loss! }],
        findings: [
          {
            claim:
              "Init[A], o = 0.5: the largest rate with bounded features goes as n^(−1/2); measured -0.37 [-0.43, -0.32]",
            verdict: "contradicts",
            why: "the output's bound n^(−3/4) is the lower one",
          },
          { claim: "It is small", verdict: "agrees", why: null },
        ],
        askedAtFullSize: [{ claim: "Is it smaller?", verdict: "inconclusive", why: "8 seeds would decide" }],
        data: {},
      },
      command: "lora-scaling reproduce --quick",
      spent: { runs: 1, runSeconds: 1, seconds: 1, seeds: "0…3" },
    },
  ],
  environment: { ...environment(), workers: 2 },
}

describe.skipIf(program === null)("the first screen at 1280 × 800", () => {
  let place: string
  let page: string
  beforeAll(async () => {
    place = await mkdtemp(join(tmpdir(), "screen-"))
    page = join(place, "report.html")
    const drawn = new Map<string, string>()
    drawn.set("answer-rates", (await renderFigure(OPENING_EXAMPLE.figure.spec)).svg)
    drawn.set("losses-loss", (await renderFigure(EXAMPLES.loss!)).svg)
    await writeFile(
      page,
      documentHtml(document, (file) => drawn.get(file)!),
    )
    // The package's own fonts and no others, so that the picture is that of every machine.
    const fonts = fileURLToPath(new URL("../../node_modules/dejavu-fonts-ttf/ttf", import.meta.url))
    await writeFile(
      join(place, "fonts.conf"),
      `<fontconfig><dir>${fonts}</dir><cachedir>${place}/fonts</cachedir></fontconfig>`,
    )
  })
  afterAll(() => rm(place, { recursive: true }))

  const browse = (...words: string[]) =>
    promisify(execFile)(
      program!,
      [
        "--headless",
        "--no-sandbox",
        "--hide-scrollbars",
        `--user-data-dir=${place}/profile`,
        ...words,
        `file://${page}`,
      ],
      { env: { ...process.env, FONTCONFIG_FILE: join(place, "fonts.conf") }, maxBuffer: 1e8 },
    )

  test("looks like the kept picture", async () => {
    const shot = join(place, "screen.png")
    await browse("--window-size=1280,800", `--screenshot=${shot}`)
    if (process.env.UPDATE_PICTURES) await writeFile(KEPT, await readFile(shot))
    const [one, other] = await Promise.all([shot, KEPT].map(async (file) => PNG.sync.read(await readFile(file))))
    expect([one!.width, one!.height]).toEqual([1280, 800])
    expect(largestDifference(one!, other!)).toBeLessThan(BOUND)
  })

  test("the script of the page adds the filter and makes every heading sort; the answer is there without it", async () => {
    const { stdout } = await browse("--dump-dom")
    expect(stdout).toMatch(/<input[^>]*type="search"/)
    expect(stdout.match(/<th scope="col"><button>/g)).toHaveLength(4)
    expect(stdout).toContain("<output>2 of 2</output>")
    const written = await readFile(page, "utf8")
    expect(written).not.toMatch(/<input|<button/)
    expect(written).toContain(OPENING_EXAMPLE.question)
  })
})
