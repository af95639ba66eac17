import { mkdir, writeFile } from "node:fs/promises"
import { join } from "node:path"
import { uniforms } from "../../../src/train/random.js"
import { SMALL_LLAMA, SMALL_TOKENIZER, WORDS, writeRandomModel } from "../../checkpoint/randomModel.js"

/** Sentences of the small tokenizer's words, drawn: which word follows depends on the one before it. */
export function sentences(seed: number, count: number): string {
  const next = uniforms(seed, "sentences")
  const pick = (of: readonly string[]) => of[Math.floor(next() * of.length)]!
  return Array.from({ length: count }, () => {
    const word = pick(["bad", "dull"])
    return next() < 0.5 ? `a very ${word} film and a ${word} film!` : `a ${pick(["fine", "good"])} film!`
  }).join(" ")
}

/** Writes a family of small random Llamas, llama-WIDTH each, with a tokenizer, and two texts. */
export async function writeFamily(
  folder: string,
  widths: readonly number[],
  config: object = SMALL_LLAMA,
): Promise<void> {
  for (const width of widths) {
    const own = join(folder, `llama-${width}`)
    await mkdir(own, { recursive: true })
    await writeRandomModel(own, { ...config, hidden_size: width, intermediate_size: 2 * width }, WORDS.length)
    await writeFile(join(own, "tokenizer.json"), JSON.stringify(SMALL_TOKENIZER))
  }
  await writeFile(join(folder, "train.txt"), sentences(1, 200))
  await writeFile(join(folder, "test.txt"), sentences(2, 20))
}

/** A sweep on that family that takes a second. */
export const SMALL_SWEEP = {
  experiment: "finetune",
  checkpoints: ["llama-16", "llama-32"],
  task: { kind: "text", train: ["train.txt"], test: ["test.txt"], window: 16, stride: 8 },
  schemes: ["init-a", "init-b", "lora-plus"],
  sites: ["q_proj", "v_proj"],
  rank: 2,
  alpha: 2,
  rates: { from: 1e-3, to: 1, perDecade: 1 },
  seeds: 2,
  steps: 6,
  batch: 2,
  length: 16,
  record: [1, 6],
}
