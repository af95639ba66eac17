/** Tasks read from small files of exactly the kinds that were published; the texts are made here. */
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { dirname, join } from "node:path"
import { DuckDBInstance } from "@duckdb/node-api"
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest"
import { readTask } from "../../../../src/train/tuning/tasks.js"

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "published-"))
})
afterAll(() => rm(folder, { recursive: true }))

async function write(path: string, text: string): Promise<void> {
  const file = join(folder, path)
  await mkdir(dirname(file), { recursive: true })
  await writeFile(file, text)
}

/** A Parquet file of what a query gives. */
async function writeParquet(path: string, query: string): Promise<void> {
  const file = join(folder, path)
  await mkdir(dirname(file), { recursive: true })
  const instance = await DuckDBInstance.create(":memory:")
  const connection = await instance.connect()
  await connection.run(`copy (${query}) to '${file}' (format parquet)`)
  connection.closeSync()
  instance.closeSync()
}

const jsonLines = (rows: readonly object[]) => rows.map((row) => `${JSON.stringify(row)}\n`).join("")
const examplesOf = (task: Awaited<ReturnType<typeof readTask>>) =>
  task.train.kind === "causal" ? [] : task.train.examples

describe("GLUE", () => {
  const part = (sentence: string, label: number) =>
    `select '${sentence}' as sentence, ${label}::bigint as label, 0::int as idx`

  test("the hub's Parquet, in parts that follow each other", async () => {
    await writeParquet("glue/sst2/train-00000-of-00002.parquet", part("one", 0))
    await writeParquet("glue/sst2/train-00001-of-00002.parquet", part("two", 1))
    const judged = `${part("hide new secretions ", 0)} union all ${part('a "funny" film', 1)}`
    await writeParquet("glue/sst2/validation-00000-of-00001.parquet", judged)
    const task = await readTask({ kind: "glue", name: "sst2", data: "glue" }, folder)
    expect(examplesOf(task)).toEqual([
      { text: "one", label: 0 },
      { text: "two", label: 1 },
    ])
    expect(task.evaluation).toEqual({
      kind: "classes",
      examples: [
        { text: "hide new secretions ", label: 0 },
        { text: 'a "funny" film', label: 1 },
      ],
    })
    expect([task.name, task.metric]).toEqual(["glue sst2", "accuracy"])
  })

  test("MNLI's tab-separated files: quotes are characters, classes are names, the matched split is judged", async () => {
    const header = (labels: string) =>
      `index\tpromptID\tpairID\tgenre\tsentence1_binary_parse\tsentence2_binary_parse\tsentence1_parse\tsentence2_parse\tsentence1\tsentence2\t${labels}gold_label\n`
    const row = (premise: string, label: string, more = "") =>
      `0\t31193\t31193n\tgovernment\t( a )\t( b )\t(ROOT a)\t(ROOT b)\t${premise}\tIt is so.\t${more}${label}\t${label}\n`
    await write("MNLI/train.tsv", header("label1\t") + row('He said "no', "neutral") + row("Yes.", "entailment"))
    await write("MNLI/dev_matched.tsv", header("label1\tlabel2\t") + row("Never.", "contradiction", "neutral\t"))
    await write("MNLI/dev_mismatched.tsv", header("label1\tlabel2\t") + row("Ever.", "neutral", "neutral\t"))
    const task = await readTask({ kind: "glue", name: "mnli", data: "." }, folder)
    expect(examplesOf(task)).toEqual([
      { text: 'He said "no', pair: "It is so.", label: 1 },
      { text: "Yes.", pair: "It is so.", label: 0 },
    ])
    expect(task.evaluation).toMatchObject({ examples: [{ text: "Never.", label: 2 }] })
    const other = await readTask(
      { kind: "glue", name: "mnli", data: "MNLI", evaluation: "validation_mismatched" },
      folder,
    )
    expect(other.evaluation).toMatchObject({ examples: [{ text: "Ever.", label: 1 }] })
  })

  test("CoLA's have no header, MRPC's begin with a byte order mark, QNLI's name their classes", async () => {
    await write("CoLA/train.tsv", "gj04\t1\t\tThey drank the pub dry.\ngj04\t0\t*\tThey drank the pub.\n")
    await write("CoLA/dev.tsv", 'bc01\t1\t\tThe more "we" study.\r\n')
    const cola = await readTask({ kind: "glue", name: "cola", data: "CoLA" }, folder)
    expect(examplesOf(cola)).toEqual([
      { text: "They drank the pub dry.", label: 1 },
      { text: "They drank the pub.", label: 0 },
    ])
    expect([cola.metric, cola.evaluation]).toEqual([
      "matthews",
      { kind: "classes", examples: [{ text: 'The more "we" study.', label: 1 }] },
    ])
    const header = "\uFEFFQuality\t#1 ID\t#2 ID\t#1 String\t#2 String\n"
    await write(
      "MRPC/msr_paraphrase_train.txt",
      `${header}1\t702876\t702977\tAmrozi accused "the witness\tReferring to him\n`,
    )
    await write("MRPC/dev.tsv", `${header}0\t1\t2\tone\ttwo\n`)
    const mrpc = await readTask({ kind: "glue", name: "mrpc", data: "MRPC" }, folder)
    expect(examplesOf(mrpc)).toEqual([{ text: 'Amrozi accused "the witness', pair: "Referring to him", label: 1 }])
    expect(mrpc.metric).toBe("f1")
    await write("QNLI/train.tsv", "index\tquestion\tsentence\tlabel\n0\tWhen?\tThen.\tentailment\n")
    await write("QNLI/dev.tsv", "index\tquestion\tsentence\tlabel\n0\tWhere?\tThen.\tnot_entailment\n")
    const qnli = await readTask({ kind: "glue", name: "qnli", data: "QNLI" }, folder)
    expect([examplesOf(qnli)[0], qnli.evaluation]).toMatchObject([{ label: 0 }, { examples: [{ label: 1 }] }])
  })

  test("JSON lines, the first ones alone where it says so", async () => {
    const rows = [
      { sentence1: "a", sentence2: "b", label: 1, idx: 0 },
      { sentence1: "c", sentence2: "d", label: 0, idx: 1 },
    ]
    await write("rte/train.jsonl", jsonLines(rows))
    await write("rte/validation.jsonl", jsonLines(rows))
    const task = await readTask({ kind: "glue", name: "rte", data: "rte", mostTrain: 1 }, folder)
    expect(examplesOf(task)).toEqual([{ text: "a", pair: "b", label: 1 }])
    expect(task.evaluation).toMatchObject({ examples: [{ label: 1 }, { label: 0 }] })
  })
})

describe("WikiText", () => {
  test("the archive's text and the hub's Parquet give the same text", async () => {
    const text = " \n = Robert Boulter = \n \n Robert is an actor . He had a role .\n"
    for (const split of ["train", "valid", "test"]) await write(`wikitext-2-raw/wiki.${split}.raw`, text)
    const lines = "(''), (' = Robert Boulter = \n'), (''), (' Robert is an actor . He had a role .\n')"
    for (const split of ["train", "validation", "test"])
      await writeParquet(
        `hub/wikitext-2-raw-v1/${split}-00000-of-00001.parquet`,
        `select * from (values ${lines}) t(text)`,
      )
    const task = await readTask({ kind: "wikitext", data: ".", window: 8, stride: 4 }, folder)
    expect(task).toEqual({
      name: "wikitext-2-raw-v1",
      train: { kind: "causal", texts: [text] },
      evaluation: { kind: "perplexity", texts: [text], length: 8, stride: 4 },
      metric: "perplexity",
    })
    expect(await readTask({ kind: "wikitext", data: "hub", window: 8, stride: 4 }, folder)).toEqual(task)
  })
})

describe("GSM8K", () => {
  const rows = [
    { question: "Natalia sold 48 clips. How many?", answer: "She sold 48/2 = <<48/2=24>>24 clips.\n#### 24" },
    { question: "How much?", answer: "It is 1,250.\n#### 1,250" },
  ]
  test("JSON lines and Parquet: what is asked, what is to be said, and the number at its end", async () => {
    for (const split of ["train", "test"]) {
      await write(`gsm8k-lines/${split}.jsonl`, jsonLines(rows))
      const values = rows.map(({ question, answer }) => `('${question}', '${answer}')`).join()
      await writeParquet(
        `gsm8k/main/${split}-00000-of-00001.parquet`,
        `select * from (values ${values}) t(question, answer)`,
      )
    }
    const task = await readTask({ kind: "gsm8k", data: "gsm8k" }, folder)
    expect(await readTask({ kind: "gsm8k", data: "gsm8k-lines" }, folder)).toEqual(task)
    expect(examplesOf(task)[0]).toEqual({
      prompt: "Question: Natalia sold 48 clips. How many?\nAnswer:",
      completion: " She sold 48/2 = <<48/2=24>>24 clips.\n#### 24",
    })
    expect(task.evaluation).toEqual({
      kind: "answers",
      compare: "number",
      most: 256,
      questions: [
        { prompt: "Question: Natalia sold 48 clips. How many?\nAnswer:", answer: "24" },
        { prompt: "Question: How much?\nAnswer:", answer: "1250" },
      ],
    })
  })
})

describe("instructions, with MMLU", () => {
  beforeAll(async () => {
    for (const [split, rows] of [
      ["dev", 'Two and two?,3,4,5,6,B\n"Which, of these?","1, 2",b,c,d,A\n'],
      ["test", '"Find x,\nthen y.",0,1,2,3,D\n'],
    ])
      await write(`mmlu/${split}/abstract_algebra_${split}.csv`, rows!)
    await write("mmlu/test/anatomy_test.csv", "Where?,a,b,c,d,A\n")
    await write("mmlu/dev/anatomy_dev.csv", "Here?,a,b,c,d,C\n")
  })
  const flan = { inputs: "Say hi.", targets: "hi", task: "greet" }

  test("Flan's lines; the archive's CSVs without a header, a question over two lines, solved ones in front", async () => {
    await write("flan_v2.jsonl", jsonLines([flan]))
    const subjects = ["abstract_algebra"]
    const task = await readTask(
      { kind: "instruction", data: "flan_v2.jsonl", mmlu: "mmlu", shots: 1, subjects },
      folder,
    )
    expect(task.train).toEqual({
      kind: "completion",
      examples: [{ prompt: "<|user|>\nSay hi.\n<|assistant|>\n", completion: "hi" }],
    })
    expect(task.evaluation).toEqual({
      kind: "options",
      questions: [
        {
          prompt:
            "The following are multiple choice questions (with answers) about abstract algebra.\n\n" +
            "Two and two?\nA. 3\nB. 4\nC. 5\nD. 6\nAnswer: B\n\nFind x,\nthen y.\nA. 0\nB. 1\nC. 2\nD. 3\nAnswer:",
          options: [" A", " B", " C", " D"],
          answer: 3,
        },
      ],
    })
  })

  test("Alpaca's list, Tülu's messages; the hub's Parquet of MMLU, subjects in turn", async () => {
    await write(
      "alpaca.json",
      JSON.stringify([
        { instruction: "Add.", input: "1 and 2", output: "3" },
        { instruction: "Sing.", input: "", output: "la" },
      ]),
    )
    const question = (subject: string, text: string) => `('${text}', '${subject}', ['w', 'x', 'y', 'z'], 2)`
    const values = [question("anatomy", "p?"), question("anatomy", "q?"), question("virology", "r?")].join()
    await writeParquet(
      "cais/all/test-00000-of-00001.parquet",
      `select * from (values ${values}) t(question, subject, choices, answer)`,
    )
    const task = await readTask(
      { kind: "instruction", data: "alpaca.json", mmlu: "cais", shots: 0, mostTest: 2 },
      folder,
    )
    const [added, sung] = examplesOf(task) as { prompt: string; completion: string }[]
    expect(added).toEqual({
      prompt:
        "Below is an instruction that describes a task, paired with an input that provides further context. Write a response that appropriately completes the request.\n\n### Instruction:\nAdd.\n\n### Input:\n1 and 2\n\n### Response:",
      completion: "3",
    })
    expect(sung!.prompt).toBe(
      "Below is an instruction that describes a task. Write a response that appropriately completes the request.\n\n### Instruction:\nSing.\n\n### Response:",
    )
    const { questions } = task.evaluation as Extract<typeof task.evaluation, { kind: "options" }>
    expect(questions.map(({ prompt, answer }) => [/\n(.\?)\n/.exec(prompt)![1], answer])).toEqual([
      ["p?", 2],
      ["r?", 2],
    ])
    const messages = [
      { role: "user", content: "Hi" },
      { role: "assistant", content: "Hello" },
      { role: "user", content: "Bye" },
      { role: "assistant", content: "See you" },
    ]
    await write("tulu/train.jsonl", jsonLines([{ dataset: "flan_v2", id: "0", messages }]))
    const tulu = await readTask({ kind: "instruction", data: "tulu", mmlu: "cais", shots: 0 }, folder)
    expect(examplesOf(tulu)).toEqual([
      { prompt: "<|user|>\nHi\n<|assistant|>\nHello\n<|user|>\nBye\n<|assistant|>\n", completion: "See you" },
    ])
  })
})

describe("refused, with file, row and field", () => {
  const line = (more: object) =>
    jsonLines([
      { sentence: "a", label: 0 },
      { sentence: "b", label: 1, ...more },
    ])
  test.each<[string, string, string, object, RegExp]>([
    [
      "a hidden label",
      "bad/train.jsonl",
      line({ label: -1 }),
      {},
      /bad\/train\.jsonl, line 2, field label: got -?"?-1.*test split.*another split/,
    ],
    [
      "a label beyond the classes",
      "bad/train.jsonl",
      line({ label: 2 }),
      {},
      /line 2, field label: got "?2"?; allowed: 0 or negative, 1 or positive/,
    ],
    ["a missing text", "bad/train.jsonl", line({ sentence: null }), {}, /line 2, field sentence: got "nothing"/],
    [
      "a number for a text",
      "bad/train.jsonl",
      line({ sentence: 7 }),
      {},
      /line 2, field sentence: got "7"; allowed: a text/,
    ],
    [
      "a line that is no JSON",
      "bad/train.jsonl",
      `${line({})}{"sentence": `,
      {},
      /bad\/train\.jsonl, line 3: .*allowed: JSON/,
    ],
    [
      "a tab too many",
      "bad/train.tsv",
      "sentence\tlabel\na\t0\nb\tc\t1\n",
      {},
      /bad\/train\.tsv, line 3: got "3 values"; allowed: 2 values: sentence, label/,
    ],
    ["another encoding", "bad/train.tsv", "", { latin: true }, /bad\/train\.tsv: .*UTF-8/],
    ["no row", "bad/train.tsv", "sentence\tlabel\n", {}, /bad\/train\.tsv: got "no row"/],
  ])("%s", async (_, path, text, { latin }: { latin?: boolean }, message) => {
    await rm(join(folder, "bad"), { recursive: true, force: true })
    await write("bad/validation.jsonl", line({}))
    await write(path, text)
    if (latin === true) await writeFile(join(folder, path), Buffer.from("sentence\tlabel\ncaf\xe9\t1\n", "latin1"))
    await expect(readTask({ kind: "glue", name: "sst2", data: "bad" }, folder)).rejects.toThrow(message)
  })

  test("a split whose labels are not published, a part that is missing, an answer without its number, messages out of turn", async () => {
    await expect(readTask({ kind: "glue", name: "sst2", data: ".", evaluation: "test" }, folder)).rejects.toThrow(
      /^task\.evaluation: got "test"; allowed: validation: the labels of GLUE's test splits are not published/,
    )
    await writeParquet("parts/train-00001-of-00002.parquet", "select 'a' as sentence, 0 as label")
    await expect(readTask({ kind: "glue", name: "sst2", data: "parts" }, folder)).rejects.toThrow(
      /^task\.data: got "train-00001-of-00002\.parquet"; allowed: all 2 parts/,
    )
    for (const split of ["train", "test"])
      await write(`numberless/${split}.jsonl`, jsonLines([{ question: "?", answer: "24" }]))
    await expect(readTask({ kind: "gsm8k", data: "numberless" }, folder)).rejects.toThrow(
      /train\.jsonl, line 1, field answer: got "24"; allowed: a text that ends with a line ####/,
    )
    await write(
      "turns.jsonl",
      jsonLines([
        {
          messages: [
            { role: "assistant", content: "x" },
            { role: "user", content: "y" },
          ],
        },
      ]),
    )
    await expect(readTask({ kind: "instruction", data: "turns.jsonl", mmlu: "mmlu" }, folder)).rejects.toThrow(
      /turns\.jsonl, line 1, field messages: .*the last one the assistant's/,
    )
    await expect(readTask({ kind: "gsm8k", data: "numberless/train.jsonl" }, folder)).rejects.toThrow(
      /^task\.data: got "numberless\/train\.jsonl"; allowed: a folder with a file for each split/,
    )
    await expect(readTask({ kind: "glue", name: "sst2", data: "numberless" }, folder)).rejects.toThrow(
      /line 1, field sentence: got "nothing"; allowed: a value; the row has question, answer/,
    )
  })
})

describe("a name on the hub", () => {
  const before = process.env.HF_HOME
  beforeEach(() => {
    process.env.HF_HOME = join(folder, "hf")
  })
  afterEach(() => {
    if (before === undefined) delete process.env.HF_HOME
    else process.env.HF_HOME = before
  })

  test("is looked up in its cache, at main; elsewhere the line that fetches it is told", async () => {
    const rows = jsonLines([{ question: "?", answer: "#### 1" }])
    const own = "hf/hub/datasets--openai--gsm8k"
    for (const split of ["train", "test"]) await write(`${own}/snapshots/abc/${split}.jsonl`, rows)
    await write(`${own}/snapshots/old/train.jsonl`, "{")
    await write(`${own}/refs/main`, "abc\n")
    const task = await readTask({ kind: "gsm8k", data: "openai/gsm8k" }, folder)
    expect(examplesOf(task)).toHaveLength(1)
    await expect(readTask({ kind: "gsm8k", data: "openai/gsm9k" }, folder)).rejects.toThrow(
      /^task\.data: got "openai\/gsm9k"; .* for example lora-scaling fetch openai\/gsm9k --dataset$/,
    )
    await expect(readTask({ kind: "gsm8k", data: "no/such/folder" }, folder)).rejects.toThrow(
      /^task\.data: got "no\/such\/folder"; allowed: a path that exists, or the name of a dataset/,
    )
  })
})
