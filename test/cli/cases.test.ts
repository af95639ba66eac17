/**
 * Made-up tables of the shapes in public issues (test/cases), each as its owner would give it to the program: right, or
 * refused with the place.
 */
import { copyFile, mkdtemp, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { afterAll, beforeAll, describe, expect, test } from "vitest"
import type { FitJson } from "../../src/report/fit.js"
import { lora } from "./lora.js"

const cases = fileURLToPath(new URL("../cases", import.meta.url))

async function answer(...words: string[]): Promise<{ code: number; out: string; err: string }> {
  const ended = await lora(cases, ...words)
  expect(ended.out + ended.err).not.toMatch(/\n\s+at |uncaught/i)
  return ended
}

async function fitted(...words: string[]): Promise<FitJson> {
  const { code, out, err } = await answer("fit", ...words, "--json")
  expect([code, err]).toEqual([0, ""])
  return JSON.parse(out)
}

const USUAL = ["--width", "width", "--rate", "lr", "--loss", "loss"]
const WANDB = ["--width", "hidden_size", "--rate", "learning_rate", "--loss", "eval/loss"]
const SEEDS = ["--width", "hidden_size", "--rate", "lr", "--loss", "eval_loss"]
const TRIALS = ["--width", "params_width", "--rate", "params_lr", "--loss", "value"]
const LORA = ["--width", "hidden_size", "--rate", "learning_rate", "--loss", "test_nll", "--by", "rank"]

/** Each with what is said of how it was read. */
const MADE: [string, readonly string[], RegExp?][] = [
  ["accuracy-not-loss/runs.csv", ["--width", "width", "--rate", "lr", "--loss", "eval_acc", "--goal", "max"]],
  ["all-diverged-at-one-width/runs.csv", USUAL, /diverged/],
  ["bom/runs.csv", USUAL],
  ["comment-lines/runs.csv", USUAL, /comment lines/],
  ["jsonl/runs.jsonl", USUAL],
  ["lr-zero-baseline/runs.csv", USUAL, /rows with rate 0/],
  ["markdown/table.md", USUAL],
  ["optuna-trials/trials.csv", TRIALS, /unfinished \(FAIL/],
  ["random-search-rates/runs.csv", USUAL],
  ["rates-exp-log/runs.csv", USUAL, /count as the same/],
  ["rates-with-float-noise/runs.csv", USUAL, /count as the same/],
  ["rates-with-float-noise/clean.csv", USUAL],
  ["seed-as-text/runs.csv", SEEDS],
  ["seed-crossed-ok/runs.csv", SEEDS],
  ["seed-extra-at-one-width/runs.csv", SEEDS],
  ["seed-per-run/runs.csv", SEEDS],
  ["semicolon-decimal-comma/runs.csv", USUAL],
  ["training-log-many-steps/log.csv", ["--width", "hidden_size", "--rate", "lr", "--loss", "loss"], /last step/],
  ["tsv/runs.tsv", USUAL],
  ["wandb-crashed-empty/wandb_export.csv", WANDB, /4 unfinished \(crashed\)/],
  ["wandb-finished-only/wandb_export.csv", WANDB],
  ["wide/runs.csv", [...USUAL, "--wide", "width"], /6 columns/],
  ["width-float-text/runs.csv", USUAL],
  ...["1.0E30", "Infinity", "NaN", "dashinf", "diverged", "inf"].map((word): [string, readonly string[], RegExp] => [
    `words/${word}.csv`,
    USUAL,
    /diverged/,
  ]),
  ...["NA", "None", "dash", "null"].map((word): [string, readonly string[], RegExp] => [
    `words/${word}.csv`,
    USUAL,
    /missing/,
  ]),
  ["words/OOM.csv", USUAL, /unfinished \(OOM\)/],
  ["reproduce-table/ok.csv", LORA],
  ["reproduce-table/crashed-empty.csv", LORA, /missing/],
  ["reproduce-table/no-org-in-name.csv", LORA],
]

describe("made with -1/2: the interval holds it and is at most twice the clean table's", () => {
  let most: number
  beforeAll(async () => {
    const { low, high } = (await fitted("bom/runs.csv", ...USUAL)).fits[0]!
    most = 2 * (high! - low!)
  })
  test.each(MADE)("%s", async (file, words, says) => {
    const { fits, read } = await fitted(file, ...words)
    for (const { low, high, identified } of fits) {
      expect(identified).toBe(true)
      expect(low!).toBeLessThan(-0.5)
      expect(high!).toBeGreaterThan(-0.5)
      expect(high! - low!).toBeLessThan(most)
    }
    if (says !== undefined) expect(read!.join(" ")).toMatch(says)
  })
})

describe("too small for an interval, or another question: no stack, the right words", () => {
  test.each([
    ["seed-as-text/min.csv"],
    ["seed-extra-at-one-width/min.csv"],
    ["seed-per-run/min.csv"],
    ["seed-per-run/min_with_nan.csv"],
    ["rates-with-float-noise/min.csv"],
    ["rates-with-float-noise/min_same_text.csv"],
  ])("%s", async (file) => {
    const { fits, curves } = await fitted(file, ...USUAL)
    expect(fits).toHaveLength(1)
    expect(curves!.length).toBe(new Set(curves!.map(({ width }) => width)).size)
  })

  test("a score is asked for its goal", async () => {
    const { code, err } = await answer("fit", "accuracy-not-loss/runs.csv", "--rate", "lr", "--loss", "eval_acc")
    expect([code, err]).toEqual([2, expect.stringContaining("--goal max")])
  })

  test("a scheduled rate counts at its peak; three rates a width tell no exponent", async () => {
    const { fits, read } = await fitted(
      "hf-trainer-log-scheduled-lr/log.csv",
      ...["--width", "hidden_size", "--rate", "learning_rate", "--loss", "loss"],
    )
    expect(read!.join(" ")).toContain("a schedule: each run counts at its largest rate")
    expect(fits[0]).toMatchObject({ exponent: null, identified: false })
    expect(fits[0]!.flags.join()).toContain("minimum at the edge of the grid")
  })

  test("transfer: the true best rate of a random search is not beyond the edge", async () => {
    const { code, out } = await answer(
      ...["transfer", "--lr", "1.45e-3", "--from-width", "1024", "--to-width", "4096", "--fit"],
      ...["random-search-rates/runs.csv", ...USUAL, "--json"],
    )
    expect(code).toBe(0)
    expect(JSON.parse(out).regime.kind).not.toBe("beyond")
  })

  test("a coordinate check as mup records it, and a printed one", async () => {
    const frame = await answer("check", "lora", "--measured", "coord-check-mup/coords.csv", "--json")
    expect(frame.code).toBe(0)
    const late = JSON.parse(frame.out).checks.filter(
      ({ quantity, step }: { quantity: string | null; step: number }) => quantity !== null && step > 2,
    )
    // By hand (docs/theory.md): zA grows as n^(1/2), zB stays, from the second update on. Three seeds a width do not
    // decide.
    expect(late.map(({ derived, verdict }: { derived: number[]; verdict: string }) => [...derived, verdict])).toEqual([
      [0.5, "consistent"],
      [0, "consistent"],
      [0.5, "consistent"],
      [0, "consistent"],
    ])
    const wide = await answer("check", "lora", "--measured", "coord-check-wide/coords.csv", "--wide", "width", "--json")
    expect(wide.code).toBe(0)
    // By hand: ln(0.098 / 0.15) / ln 4 and ln(0.132 / 0.131) / ln 4.
    expect(JSON.parse(wide.out).checks.map(({ exponent }: { exponent: number }) => exponent)).toEqual([
      expect.closeTo(-0.307, 2),
      expect.closeTo(0.005, 2),
    ])
  })
})

describe("schemes of one's own", () => {
  let folder: string
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "own-schemes-"))
  })
  afterAll(() => rm(folder, { recursive: true }))

  // Muon's three bounds are the README's.
  test.each<[string, string[]]>([
    [
      "variants",
      [
        "muon-raw | stable iff c <= 0 ",
        "muon-torch-original | stable iff c <= -1/4 ",
        "muon-match-rms | stable iff c <= -1/2 ",
        // By hand: B = c - 1/2 and Z_A = max(0, c + 1); and a quotient before Adam changes no exponent of Adam's.
        "lora-muon-mixed | stable iff c <= -1/4 ",
        "scaled-adamw | stable iff c <= -1/2 ",
        "dora | ERROR dora.",
        'vera | ERROR vera.rates: got "both factors frozen"',
      ],
    ],
    [
      "typos",
      [
        "sgd (optimizer) | stable c <= -1/2 ",
        'clipping: got "0", did you mean clip?',
        "weight_decay: got 0.1, did you mean weightDecay?",
      ],
    ],
  ])("%s", async (name, says) => {
    const file = join(folder, `${name}.ts`)
    await copyFile(join(cases, "own-schemes", `${name}.ts.txt`), file)
    const { code, out, err } = await lora(folder, "derive", file)
    for (const text of says) expect(out).toContain(text)
    // The file prints and exports no scheme, which is refused.
    expect([code, err]).toEqual([2, expect.stringContaining("exports a scheme's definition")])
  })
})
