/** GSM8K (arXiv 2110.14168): word problems, answered in words; the number at the end is judged. */
import { z } from "zod"
import { count, documented } from "../../../checked.js"
import type { TaskReader } from "../task.js"
import { Data, dataFolder, Most, rowsOf, splitFiles } from "./files.js"
import type { Row } from "./rows.js"

const Fields = z.strictObject({
  kind: documented(z.literal("gsm8k"), "gsm8k", "gsm8k"),
  data: Data("openai/gsm8k"),
  evaluation: documented(z.enum(["test", "train"]), "the split that is judged: test or train", "test").default("test"),
  mostTrain: Most("problems that are trained on").exactOptional(),
  mostTest: Most("problems that are judged").exactOptional(),
  mostTokens: count(1, "tokens of an answer at most", 256).default(256),
})

/** What is asked, as the model is given it; ours, lm-eval's are the same words. */
const promptOf = (question: string) => `Question: ${question}\nAnswer:`

/** GSM8K from the original JSON lines or the hub's Parquet. */
export const gsm8kTask: TaskReader<z.output<typeof Fields>> = {
  fields: Fields,
  read: async ({ data, evaluation, mostTrain, mostTest, mostTokens }, open) => {
    const folder = await dataFolder(data, open)
    const read = async (split: string, field: string, most: number | undefined) =>
      rowsOf(await splitFiles(folder, [split], ["main", "grade_school_math/data", ""], field), most)
    const train = await read("train", "task.data", mostTrain)
    const judged = await read(evaluation, "task.evaluation", mostTest)
    const question = (row: Row) => row.text("question")
    return {
      name: "gsm8k",
      train: {
        kind: "completion",
        examples: train.map((row) => {
          answerOf(row)
          return { prompt: promptOf(question(row)), completion: ` ${row.text("answer")}` }
        }),
      },
      evaluation: {
        kind: "answers",
        questions: judged.map((row) => ({ prompt: promptOf(question(row)), answer: answerOf(row) })),
        compare: "number",
        most: mostTokens,
      },
      metric: "exact_match",
    }
  },
}

/** The number behind #### on the answer's last line. @throws InputError naming the row if it has none. */
function answerOf(row: Row): string {
  const found = /(?:^|\n)#### *(-?[\d,]*\.?\d+)\s*$/.exec(row.text("answer"))?.[1]
  if (found === undefined) throw row.refusal("answer", "a text that ends with a line #### and a number", "… #### 72")
  return found.replaceAll(",", "")
}
