import { execFileSync } from "node:child_process"
import { copyFile, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterAll, beforeAll, describe, expect, test } from "vitest"
import { problems } from "../../scripts/arithmetic.js"
import { mailsOf, textOf } from "../../scripts/mails.js"
import { requireFile } from "../../scripts/packages.js"
import type { FineTuneSweep } from "../../src/sweep/fineTuneConfig.js"
import { readConfig } from "../../src/sweep/readConfig.js"

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "models-"))
})
afterAll(() => rm(folder, { recursive: true }))

describe("mails", () => {
  const head = "From a@b.c  Thu Aug 22 2002\nReceived: from x\n\tby y\nSubject: Life insurance,\n pay less"

  test("what is kept is the subject and what is said, on one line, without marks of HTML", () => {
    const body =
      "<html><style>p { color: red }</style><body><p>Why pay more&nbsp;=\nthan =A35 a week\n<!-- a note --></p></body>"
    const mail = `${head}\nContent-Type: text/html; charset="iso-8859-1"\nContent-Transfer-Encoding: quoted-printable\n\n${body}`
    expect(textOf(mail)).toBe("Life insurance, pay less Why pay more than £5 a week")
  })

  test.each([
    [
      "several parts",
      "\nContent-Type: multipart/mixed; boundary=x\n\n--x\nlong enough a text for one that is kept, and more",
    ],
    ["base64", "\nContent-Transfer-Encoding: base64\n\nbG9uZyBlbm91Z2ggYSB0ZXh0IGZvciBvbmUgdGhhdCBpcyBrZXB0"],
    ["no body", ""],
    ["next to nothing", "\n\nyes"],
  ])("one with %s is left out", (_, rest) => {
    expect(textOf(`${head}${rest}`)).toBeNull()
  })

  test("there are as many of one class as of the other, each text once", async () => {
    const data = join(folder, "data")
    const write = async (group: string, i: number, text: string) => {
      await mkdir(join(data, group), { recursive: true })
      const mail = { id: String(i), group, text: `Subject: mail\n\n${text}, and so on until it is long enough` }
      await writeFile(join(data, group, `${String(i).padStart(5, "0")}.abc.json`), JSON.stringify(mail))
    }
    for (let i = 0; i < 5; i++) await write("easy-ham-1", i, `good ${i}`)
    for (let i = 0; i < 3; i++) await write("spam-2", i, `bad ${i}`)
    await write("spam-2", 3, "bad 0")
    const rows = mailsOf(data)
    expect(rows.map(({ label }) => label)).toEqual([0, 1, 0, 1, 0, 1])
    expect(new Set(rows.map(({ sentence }) => sentence)).size).toBe(6)
    for (const { sentence, label } of rows) expect(sentence).toContain(label === 1 ? "bad" : "good")
  })
})

test("arithmetic is what its words say, no problem twice, the same for the same seed", async () => {
  const rows = problems(300, 1)
  expect(problems(300, 1)).toEqual(rows)
  expect(problems(300, 2)).not.toEqual(rows)
  expect(new Set(rows.map(({ question }) => question)).size).toBe(300)
  for (const { question, answer } of rows) {
    const [first, second] = question.match(/\d+/g)!.map(Number) as [number, number]
    expect(answer).toBe(`#### ${question.includes("gives away") ? first - second : first + second}`)
    expect(Number(answer.slice(5))).toBeGreaterThan(0)
  }
})

test("a file that is another one is refused", async () => {
  const path = join(folder, "config.json")
  await writeFile(path, "abc")
  // FIPS 180-2, appendix B.1.
  requireFile(path, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad")
  expect(() => requireFile(path, "00")).toThrow("another file than is expected")
})

/** 180 MB are fetched. */
describe.skipIf(process.env.REQUIRE_TORCH === undefined)("npm run models", () => {
  test("what is fetched is what the sweeps of examples/real read", async () => {
    execFileSync("npm", ["run", "models", "--", "--into", folder], { stdio: ["ignore", "ignore", "inherit"] })
    const read = async (name: string) => {
      await copyFile(`examples/real/${name}.yaml`, join(folder, `${name}.yaml`))
      const { facts } = (await readConfig(join(folder, `${name}.yaml`))) as FineTuneSweep
      const { checkpoints, task } = facts!
      return { shape: checkpoints[0]!.model.shape, task }
    }
    expect(await read("encoder")).toMatchObject({
      shape: { family: "bert", hidden: 384, layers: 6 },
      task: { metric: "accuracy", classes: 2 },
    })
    const llama = { family: "llama", hidden: 576, layers: 30, heads: 9, keyHeads: 3 }
    expect(await read("decoder-text")).toMatchObject({ shape: llama, task: { metric: "perplexity" } })
    expect(await read("decoder-arithmetic")).toMatchObject({ shape: llama, task: { metric: "exact_match" } })
  })
})
