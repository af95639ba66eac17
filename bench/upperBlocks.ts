/** A LoRA training step with adapters in the last blocks alone: the blocks below are gone through in the first epoch. */
import { mkdtemp, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { markdownTable } from "markdown-table"
import { readPretrained } from "../src/checkpoint/pretrained.js"
import { openEngine } from "../src/train/graph/engine.js"
import { fineTune } from "../src/train/graph/fineTune.js"
import { openGradients } from "../src/train/graph/gradients.js"
import { gaussians } from "../src/train/random.js"
import { batchesOf, type Sequence } from "../src/train/tuning/text.js"
import { writeModel } from "./fineTuning.js"

/** Blocks, sequences of an epoch, tokens of each, sequences of a batch. */
const [LAYERS, SEQUENCES, TOKENS, SIZE] = [8, 32, 128, 4]
const EPOCHS = 3

/** Prints the median processor time of a step in the first epoch and in later ones, for each hidden size. */
export async function benchUpperBlocks(sizes: readonly number[], say: (line: string) => void): Promise<void> {
  say(`Llama-type, ${LAYERS} blocks, ${SIZE} sequences of ${TOKENS} tokens, r = 8 on q and v, one thread\n`)
  const rows: string[][] = []
  for (const hidden of sizes) {
    const folder = await mkdtemp(join(tmpdir(), "llama-"))
    try {
      await writeModel(folder, { hidden, layers: LAYERS })
      for (const layers of [undefined, [LAYERS - 2, LAYERS - 1]]) {
        const { first, later } = await times(folder, layers)
        const name = layers === undefined ? "all" : `the last ${layers.length}`
        rows.push([String(hidden), name, ...[first, later].map((seconds) => (1000 * seconds).toPrecision(3))])
      }
    } finally {
      await rm(folder, { recursive: true })
    }
  }
  const head = ["hidden", "adapted blocks", "ms of processor a step, first epoch", "later epochs"]
  say(markdownTable([head, ...rows], { align: ["r", "l", "r", "r"] }))
}

async function times(folder: string, layers: readonly number[] | undefined): Promise<{ first: number; later: number }> {
  const { model, close } = await readPretrained(folder)
  const adaptation = { sites: ["q_proj", "v_proj"], layers, rank: 8, scale: 2, classes: null, trainHead: false }
  const gradients = await openGradients(await openEngine(), model, adaptation)
  await close()
  const start = gradients.trained.map(({ name, shape: [rows, columns] }) =>
    Float32Array.from(gaussians(1, name, rows * columns, columns ** -0.5)),
  )
  const sequences = Array.from({ length: SEQUENCES }, (_, s): Sequence => {
    const ids = Array.from(gaussians(2, `sequence ${s}`, TOKENS), (x) => Math.floor(Math.abs(x) * 400))
    return { ids, segments: ids.map(() => 0), label: ids }
  })
  const batches = batchesOf(sequences, null, { size: SIZE, seed: 1, accumulate: 1 })
  const epoch = SEQUENCES / SIZE
  const adam = { beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weightDecay: 0, clip: null }
  const options = { ...adam, steps: EPOCHS * epoch, rate: 1e-4, warmup: 0, decay: "none", accumulate: 1 } as const
  const seconds: number[] = []
  let begin = process.cpuUsage()
  for await (const _ of fineTune(gradients, start, batches, options)) {
    const { user, system } = process.cpuUsage(begin)
    seconds.push((user + system) / 1e6)
    begin = process.cpuUsage()
  }
  const middle = (of: readonly number[]) => [...of].sort((x, y) => x - y)[Math.floor(of.length / 2)]!
  return { first: middle(seconds.slice(0, epoch)), later: middle(seconds.slice(epoch)) }
}
