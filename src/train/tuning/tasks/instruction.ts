/** Instruction data, trained on by what is to be said; judged on MMLU. */
import { z } from "zod"
import { documented } from "../../../checked.js"
import { InputError } from "../../../inputError.js"
import type { TaskReader } from "../task.js"
import type { Completion } from "../text.js"
import { Data, dataFolder, Most, rowsOf, trainFiles } from "./files.js"
import { mmluQuestions } from "./mmlu.js"
import type { Row } from "./rows.js"

const Fields = z.strictObject({
  kind: documented(z.literal("instruction"), "instruction", "instruction"),
  data: documented(
    z.string().min(1),
    "a file of instructions (Alpaca's JSON, Flan's or Tülu's JSON lines, Parquet), a folder with train, or a data set's name on the hub",
    "flan_v2.jsonl",
  ),
  mmlu: Data("cais/mmlu"),
  shots: documented(z.int().min(0).max(5), "solved questions before each one: an integer from 0 to 5", 5).default(5),
  subjects: documented(z.array(z.string().min(1)).min(1), "subjects with underscores; all if left out", [
    "abstract_algebra",
  ]).exactOptional(),
  mostTrain: Most("instructions that are trained on").exactOptional(),
  mostTest: Most("questions that are judged").exactOptional(),
})

/** Instruction data of four layouts, with MMLU by the likeliest option. */
export const instructionTask: TaskReader<z.output<typeof Fields>> = {
  fields: Fields,
  read: async ({ data, mmlu, shots, subjects, mostTrain, mostTest }, open) => {
    const examples = (await rowsOf(await trainFiles(data, open), mostTrain)).map(completionOf)
    const folder = await dataFolder(mmlu, open, "task.mmlu")
    const questions = await mmluQuestions(folder, "task.mmlu", { shots, subjects, most: mostTest })
    return {
      name: "instruction, mmlu",
      train: { kind: "completion", examples },
      evaluation: { kind: "options", questions },
      metric: "accuracy",
    }
  },
}

/** A layout by the fields that tell it. */
interface Layout {
  readonly fields: readonly string[]
  readonly read: (row: Row) => Completion
}

const LAYOUTS: readonly Layout[] = [
  { fields: ["messages"], read: ofMessages },
  // Alpaca (github.com/tatsu-lab/stanford_alpaca) with its own prompts.
  { fields: ["instruction", "output"], read: ofAlpaca },
  // Flan v2 (github.com/google-research/FLAN) as exported to JSON lines.
  { fields: ["inputs", "targets"], read: (row) => chat(row.text("inputs"), row.text("targets")) },
  {
    fields: ["prompt", "completion"],
    read: (row) => ({ prompt: row.text("prompt"), completion: row.text("completion") }),
  },
]

function completionOf(row: Row): Completion {
  const layout = LAYOUTS.find(({ fields }) => fields.every((name) => row.has(name)))
  if (layout !== undefined) return layout.read(row)
  const all = LAYOUTS.map(({ fields }) => fields.join(" and ")).join("; ")
  throw new InputError({
    field: row.place,
    given: "other fields",
    allowed: `an object with ${all}`,
    example: '{"inputs": "…", "targets": "…"}',
  })
}

/** As open-instruct gives Flan to Llama (arXiv 2306.04751). */
function chat(asked: string, said: string): Completion {
  return { prompt: `<|user|>\n${asked}\n<|assistant|>\n`, completion: said }
}

const BELOW = "Below is an instruction that describes a task"

function ofAlpaca(row: Row): Completion {
  const instruction = row.text("instruction")
  const input = row.has("input") ? row.text("input") : ""
  const respond = "Write a response that appropriately completes the request."
  const prompt =
    input === ""
      ? `${BELOW}. ${respond}\n\n### Instruction:\n${instruction}\n\n### Response:`
      : `${BELOW}, paired with an input that provides further context. ${respond}\n\n### Instruction:\n${instruction}\n\n### Input:\n${input}\n\n### Response:`
  return { prompt, completion: row.text("output") }
}

const Message = z.looseObject({ role: z.enum(["system", "user", "assistant"]), content: z.string() })

/** All turns but the last are the prompt; what is said last is trained on. */
function ofMessages(row: Row): Completion {
  const read = z.array(Message).min(2).safeParse(row.value("messages"))
  const last = read.data?.at(-1)
  if (!read.success || last?.role !== "assistant")
    throw row.refusal(
      "messages",
      "turns with role and content, the last one the assistant's",
      '[{"role": "user", "content": "…"}, …]',
    )
  const before = read.data.slice(0, -1).map(({ role, content }) => `<|${role}|>\n${content}\n`)
  return { prompt: `${before.join("")}<|assistant|>\n`, completion: last.content }
}
