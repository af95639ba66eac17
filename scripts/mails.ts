/** Mails of the SpamAssassin corpus as texts with a class: 1 is spam. */
import { readdirSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { uniforms } from "../src/train/random.js"

/** A row in the layout of GLUE's SST-2. */
export interface LabelledText {
  readonly sentence: string
  readonly label: 0 | 1
}

/** What a mail's file in the package has. */
interface Mail {
  readonly group: string
  readonly text: string
}

/** Characters of a mail that are kept: more than a short sequence has. */
const KEPT = 600
const SEED = "mails"

/** Mails of each class, in an order of a seed: every text once, as many of one class as of the other. */
export function mailsOf(data: string): LabelledText[] {
  const read = readdirSync(data, { recursive: true, encoding: "utf8" })
    .filter((name) => /^[^/]+\/\d+\.[0-9a-f]+\.json$/.test(name))
    .sort()
    .map((name) => JSON.parse(readFileSync(join(data, name), "utf8")) as Mail)
  const texts = new Map<string, 0 | 1>()
  for (const { group, text } of read) {
    const sentence = textOf(text)
    if (sentence !== null && !texts.has(sentence)) texts.set(sentence, group.startsWith("spam") ? 1 : 0)
  }
  const rows = shuffled([...texts].map(([sentence, label]) => ({ sentence, label })))
  const [ham, spam] = ([0, 1] as const).map((label) => rows.filter((row) => row.label === label)) as [
    LabelledText[],
    LabelledText[],
  ]
  return ham.slice(0, spam.length).flatMap((row, i) => [row, ...spam.slice(i, i + 1)])
}

/**
 * A mail's subject and what it says, without marks of HTML, on one line; null for one in several parts or in base64,
 * and for one that says nothing.
 */
export function textOf(mail: string): string | null {
  const end = mail.search(/\r?\n\r?\n/)
  if (end === -1) return null
  const head = mail.slice(0, end).replace(/\r?\n[ \t]+/g, " ")
  const field = (name: string) => new RegExp(`^${name}:[ \\t]*(.*)$`, "im").exec(head)?.[1] ?? ""
  const encoding = field("Content-Transfer-Encoding").trim().toLowerCase()
  if (!/^(text\/(plain|html).*|)$/i.test(field("Content-Type")) || encoding === "base64") return null
  const body = mail.slice(end)
  const plain = (encoding === "quoted-printable" ? printed(body) : body)
    .replace(/<(style|script)\b[\s\S]*?<\/\1>|<!--[\s\S]*?-->|<[^>]*>/gi, " ")
    .replace(/&nbsp;/gi, " ")
  const said = `${field("Subject")} ${plain}`.replace(/\s+/g, " ").trim()
  return said.length < 40 ? null : said.slice(0, KEPT)
}

/** What quoted-printable stands for: RFC 2045, section 6.7. */
function printed(body: string): string {
  return body
    .replace(/=\r?\n/g, "")
    .replace(/=([0-9A-F]{2})/gi, (_, code: string) => String.fromCharCode(Number.parseInt(code, 16)))
}

/** In an order of the seed. */
function shuffled<T>(rows: readonly T[]): T[] {
  const uniform = uniforms(1, SEED)
  return rows
    .map((row) => ({ row, place: uniform() }))
    .sort((x, y) => x.place - y.place)
    .map(({ row }) => row)
}
