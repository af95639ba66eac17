/** The paper's experiments (examples/paper) on tiny models of their kinds and five samples of their data, to the metric. */
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { dirname, join } from "node:path"
import { fileURLToPath } from "node:url"
import { afterAll, beforeAll, describe, expect, test } from "vitest"
import { parse, stringify } from "yaml"
import type { FineTuneSweep } from "../../src/sweep/fineTuneConfig.js"
import { plan, runPlan } from "../../src/sweep/plan.js"
import { readConfig } from "../../src/sweep/readConfig.js"
import { openStore } from "../../src/sweep/store.js"
import { cardPlans } from "../../src/sweep/tuningPlan.js"
import { createPool } from "../../src/train/pool.js"
import type { TuningResult } from "../../src/train/tuning/run.js"
import { SMALL_TOKENIZER, WORDS, writeRandomModel } from "../checkpoint/randomModel.js"
import { lora } from "../cli/lora.js"
import { pythonWithTorch } from "../python/venv.js"
import { engineForTests } from "../train/graph/engine.js"

const examples = fileURLToPath(new URL("../../examples/paper/", import.meta.url))
const files = (await readdir(examples)).filter((name) => name.endsWith(".yaml")).sort()
const [python, graph] = [await pythonWithTorch(), await engineForTests()]

const lines = (rows: readonly object[]) => rows.map((row) => `${JSON.stringify(row)}\n`).join("")
const five = <T>(of: (i: number) => T) => Array.from({ length: 5 }, (_, i) => of(i))
const film = (i: number) => `a ${["bad", "dull", "fine", "good", "very good"][i]} film!`

/** Five samples of each task's data as the hub or the archives have them: the folder's files, and fields of the task. */
const DATA: Readonly<Record<string, { readonly files: Readonly<Record<string, string>>; readonly task: object }>> = {
  "glue mnli": pairs("mnli", { premise: "premise", hypothesis: "hypothesis" }, 3, "validation_matched"),
  "glue qnli": pairs("qnli", { premise: "question", hypothesis: "sentence" }, 2, "validation"),
  "glue sst2": {
    files: bothSplits(
      "glue/sst2/train.tsv",
      "glue/sst2/dev.tsv",
      ["sentence\tlabel", ...five((i) => `${film(i)}\t${i % 2}`)].join("\n"),
    ),
    task: { data: "glue" },
  },
  wikitext: {
    files: bothSplits(
      "wikitext-2-raw/wiki.train.raw",
      "wikitext-2-raw/wiki.test.raw",
      ` \n = A film = \n \n ${five(film).join(" and ").repeat(4)}\n`,
    ),
    task: { data: ".", window: 16, stride: 8 },
  },
  gsm8k: {
    files: bothSplits(
      "gsm8k/train.jsonl",
      "gsm8k/test.jsonl",
      lines(five((i) => ({ question: `${film(i)} How many?`, answer: `a film and ${i}.\n#### ${i}` }))),
    ),
    task: { data: "gsm8k", mostTokens: 4 },
  },
  instruction: {
    files: {
      "flan.jsonl": lines(five((i) => ({ inputs: `Say: ${film(i)}`, targets: film(i), task: "say" }))),
      "mmlu/dev/film_dev.csv": five((i) => `"${film(i)}",a,bad,good,film,${"ABCDA"[i]}\n`).join(""),
      "mmlu/test/film_test.csv": five((i) => `"${film(i)}",very,bad,good,film,${"DCBAD"[i]}\n`).join(""),
    },
    task: { data: "flan.jsonl", mmlu: "mmlu" },
  },
}

function bothSplits(train: string, judged: string, text: string): Record<string, string> {
  return { [train]: text, [judged]: text }
}

function pairs(name: string, { premise, hypothesis }: Record<string, string>, classes: number, judged: string) {
  const rows = lines(five((i) => ({ [premise!]: film(i), [hypothesis!]: film(4 - i), label: i % classes, idx: i })))
  return { files: bothSplits(`glue/${name}/train.jsonl`, `glue/${name}/${judged}.jsonl`, rows), task: { data: "glue" } }
}

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "paper-"))
  for (const { files } of Object.values(DATA))
    for (const [name, text] of Object.entries(files)) {
      await mkdir(dirname(join(folder, name)), { recursive: true })
      await writeFile(join(folder, name), text)
    }
  if (python !== null) process.env.LORA_SCALING_PYTHON = python
})
afterAll(() => rm(folder, { recursive: true }))

/** The example on what is here, as short as it can be. */
async function small(name: string, engine: object): Promise<FineTuneSweep> {
  const whole = parse(await readFile(join(examples, name), "utf8"))
  const { config } = whole.expected.models[0]
  const sizes = { hidden_size: 16, num_hidden_layers: 2, num_attention_heads: 4, intermediate_size: 24 }
  const tables = { vocab_size: WORDS.length, max_position_embeddings: 64, type_vocab_size: 2 }
  const groups = "num_key_value_heads" in config ? { num_key_value_heads: 2 } : {}
  const model = join(folder, `models/${name}`)
  await mkdir(model, { recursive: true })
  await writeRandomModel(model, { ...config, ...sizes, ...tables, ...groups }, WORDS.length)
  await writeFile(join(model, "tokenizer.json"), JSON.stringify(SMALL_TOKENIZER))
  const { kind, name: which } = whole.task
  const task = { ...whole.task, ...DATA[kind === "glue" ? `glue ${which}` : kind]!.task }
  const short = { rates: [1e-3], seeds: 1, length: 48, record: [1] }
  const path = join(folder, name)
  await writeFile(path, stringify({ ...whole, checkpoints: [model], task, ...short, ...engine }))
  return (await readConfig(path)) as FineTuneSweep
}

const ENGINES: readonly [string, boolean, object][] = [
  ["graph", graph !== null, { engine: "graph", precision: "float32", torch: undefined }],
  ["torch, in the file's own precision", python !== null, {}],
]

describe("a plan without the files", () => {
  test.each(files)("%s: memory and time of its runs on each card, by what it expects", async (name) => {
    const told: string[] = []
    const config = (await readConfig(join(examples, name), { expect: (why) => told.push(why) })) as FineTuneSweep
    expect(told).toHaveLength(1)
    const { first } = plan(config)
    const { rates, seeds } = config as { rates: { from: number; to: number; perDecade: number }; seeds: number }
    const grid = 1 + Math.round(Math.log10(rates.to / rates.from) * rates.perDecade)
    expect(first).toHaveLength(2 * grid * seeds)
    const plans = cardPlans(config, first)
    expect(plans.map(({ card }) => card)).toEqual(["A10, 24 GB", "A100, 80 GB", "H100, 80 GB"])
    for (const { fits, training, judging, runs, steps } of plans) {
      // As in the paper, a card of 24 GB is enough.
      expect([fits, runs]).toEqual([true, first.length])
      expect(steps).toBe(Math.ceil((config.epochs! * config.expected!.sequences) / (config.batch * config.accumulate)))
      expect([training, judging].every((seconds) => seconds > 0 && Number.isFinite(seconds))).toBe(true)
    }
  })

  test("as typed; the sweep itself is refused by the file that is missing; a model for each checkpoint", async () => {
    const words = ["sweep", join(examples, "llama-gsm8k.yaml"), "--store", "gsm8k.duckdb"]
    const { code, out, err } = await lora(folder, ...words, "--plan")
    expect(code, err).toBe(0)
    expect(err).toMatch(/^reckoned with what the file expects of its files: task\.data: got "openai\/gsm8k"/)
    expect(err).toContain("runs: 20, 0 finished already; 20 to do\nwork: about ")
    expect(out).toMatch(/huggyllama\/llama-7b +A10, 24 GB +\d+\.\d GB +468 steps in \d+(\.\d)? (min|h) /)
    const run = await lora(folder, ...words)
    expect([run.code, run.out]).toEqual([2, ""])
    expect(run.err).toContain("lora-scaling fetch openai/gsm8k --dataset")
    const { expected, ...rest } = parse(await readFile(join(examples, "llama-gsm8k.yaml"), "utf8"))
    const two = { ...rest, expected: { ...expected, models: [...expected.models, ...expected.models] } }
    await writeFile(join(folder, "two.yaml"), stringify(two))
    await expect(readConfig(join(folder, "two.yaml"), { expect: () => {} })).rejects.toThrow(
      /two\.yaml:\d+: expected\.models: got 2; allowed: a model for each of the 1 checkpoints/,
    )
  })
})

describe.each(ENGINES)("by the engine %s", (_, isHere, engine) => {
  test.skipIf(!isHere).each(files)("%s runs to its metric", async (name) => {
    const config = await small(name, engine)
    const store = await openStore(":memory:", {})
    const runs = await runPlan(plan(config), { pool: createPool(0), store })
    const results = [...(await store.results(runs.map(({ id }) => id))).values()] as TuningResult[]
    await store.close()
    expect(runs.map(({ config }) => config.scheme).sort()).toEqual(["init-a", "init-b"])
    for (const { outcome, metric, losses, sites } of results) {
      expect(outcome).toEqual({ kind: "finished" })
      expect(losses.every(Number.isFinite)).toBe(true)
      if (config.task.kind === "wikitext") expect(metric).toBeGreaterThan(1)
      else expect([0, 1, 2, 3, 4, 5].map((right) => right / 5)).toContain(metric)
      expect(sites.length).toBeGreaterThan(0)
    }
  })
})
