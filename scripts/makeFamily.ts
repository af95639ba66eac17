/**
 * Makes the models and texts of examples/real/family.yaml: small Llamas of one shape at several widths, trained from
 * nothing on the King James Bible, byte by byte, and a novel of Jane Austen's to fine-tune them on.
 *
 *     npm run family                                         the texts from Debian's packages, into examples/real
 *     npm run family -- --train a.txt --tune b.txt           any two texts
 *     npm run family -- --widths 64 128 --steps 100 --into FOLDER
 *
 * A model that is there is not made again.
 */
import { existsSync } from "node:fs"
import { mkdir, readFile, rename, rm, writeFile } from "node:fs/promises"
import { join } from "node:path"
import { Command } from "commander"
import { readTokenizer } from "../src/checkpoint/tokenizer.js"
import { writeSafetensors } from "../src/checkpoint/writeSafetensors.js"
import { InputError } from "../src/inputError.js"
import { integer } from "../src/optionText.js"
import { type Engine, openEngine } from "../src/train/graph/engine.js"
import { byteTokenizer } from "../src/train/tuning/byteTokenizer.js"
import { type Pretraining, pretrain } from "../src/train/tuning/pretrain.js"
import { textBatches } from "../src/train/tuning/text.js"
import { runScript } from "./command.js"
import { austenText, bibleText, writeTuned } from "./texts.js"

/** Characters of the text that are read: more than the steps see. */
const READ = 1_000_000

/** Options as typed. */
interface Options {
  readonly into: string
  readonly widths: readonly string[]
  readonly steps: string
  readonly train?: string
  readonly tune?: string
}

await runScript(
  new Command("family")
    .description("Small Llamas of one shape at several widths, trained from nothing, and a novel to fine-tune them on.")
    .option("--into <folder>", "where they go", new URL("../examples/real", import.meta.url).pathname)
    .option("--widths <n...>", "hidden sizes", ["64", "128", "256", "512"])
    .option("--steps <count>", "training steps", "300")
    .option("--train <file>", "a text to train on (default: the King James Bible, from a package of Debian)")
    .option("--tune <file>", "a text to fine-tune on (default: Jane Austen's novels, likewise)")
    .action(makeFamily),
)

async function makeFamily({ into, train, tune, ...given }: Options): Promise<void> {
  const widths = given.widths.map((text) => integer("--widths", text))
  const steps = integer("--steps", given.steps)
  const engine = await openEngine()
  await mkdir(into, { recursive: true })
  const bible = join(into, "bible.txt")
  if (!existsSync(bible)) await writeFile(bible, train === undefined ? bibleText(into) : await textOf("--train", train))
  if (!["austen.txt", "austen-held.txt"].every((name) => existsSync(join(into, name))))
    writeTuned(into, tune === undefined ? austenText(into) : await textOf("--tune", tune))
  for (const width of widths) {
    const folder = join(into, `llama-${width}`)
    if (existsSync(folder)) continue
    const start = performance.now()
    const loss = await make(engine, folder, { width, steps, bible })
    const seconds = Math.round((performance.now() - start) / 1000)
    console.log(`${folder}: ${(loss / Math.LN2).toFixed(2)} bits a byte, ${seconds} s`)
  }
}

/** A text of one's own. @throws InputError for a file that cannot be read. */
function textOf(option: string, path: string): Promise<string> {
  return readFile(path, "utf8").catch(({ code }: NodeJS.ErrnoException) => {
    throw new InputError({ field: option, given: path, allowed: `a text file (${code})`, example: `${option} a.txt` })
  })
}

/** Trains and writes one model; gives its last loss. */
async function make(
  engine: Engine,
  folder: string,
  { width, steps, bible }: { readonly width: number; readonly steps: number; readonly bible: string },
): Promise<number> {
  const unfinished = `${folder}.part`
  await rm(unfinished, { recursive: true, force: true })
  await mkdir(unfinished, { recursive: true })
  // Four heads at every width, as the derivation has it: a head's size grows with n.
  const config = {
    architectures: ["LlamaForCausalLM"],
    ...{ model_type: "llama", hidden_act: "silu", vocab_size: 256, tie_word_embeddings: false },
    ...{ hidden_size: width, intermediate_size: 2 * width, num_hidden_layers: 2 },
    ...{ num_attention_heads: 4, num_key_value_heads: 2, rms_norm_eps: 1e-5, max_position_embeddings: 256 },
  }
  await writeFile(join(unfinished, "config.json"), `${JSON.stringify(config, null, 2)}\n`)
  await writeFile(join(unfinished, "tokenizer.json"), JSON.stringify(byteTokenizer()))
  const tokenizer = await readTokenizer(unfinished)
  const task = { kind: "causal", texts: [(await readFile(bible, "utf8")).slice(0, READ)] } as const
  const batches = textBatches({ padding: null }, tokenizer, task, { size: 8, length: 64, seed: 1, accumulate: 1 })
  const options: Pretraining = {
    ...{ rate: 4e-3, warmup: 20, steps, decay: "linear", clip: 1, seed: 1, baseWidth: 64 },
    ...{ beta1: 0.9, beta2: 0.95, epsilon: 1e-8, weightDecay: 0 },
  }
  const run = await pretrain(engine, config, options, (step) => batches(step, 0))
  let last = Number.NaN
  for await (const { step, loss } of run.steps) {
    last = loss
    if (step % 50 === 0) process.stderr.write(`${folder}: step ${step} of ${steps}, loss ${loss.toFixed(3)}\n`)
  }
  await writeSafetensors(join(unfinished, "model.safetensors"), run.weights())
  await rename(unfinished, folder)
  return last
}
