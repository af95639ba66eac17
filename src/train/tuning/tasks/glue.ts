/** GLUE (arXiv 1804.07461): classes of sentences and of pairs of sentences, from the hub's files or the original TSVs. */
import { basename } from "node:path"
import { z } from "zod"
import { documented } from "../../../checked.js"
import { InputError } from "../../../inputError.js"
import type { Metric, TaskReader } from "../task.js"
import type { Example } from "../text.js"
import { Data, dataFolder, Most, rowsOf, splitFiles } from "./files.js"
import type { Row } from "./rows.js"

/** Which columns a layout has: one or two texts, and the class. */
interface Columns {
  readonly texts: readonly string[]
  readonly label: string
}

/** A task of the benchmark. */
interface GlueTask {
  /** Its folder in the archives. */
  readonly folder: string
  /** The classes in the order of their numbers. */
  readonly classes: readonly string[]
  readonly hub: Columns
  readonly tsv: Columns
  readonly metric: Metric
  /** The columns of TSVs without a header. */
  readonly headerless?: readonly string[]
  /** What the labelled splits that are not trained on are called; the first is taken where none is named. */
  readonly splits?: readonly string[]
}

const BINARY = ["0", "1"]
const ENTAILED = ["entailment", "not_entailment"]
const columns = (label: string, ...texts: string[]): Columns => ({ texts, label })

/** Column names: huggingface.co/datasets/nyu-mll/glue; the archives' own: gluebenchmark.com/tasks. */
const TASKS = {
  cola: {
    folder: "CoLA",
    classes: ["unacceptable", "acceptable"],
    hub: columns("label", "sentence"),
    tsv: columns("label", "sentence"),
    headerless: ["source", "label", "mark", "sentence"],
    metric: "matthews",
  },
  sst2: {
    folder: "SST-2",
    classes: ["negative", "positive"],
    hub: columns("label", "sentence"),
    tsv: columns("label", "sentence"),
    metric: "accuracy",
  },
  mrpc: {
    folder: "MRPC",
    classes: ["not_equivalent", "equivalent"],
    hub: columns("label", "sentence1", "sentence2"),
    tsv: columns("Quality", "#1 String", "#2 String"),
    metric: "f1",
  },
  qqp: {
    folder: "QQP",
    classes: ["not_duplicate", "duplicate"],
    hub: columns("label", "question1", "question2"),
    tsv: columns("is_duplicate", "question1", "question2"),
    metric: "f1",
  },
  mnli: {
    folder: "MNLI",
    classes: ["entailment", "neutral", "contradiction"],
    hub: columns("label", "premise", "hypothesis"),
    tsv: columns("gold_label", "sentence1", "sentence2"),
    splits: ["validation_matched", "validation_mismatched"],
    metric: "accuracy",
  },
  qnli: {
    folder: "QNLI",
    classes: ENTAILED,
    hub: columns("label", "question", "sentence"),
    tsv: columns("label", "question", "sentence"),
    metric: "accuracy",
  },
  rte: {
    folder: "RTE",
    classes: ENTAILED,
    hub: columns("label", "sentence1", "sentence2"),
    tsv: columns("label", "sentence1", "sentence2"),
    metric: "accuracy",
  },
  wnli: {
    folder: "WNLI",
    classes: BINARY,
    hub: columns("label", "sentence1", "sentence2"),
    tsv: columns("label", "sentence1", "sentence2"),
    metric: "accuracy",
  },
} as const satisfies Readonly<Record<string, GlueTask>>

const NAMES = Object.keys(TASKS) as (keyof typeof TASKS)[]
const SPLITS = ["validation", "validation_matched", "validation_mismatched", "train", "test"] as const

const Fields = z.strictObject({
  kind: documented(z.literal("glue"), "glue", "glue"),
  name: documented(z.enum(NAMES), NAMES.join(", "), "mnli"),
  data: Data("nyu-mll/glue"),
  evaluation: documented(
    z.enum(SPLITS),
    "the split that is judged: validation; of mnli validation_matched or validation_mismatched",
    "validation",
  ).exactOptional(),
  mostTrain: Most("examples that are trained on").exactOptional(),
  mostTest: Most("examples that are judged").exactOptional(),
})

/** A task of GLUE; its labelled validation split is judged. */
export const glueTask: TaskReader<z.output<typeof Fields>> = {
  fields: Fields,
  read: async ({ name, data, evaluation, mostTrain, mostTest }, open) => {
    const task: GlueTask = TASKS[name]
    const folder = await dataFolder(data, open)
    const { splits = ["validation"] } = task
    const split = evaluation ?? splits[0]!
    if (split === "test")
      throw new InputError({
        field: "task.evaluation",
        given: split,
        allowed: `${splits.join(" or ")}: the labels of GLUE's test splits are not published`,
        example: splits[0]!,
      })
    const within = [name, task.folder, ""]
    const read = async (names: readonly string[], field: string, most: number | undefined) => {
      const files = await splitFiles(folder, names, within, field)
      const layout = task.headerless !== undefined && files.every((file) => /\.(tsv|txt)$/.test(basename(file)))
      return (await rowsOf(files, most, layout ? { columns: task.headerless! } : {})).map((row) => exampleOf(task, row))
    }
    const examples = await read(["train", `msr_paraphrase_train`], "task.data", mostTrain)
    const judged = await read([split, split.replace("validation", "dev")], "task.evaluation", mostTest)
    return {
      name: `glue ${name}`,
      train: { kind: "classification", examples, classes: task.classes.length },
      evaluation: { kind: "classes", examples: judged },
      metric: task.metric,
    }
  },
}

function exampleOf({ hub, tsv, classes }: GlueTask, row: Row): Example {
  // Files of the hub and the archives are told apart by their columns.
  const { texts, label } = [hub, tsv].find((own) => own.texts.every((name) => row.has(name))) ?? hub
  const [text, pair] = texts.map((name) => row.text(name))
  return { text: text!, ...(pair === undefined ? {} : { pair }), label: row.classOf(label, classes) }
}
