import { execFileSync } from "node:child_process"
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { describe, expect, test } from "vitest"
import { TransferJson } from "../../src/report/transfer.js"
import { isInstalled } from "../isInstalled.js"
import { lora } from "./lora.js"

const ask = (...words: string[]) => lora(tmpdir(), "transfer", "--lr", "2e-4", "--from-width", "4096", ...words)
async function answered(...words: string[]) {
  const { code, out, err } = await ask(...words, "--json")
  expect(err).toBe("")
  expect(code).toBe(0)
  return TransferJson.parse(JSON.parse(out))
}

// By hand (docs/theory.md): from Init[A] under Adam the largest rate goes as (n_in r m λ)^(-1/2), with m what B A is
// multiplied by and λ the rate of B over that of A.
describe("the rate that answers a question", () => {
  test.each<[string, string[], number]>([
    ["twice the width", ["--to-width", "8192"], 2e-4 / Math.SQRT2],
    ["a rank of 64 at alpha / r, alpha fixed", ["--from-rank", "8", "--to-rank", "64", "--from-alpha", "16"], 2e-4],
    ["a rank of 64 with alpha growing along", ["--from-rank", "8", "--to-rank", "64"], 2e-4 / Math.sqrt(8)],
    [
      "a rank of 64 at alpha / sqrt(r)",
      ["--from-rank", "8", "--to-rank", "64", "--from-alpha", "16", "--convention", "α/√r"],
      2e-4 / 8 ** 0.25,
    ],
    [
      "a rank of 64, the multiplier alpha itself",
      ["--from-rank", "8", "--to-rank", "64", "--from-alpha", "16", "--convention", "none"],
      2e-4 / Math.sqrt(8),
    ],
    ["half of alpha", ["--from-alpha", "64", "--to-alpha", "32"], 2e-4 * Math.SQRT2],
    [
      "rank and alpha both twice",
      ["--from-rank", "8", "--to-rank", "16", "--from-alpha", "16", "--to-alpha", "32"],
      2e-4 / Math.SQRT2,
    ],
    ["rsLoRA switched on", ["--from-rank", "16", "--from-alpha", "16", "--to-convention", "rslora"], 1e-4],
    ["grouped queries: a narrow output", ["--to-width", "1024", "--to-input-width", "8192"], 2e-4 / Math.SQRT2],
    [
      "a down-projection",
      ["--from-input-width", "11008", "--to-width", "8192", "--to-input-width", "28672"],
      2e-4 * Math.sqrt(11008 / 28672),
    ],
    ["an output head", ["--scheme", "lm_head", "--to-width", "8192"], 2e-4 / Math.SQRT2],
    ["an embedding", ["--scheme", "embed_tokens", "--to-width", "8192"], 2e-4],
    ["rsLoRA's scheme by itself", ["--scheme", "rslora", "--from-rank", "8", "--to-rank", "64"], 2e-4 / 8 ** 0.25],
    ["Lion at twice the width", ["--optimizer", "lion_8bit", "--to-width", "8192"], 2e-4 / Math.SQRT2],
  ])("%s", async (_, words, rate) => {
    const { answer, bound } = await answered(...words)
    expect(answer.rate).toBeCloseTo(rate, 12)
    expect(bound!.rate).toBe(answer.rate)
    expect(answer.says).toMatch(Math.abs(rate / 2e-4 - 1) < 1e-9 ? /^Keep/ : /^Use a learning rate of/)
  })

  test("LoRA+: a rate for A and one for B", async () => {
    const { answer } = await answered("--from-ratio", "1", "--to-ratio", "16")
    expect([answer.rate, answer.rateB]).toEqual([expect.closeTo(5e-5, 12), expect.closeTo(8e-4, 12)])
    expect(answer.says).toBe("Use a learning rate of 5e-5 for A and 8e-4, 16 times that, for B.")
    const wider = await answered("--scheme", "lora+", "--from-ratio", "16", "--to-width", "16384")
    expect([wider.answer.rate, wider.answer.rateB]).toEqual([expect.closeTo(1e-4, 12), expect.closeTo(1.6e-3, 12)])
  })

  test("two free rates without a ratio have no single answer", async () => {
    const { answer } = await answered("--scheme", "lora-plus", "--to-width", "8192")
    expect(answer.rate).toBeNull()
    expect(answer.why.join(" ")).toContain("--from-ratio")
  })

  test("between two starts of one exponent a constant is left, which is to be measured", async () => {
    const { answer } = await answered("--to-scheme", "pissa")
    expect(answer.rate).toBe(2e-4)
    expect(answer.says).toContain("measure one number")
    expect(answer.held.join(" ")).toContain("sigma = 0")
  })

  test.each([
    [["--to-scheme", "init-b"], "width^(-1/2), and width^(-1)."],
    [["--to-optimizer", "muon"], "width^(-1/2), and no power of any size"],
  ])("%j: of different exponents no rate follows", async (words, says) => {
    const { answer, bound } = await answered(...words)
    expect([answer.rate, bound]).toEqual([null, null])
    expect(answer.why.join(" ")).toContain(says)
  })

  test("a rate beyond the edge has no place to keep, one far below it another reason", async () => {
    expect((await answered("--to-width", "8192", "--failed", "1e-4")).answer.rate).toBeNull()
    expect((await answered("--to-width", "8192", "--held", "1e-2")).answer.unknown[0]).toContain("far below")
  })

  test("what was held fixed is said, alpha too", async () => {
    const { answer } = await answered("--from-rank", "8", "--to-rank", "64")
    expect(answer.held.join(" ")).toContain("alpha/r in PEFT")
    expect(answer.unknown.join(" ")).toContain("If your alpha stays as it is, the rate is 2e-4")
  })
})

describe("with a table of runs", () => {
  const sweep = fileURLToPath(new URL("../../examples/sweep.csv", import.meta.url))
  const words = ["--width", "hidden_size", "--rate", "lr", "--loss", "final_loss"]
  const GROUP = ["--by", "model", "--group", "small-family"]
  const fromTable = async (file: string, ...more: string[]) =>
    answered("--fit", file, ...words, ...more, "--from-width", "1024", "--lr", "2e-5")

  test("its slope in the width answers a question of the width alone; of alpha it says nothing", async () => {
    const wider = await fromTable(sweep, ...GROUP, "--to-width", "4096")
    expect([wider.regime.kind, wider.answer.rate]).toEqual(["far below", wider.observed!.rate])
    for (const change of [
      ["--from-alpha", "16", "--to-alpha", "64"],
      ["--to-rank", "8", "--from-rank", "2"],
      ["--to-ratio", "16"],
    ]) {
      const { answer, bound } = await fromTable(sweep, ...GROUP, ...change)
      // By hand, as without a table: the largest rate goes as the root of 1/4, or of 1/16.
      expect(answer.rate).toBeCloseTo(2e-5 / (change.length > 2 ? 2 : 4), 12)
      expect(answer.rate).toBe(bound!.rate)
      expect(answer.unknown.join(" ")).toMatch(/nothing of the change of (alpha|rank|ratio of the rates)/)
    }
  })

  test("how it was read is said, and what its slope lacks", async () => {
    const folder = await mkdtemp(join(tmpdir(), "transfer-"))
    const rows = (await readFile(sweep, "utf8")).trimEnd().split("\n")
    const some = rows.filter((row, i) => i === 0 || /^small-family,(512|1024),/.test(row))
    await writeFile(join(folder, "few.csv"), `${some.join("\n")}\nsmall-family,512,0,1,2.5\n`)
    const few = await fromTable(join(folder, "few.csv"), "--to-width", "4096")
    expect(few.observed).toBeNull()
    expect(few.read.join(" ")).toMatch(/1 rows with rate 0 .*: left out.*few widths/)
    const { out } = await ask("--fit", join(folder, "few.csv"), ...words, "--to-width", "8192")
    expect(out).toMatch(/observed slope +none: the table's runs do not bound it/)
    expect(out).toContain("rows with rate 0")
    await rm(folder, { recursive: true })
  })

  test("is refused between two schemes, and where no run has a loss", async () => {
    const folder = await mkdtemp(join(tmpdir(), "transfer-"))
    await writeFile(join(folder, "none.csv"), "hidden_size,lr,final_loss\n512,1e-3,crashed\n1024,1e-3,crashed\n")
    for (const [more, says] of [
      [["--fit", sweep, "--to-scheme", "pissa"], /--fit: .*scheme and optimiser stay/],
      [["--fit", join(folder, "none.csv"), ...words, "--to-width", "8192"], /none with a value \(crashed\)/],
    ] as const) {
      const { code, err } = await ask(...more)
      expect([code, err]).toEqual([2, expect.stringMatching(says)])
    }
    await rm(folder, { recursive: true })
  })
})

test("the first line is the answer", async () => {
  const { out } = await ask("--to-width", "8192")
  expect(out.split("\n")[0]).toBe("Use a learning rate of 1.41e-4, 0.71 times the present one.")
})

describe("--peft", () => {
  const peft = async (...words: string[]) =>
    (await answered("--from-rank", "16", "--from-alpha", "32", "--peft", ...words)).peft!

  test("the LoraConfig and the optimiser's arguments", async () => {
    expect(await peft("--to-width", "8192")).toContain(
      "LoraConfig(r=16, lora_alpha=32, use_rslora=False, init_lora_weights=True)",
    )
    expect(await peft("--to-convention", "rslora")).toContain("use_rslora=True")
    expect(await peft("--convention", "none", "--to-width", "8192")).toContain("lora_alpha=512")
    expect(await peft("--to-scheme", "pissa")).toContain('init_lora_weights="pissa"')
    expect(await peft("--from-ratio", "1", "--to-ratio", "16")).toContain("loraplus_lr_ratio=16")
  })

  test.runIf(isInstalled("python3"))("is Python", async () => {
    for (const words of [
      ["--to-width", "8192"],
      ["--scheme", "init-b", "--to-width", "8192"],
      ["--optimiser", "muon", "--to-width", "8192"],
      ["--to-ratio", "4"],
    ])
      execFileSync("python3", ["-c", "import ast, sys; ast.parse(sys.argv[1])", await peft(...words)])
  })
})

test.each([
  [["--to-alpha", "32"], "--from-alpha"],
  [["--to-rank", "32"], "--from-rank"],
  [
    ["--from-rank", "8", "--to-rank", "64", "--from-alpha", "16", "--convention", "sqr"],
    "allowed: alpha/r, alpha/sqrt(r), none",
  ],
  [["--to-convention", "rslora"], "--from-alpha"],
  [["--from-width", "4096"], "something that changes"],
  [["--to-width", "8192", "--peft"], "--from-alpha"],
  [["--scheme", "init-b", "--to-scheme", "initb2x"], "allowed: init-a"],
  [["--to-width", "8192", "--set", "sigmma=0", "--scheme", "pissa"], "did you mean sigma?"],
  [["--scheme", "mica", "--from-ratio", "1", "--to-ratio", "4"], "trains both factors"],
])("%j is refused: %s", async (words, says) => {
  const { code, out, err } = await ask(...words)
  expect([code, out]).toEqual([2, ""])
  expect(err).toContain(says)
})
