import { mkdtemp, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterAll, beforeAll, describe, expect, test } from "vitest"
import type { TableOptions } from "../../../src/cli/tableOptions.js"
import { fittedText } from "../fitted.js"
import { csv } from "../made.js"
import { cells, HEADER, log, logOf, rows, runs, text } from "./sweep.js"

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "refused-"))
})
afterAll(() => rm(folder, { recursive: true }))

describe("refused, with the place and what to do", () => {
  test.each<[string, () => string, RegExp, Partial<TableOptions>?]>([
    [
      "widths with units",
      () =>
        csv(
          HEADER,
          rows(({ width, lr, loss }) => [`${width / 1024}k`, lr, loss]),
        ),
      /line 2, column width: got "0.25k"/,
    ],
    [
      "a rate as a power",
      () =>
        csv(
          HEADER,
          rows(({ width, lr, loss }) => [width, `10^${Math.log10(lr)}`, loss]),
        ),
      /line 2, column lr: got "10\^-5"/,
    ],
    [
      "a loss with a unit",
      () =>
        csv(
          HEADER,
          rows(({ width, lr, loss }) => [width, lr, `${loss} nats`]),
        ),
      /line 2, column loss: got .* nats"/,
    ],
    [
      "per cent in some cells alone",
      () =>
        csv(
          ["width", "lr", "acc"],
          rows(({ width, lr, loss }, i) => [width, lr, i % 2 ? `${75 - loss}%` : 0.75]),
        ),
      /column acc.*%/,
      { loss: "acc", goal: "max" },
    ],
    ["a title above the header", () => `Results of the sweep,,\n,,\n${csv(HEADER, cells(runs))}`, /header/],
    [
      "two header lines of a pivot",
      () => `,loss,loss,loss\nwidth,256,512,1024\nlr,,,\n1e-3,1,2,3\n`,
      /"loss".*names that differ/,
    ],
    ["a frame of values without names", () => JSON.stringify(cells(runs)), /--width: got "width"/],
    [
      "tags that would be pooled",
      () =>
        csv(
          ["run", "tag", "step", "value", "width", "lr"],
          log((run, step, i) =>
            ["train/loss", "eval/loss"].map((tag) => [`run_${i}`, tag, step, logOf(run, step), run.width, run.lr]),
          ).flat(),
        ),
      /tag.*--by/,
      { loss: "value" },
    ],
    [
      "a LaTeX table",
      () =>
        `\\begin{tabular}{lll}\nwidth & lr & loss \\\\\n${rows(({ width, lr, loss }) => `${width} & ${lr} & ${text(loss)} \\\\`).join("\n")}\n\\end{tabular}\n`,
      /a table with a header|--width/,
    ],
    ["a mean below the rows", () => `${csv(HEADER, cells(runs))}mean,,1.1\n`, /line 50, column lr: got ""/],
    [
      "a rate that is its logarithm",
      () =>
        csv(
          HEADER,
          rows(({ width, lr, loss }) => [width, Math.log10(lr), loss]),
        ),
      /line 2, column lr: got "-5".*logarithm/,
    ],
    [
      "W&B: a chart's export, a column a run",
      () => csv(["Step", "run-1 - train/loss", "run-2 - train/loss"], [[1, 2, 3]]),
      /--width: got "width"/,
    ],
  ])("%s", async (_name, content, says, options = {}) => {
    await expect(fittedText(folder, content(), options)).rejects.toThrow(says)
  })
})
