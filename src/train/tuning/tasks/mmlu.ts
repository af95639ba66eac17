/** MMLU (arXiv 2009.03300): questions with four options, judged by the likeliest option. */
import { readdir } from "node:fs/promises"
import { basename, join } from "node:path"
import { InputError } from "../../../inputError.js"
import type { Evaluation } from "../task.js"
import { rowsOf, splitFiles } from "./files.js"
import type { Row } from "./rows.js"

/** A question of the benchmark. */
interface Question {
  readonly subject: string
  readonly question: string
  readonly options: readonly string[]
  readonly answer: number
}

const LETTERS = ["A", "B", "C", "D"]
/** The archive's CSVs have no header. */
const COLUMNS = ["question", ...LETTERS, "answer"]

/** What of the benchmark is asked. */
export interface MmluOptions {
  /** How many solved questions of the subject's dev split stand before each one. */
  readonly shots: number
  /** Subjects with underscores; all if left out. */
  readonly subjects?: readonly string[] | undefined
  /** Questions at most, the first ones of each subject in turn. */
  readonly most?: number | undefined
}

/**
 * The test questions in a folder: the hub's Parquet (`all/test-…` or a folder a subject) or the archive's CSVs
 * (`test/SUBJECT_test.csv`).
 *
 * @throws InputError naming file, row and field for what is no question, or the field for a subject that is not there.
 */
export async function mmluQuestions(
  folder: string,
  field: string,
  { shots, subjects, most }: MmluOptions,
): Promise<Extract<Evaluation, { kind: "options" }>["questions"]> {
  const asked = await questionsOf(folder, "test", field, subjects)
  const solved = shots === 0 ? [] : await questionsOf(folder, "dev", field, subjects)
  const chosen = most === undefined ? asked : inTurn(asked).slice(0, most)
  return chosen.map((own) => {
    const before = solved.filter(({ subject }) => subject === own.subject).slice(0, shots)
    if (before.length < shots)
      throw new InputError({
        field,
        given: `${before.length} solved questions of ${own.subject}`,
        allowed: `at least ${shots} in the dev split, as many as task.shots says`,
        example: "shots: 0",
      })
    const head = `The following are multiple choice questions (with answers) about ${own.subject.replaceAll("_", " ")}.\n\n`
    const shown = before.map((each) => `${asking(each)} ${LETTERS[each.answer]}\n\n`).join("")
    return {
      prompt: `${head}${shown}${asking(own)}`,
      options: own.options.map((_, i) => ` ${LETTERS[i]}`),
      answer: own.answer,
    }
  })
}

function asking({ question, options }: Question): string {
  return `${question}\n${options.map((option, i) => `${LETTERS[i]}. ${option}\n`).join("")}Answer:`
}

async function questionsOf(
  folder: string,
  split: "test" | "dev",
  field: string,
  subjects: readonly string[] | undefined,
): Promise<Question[]> {
  const archive = (await readdir(join(folder, split)).catch(() => []))
    .filter((name) => name.endsWith(`_${split}.csv`))
    .sort()
  const found: Question[] = []
  if (archive.length > 0)
    for (const file of archive) {
      const subject = basename(file, `_${split}.csv`)
      if (subjects !== undefined && !subjects.includes(subject)) continue
      const rows = await rowsOf([join(folder, split, file)], undefined, { columns: COLUMNS })
      found.push(...rows.map((row) => ofArchive(row, subject)))
    }
  else {
    const rows = await rowsOf(await splitFiles(folder, [split], ["all", ""], field))
    found.push(...rows.map(ofHub).filter(({ subject }) => subjects === undefined || subjects.includes(subject)))
  }
  const missing = subjects?.find((name) => !found.some(({ subject }) => subject === name))
  if (missing !== undefined)
    throw new InputError({
      field: "task.subjects",
      given: missing,
      allowed: `a subject in ${folder}`,
      example: "abstract_algebra",
    })
  return found
}

function ofArchive(row: Row, subject: string): Question {
  return {
    subject,
    question: row.text("question"),
    options: LETTERS.map((letter) => row.text(letter)),
    answer: row.classOf("answer", LETTERS),
  }
}

function ofHub(row: Row): Question {
  const options = row.texts("choices")
  if (options.length !== LETTERS.length) throw row.refusal("choices", "four options", '["1", "2", "3", "4"]')
  return {
    subject: row.text("subject"),
    question: row.text("question"),
    options,
    answer: row.classOf("answer", LETTERS),
  }
}

/** The first question of each subject, then the second of each, and so on. */
function inTurn(questions: readonly Question[]): Question[] {
  const seen = new Map<string, number>()
  const places = questions.map(({ subject }) => {
    const place = seen.get(subject) ?? 0
    seen.set(subject, place + 1)
    return place
  })
  return questions
    .map((question, i) => ({ question, place: places[i]! }))
    .sort((x, y) => x.place - y.place)
    .map(({ question }) => question)
}
