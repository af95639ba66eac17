/**
 * Tables of the kinds that people have, made with the exponent -1/2: read and answered right, or refused with the
 * place.
 */
import { mkdtemp, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterAll, beforeAll, describe, expect, test } from "vitest"
import type { TableOptions } from "../../src/cli/tableOptions.js"
import { regimeOf } from "../../src/fit/regime.js"
import { gaussians } from "../../src/train/random.js"
import { fittedText } from "./fitted.js"
import { bestRate, csv, type MadeRun, madeRuns, WIDTHS } from "./made.js"

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "kinds-"))
})
afterAll(() => rm(folder, { recursive: true }))

const fitted = (content: string, options: Partial<TableOptions> = {}) => fittedText(folder, content, options)

const HEADER = ["width", "lr", "loss"]
const rows = (runs: readonly MadeRun[] = madeRuns()) => runs.map(({ width, lr, loss }) => [width, lr, loss])
const clean = csv(HEADER, rows())
const seeded = madeRuns({ seeds: 3, noise: 2e-3 })
const withSeeds = (seedOf: (run: MadeRun, index: number) => string | number) =>
  csv(
    [...HEADER, "seed"],
    seeded.map((run, i) => [run.width, run.lr, run.loss, seedOf(run, i)]),
  )
/** Four values a run, the last of them its loss; those that diverge stop after two, still finite. */
const logged = madeRuns().flatMap((run) =>
  [100, 200, 400, 800]
    .filter((step) => !Number.isNaN(run.loss) || step < 400)
    .map((step) => ({ ...run, step, loss: Number.isNaN(run.loss) ? 3 : run.loss + (800 - step) / 400 })),
)
const failedAs = (word: string) => csv(HEADER, rows(), { word })
/** W&B's export: a row a run, its state, and no loss for those that crashed. */
const exported = csv(
  ["Name", "State", "Runtime", "hidden_size", "learning_rate", "_step", "eval/loss"],
  madeRuns().map(({ width, lr, loss }, i) => {
    const crashed = Number.isNaN(loss)
    return [`run-${i}`, crashed ? "crashed" : "finished", 1000 + i, width, lr, crashed ? 700 : 2000, loss]
  }),
  { word: "" },
)
const WANDB = { width: "hidden_size", rate: "learning_rate", loss: "eval/loss" }
const trials = csv(
  ["number", "value", "params_lr", "params_width", "state"],
  madeRuns().map(({ width, lr, loss }, i) => {
    // A pruned trial's value is that of its last step.
    const pruned = lr < 2e-5
    return [i, pruned ? 2 + i / 100 : loss, lr, width, pruned ? "PRUNED" : Number.isNaN(loss) ? "FAIL" : "COMPLETE"]
  }),
  { word: "" },
)
const wide = (head: (width: number) => string) => {
  const byRate = new Map<number, number[]>()
  for (const { lr, loss } of madeRuns()) byRate.set(lr, [...(byRate.get(lr) ?? []), loss])
  return csv(
    ["lr", ...WIDTHS.map(head)],
    [...byRate].map(([lr, losses]) => [lr, ...losses]),
  )
}

describe("the interval holds -1/2 and is at most twice that of the clean table", () => {
  const kinds: [string, string, Partial<TableOptions>, RegExp?][] = [
    ["seeds in every width", withSeeds(({ seed }) => seed), {}],
    ["seeds with names", withSeeds(({ seed }) => `s${seed}`), {}],
    ["seeds nested in widths", withSeeds(({ width, seed }) => width * 10 + seed), {}],
    ["a seed for each run", withSeeds((_, i) => 1000 + 37 * i), {}],
    [
      "seeds missing at some widths",
      csv(
        [...HEADER, "seed"],
        seeded
          .filter(({ width, seed }) => seed < 3 || width < 1024)
          .map((run) => [run.width, run.lr, run.loss, run.seed]),
      ),
      {},
    ],
    [
      "rates off in the last digit, as exp(log x) and as float32",
      csv(
        [...HEADER, "seed"],
        seeded.map(({ width, lr, loss, seed }) => [
          width,
          [lr, Math.exp(Math.log(lr)), Math.fround(lr)][seed - 1]!,
          loss,
          1,
        ]),
      ),
      {},
      /count as the same/,
    ],
    [
      "widths as 1024 and 1024.0",
      csv(
        HEADER,
        madeRuns().map(({ width, lr, loss }, i) => [i % 2 ? `${width}.0` : width, lr, loss]),
      ),
      {},
    ],
    ["a base model at rate 0", `${clean}256,0,2.5\n512,0,2.5\n`, {}, /2 rows with rate 0.*line 50/],
    ...["nan", "inf", "-inf", "Infinity", "diverged", "1.0E+30", "1.#QNAN"].map(
      (word): [string, string, object, RegExp] => [
        `${word} in place of a loss`,
        failedAs(word),
        {},
        /44 with a value, 4 diverged/,
      ],
    ),
    ...["OOM", "crashed", "FAIL", "PRUNED"].map((word): [string, string, object, RegExp] => [
      `${word} in place of a loss`,
      failedAs(word),
      {},
      /44 with a value, 4 unfinished/,
    ]),
    ...["", "NA", "N/A", "None", "null", "-"].map((word): [string, string, object, RegExp] => [
      `${JSON.stringify(word)} in place of a loss`,
      failedAs(word),
      {},
      /44 with a value, 4 missing/,
    ]),
    ["a word of one's own", failedAs("kaputt"), { diverged: ["kaputt"] }, /4 diverged \(kaputt\)/],
    ["an export with crashed runs", exported, WANDB, /4 unfinished \(crashed\); column State/],
    ["the same, crashed meaning diverged", exported, { ...WANDB, diverged: ["crashed"] }, /4 diverged \(crashed\)/],
    [
      "trials, failed and pruned",
      trials,
      { width: "params_width", rate: "params_lr", loss: "value" },
      /10 unfinished \(PRUNED, FAIL\)/,
    ],
    [
      "a log with several steps a run",
      csv(
        [...HEADER, "step"],
        logged.map(({ width, lr, loss, step }) => [width, lr, loss, step]),
      ),
      {},
      /column step.*4 unfinished \(stopped early\)/,
    ],
    [
      "the same with _step, newest first",
      csv([...HEADER, "_step"], logged.map(({ width, lr, loss, step }) => [width, lr, loss, step]).reverse()),
      {},
      /column _step/,
    ],
    ["a wide table", wide(String), { wide: "width" }, /6 columns/],
    ["a wide table with words", wide((n) => `w=${n}`), { wide: "width" }, /6 columns/],
    [
      "scores",
      csv(
        ["width", "lr", "eval_acc"],
        rows().map(([n, lr, loss]) => [n!, lr!, Number.isNaN(loss) ? 0 : 1 - loss! / 4]),
      ),
      { loss: "eval_acc", goal: "max" },
    ],
  ]
  test.each(kinds)("%s", async (_name, content, options, says) => {
    const reference = (await fitted(clean)).fits[0]!
    const { fits, read } = await fitted(content, options)
    const { low, high, identified } = fits[0]!
    expect(fits).toHaveLength(1)
    expect(identified).toBe(true)
    expect(low!).toBeLessThan(-0.5)
    expect(high!).toBeGreaterThan(-0.5)
    expect(high! - low!).toBeLessThan(2 * (reference.high! - reference.low!))
    if (says !== undefined) expect(read).toMatch(says)
  })
})

describe("refused, or told", () => {
  test("a score without its goal, a scheduled rate without runs, a pooled setting, a wide table without --wide", async () => {
    await expect(fitted(clean.replace("loss", "eval_acc"), { loss: "eval_acc" })).rejects.toThrow(/--goal max/)
    const scheduled = madeRuns().flatMap(({ width, lr }) =>
      [1, 2, 3, 4].map((step) => [width, lr * (1 - step / 10), 2 / step, step]),
    )
    await expect(fitted(csv([...HEADER, "step"], scheduled))).rejects.toThrow(/column lr.*--run/)
    const ranks = csv(
      [...HEADER, "rank"],
      rows().flatMap((row) => [8, 64].map((rank) => [...row, rank] as number[])),
    )
    await expect(fitted(ranks)).rejects.toThrow(/line 2 .*line 3.*rank 8 and 64.*--by/)
    expect((await fitted(ranks, { by: ["rank"] })).fits.map(({ group }) => group)).toEqual(["8", "64"])
    expect((await fitted(ranks, { pool: ["rank"] })).fits).toHaveLength(1)
    await expect(fitted(wide(String))).rejects.toThrow(/--wide width/)
  })

  test("a cell that is no number, no rate and no known word: file, line, column and text", async () => {
    for (const [wrong, message] of [
      ["256,1e-3,good", /line 50, column loss: got "good"/],
      ["256,fast,1.2", /line 50, column lr: got "fast"/],
      ["256,-1e-3,1.2", /line 50, column lr: got "-1e-3"/],
      ["wide,1e-3,1.2", /line 50, column width: got "wide"/],
      ["0,1e-3,1.2", /line 50, column width: got "0"/],
      ["256,,1.2", /line 50, column lr: got ""/],
    ] as const)
      await expect(fitted(`${clean}${wrong}\n`)).rejects.toThrow(message)
  })

  test("a rate that is scheduled counts at its peak where a column names the runs, said", async () => {
    const log = madeRuns().flatMap(({ width, lr, loss }, i) =>
      [1, 2, 3, 4].map((step) => [
        width,
        `run-${i}`,
        lr * [1, 2, 1, 0.1][step - 1]!,
        Number.isNaN(loss) ? loss : loss + 4 - step,
        step,
      ]),
    )
    const { curves, read } = await fitted(csv(["width", "run_name", "lr", "loss", "step"], log))
    expect(read).toMatch(/Column lr varies within 48 runs/)
    expect(curves.find(({ width }) => width === 1024)!.optimum.rate! / (2 * bestRate(1024))).toBeCloseTo(1, 0)
  })

  test("--at last, best and mean", async () => {
    const log = csv(
      [...HEADER, "step"],
      madeRuns()
        .filter(({ loss }) => loss > 0)
        .flatMap(({ width, lr, loss }) => [
          [width, lr, loss, 1],
          [width, lr, loss + 1, 2],
        ]),
    )
    const exponents = await Promise.all(
      ["best", "mean:2"].map(async (at) => (await fitted(log, { at })).fits[0]!.exponent),
    )
    expect(exponents[0]).toBeCloseTo((await fitted(clean)).fits[0]!.exponent!, 1)
    expect(exponents[1]).toBeCloseTo(exponents[0]!, 1)
  })

  test("every run of a width diverged: a bound on the edge, named; two columns of one setting: nothing merged", async () => {
    const { fits, curves } = await fitted(
      csv(
        HEADER,
        rows().map(([n, lr, loss]) => [n!, lr!, n === 8192 ? Number.NaN : loss!]),
      ),
    )
    expect(fits[0]!.flags.join()).toContain("every run diverged at 8192")
    expect(fits[0]!.low!).toBeLessThan(-0.5)
    expect(fits[0]!.high!).toBeGreaterThan(-0.5)
    expect(curves.at(-1)!.edge).toMatchObject({ rate: null, low: 0, high: 1e-5 })
  })

  test("a loss that falls to next to nothing: runs that hardly learned have not diverged, larger losses beyond have", async () => {
    const losses = (limit: number) =>
      csv(
        HEADER,
        rows().map(([n, lr, loss]) => [n!, lr!, Number.isNaN(loss) ? limit : loss! - 0.998]),
      )
    // 0.47 at the smallest rate of the least width, 0.002 at the best.
    const [before, exploded] = await Promise.all([fitted(clean), fitted(losses(1e4))])
    expect(exploded.read).toContain("44 with a value, 4 diverged (more than 100 times the least loss)")
    expect(exploded.fits[0]!.flags).toEqual(before.fits[0]!.flags)
    expect(exploded.fits[0]!.exponent).toBeCloseTo(before.fits[0]!.exponent!, 1)
  })

  test("losses that do not tell an exponent are no number to act on", async () => {
    const flat = csv(
      HEADER,
      madeRuns().map(({ width, lr }) => [width, lr, 2 - Math.log(lr) / 100]),
    )
    expect((await fitted(flat)).fits[0]!.identified).toBe(false)
  })
})

test("random rates with 1 % noise: the edge is not below the best rate, which is not beyond it", async () => {
  const [us, errors] = [gaussians(11, "rates", 120), gaussians(11, "errors", 120)]
  const random = WIDTHS.flatMap((width, w) =>
    Array.from({ length: 20 }, (_, i) => {
      const lr = 10 ** (-3.2 + 0.9 * us[20 * w + i]!)
      const x = Math.log(lr / bestRate(width))
      return [width, lr, x > 2.9 ? Number.NaN : 1 + 0.018 * x ** 2 + 0.01 * errors[20 * w + i]!]
    }),
  )
  const { fits, curves } = await fitted(csv(HEADER, random))
  expect(fits[0]!.low!).toBeLessThan(-0.5)
  expect(fits[0]!.high!).toBeGreaterThan(-0.5)
  for (const { width, optimum, edge } of curves) {
    expect(edge.high).toBeGreaterThan(optimum.rate ?? 0)
    expect(regimeOf(bestRate(width), edge)).not.toBe("beyond")
  }
})

test("ten times as many rows with rates of their own take less than thirty times as long: no work on all pairs", async () => {
  const errors = gaussians(5, "many", 100_000)
  const seconds = async (count: number) => {
    const many = Array.from({ length: count }, (_, i) => {
      const [width, lr] = [WIDTHS[i % 6]!, 1e-5 * 3000 ** (i / count)]
      return [width, lr, 1 + 0.018 * Math.log(lr / bestRate(width)) ** 2 + 0.01 * errors[i]!]
    })
    const content = csv(HEADER, many)
    const start = process.cpuUsage()
    const { fits } = await fitted(content)
    const { user, system } = process.cpuUsage(start)
    expect(fits[0]!.exponent).toBeCloseTo(-0.5, 1)
    return (user + system) / 1e6
  }
  const few = await seconds(10_000)
  expect(await seconds(100_000)).toBeLessThan(30 * few)
}, 60_000)
