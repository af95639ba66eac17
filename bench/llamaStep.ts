/**
 * One LoRA training step of a Llama-type model in our graph engine: tsx llamaStep.ts FOLDER THREADS; talks as llama.py
 * does.
 */
import { readFile } from "node:fs/promises"
import { join } from "node:path"
import { createInterface } from "node:readline"
import { readPeftFolder } from "../src/checkpoint/peftFolder.js"
import { readPretrained } from "../src/checkpoint/pretrained.js"
import { openEngine } from "../src/train/graph/engine.js"
import { fineTune } from "../src/train/graph/fineTune.js"
import { openGradients } from "../src/train/graph/gradients.js"

const [folder, threads] = process.argv.slice(2) as [string, string]
const ids = JSON.parse(await readFile(join(folder, "tokens.json"), "utf8")) as number[][]
const { model, close } = await readPretrained(folder)
const adaptation = { sites: ["q_proj", "v_proj"], rank: 8, scale: 2, classes: null, trainHead: false }
const gradients = await openGradients(await openEngine({ threads: Number(threads) }), model, adaptation)
const { values: start } = await readPeftFolder(join(folder, "start"), gradients.trained)
await close()
const batch = { ids, mask: ids.map((own) => own.map(() => 1)), labels: ids }
const adam = { beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weightDecay: 0, clip: null }

async function train(steps: number, rate: number): Promise<number> {
  let last = Number.NaN
  const options = { ...adam, steps, rate, warmup: 0, decay: "none", accumulate: 1 } as const
  for await (const { loss } of fineTune(gradients, start, () => batch, options)) last = loss
  return last
}

await train(2, 1e-3)
process.stdout.write("ready\n")
for await (const line of createInterface({ input: process.stdin })) {
  const [steps, rate] = line.split(" ").map(Number) as [number, number]
  const begin = performance.now()
  const loss = await train(steps, rate)
  process.stdout.write(`${(performance.now() - begin) / 1000} ${loss} ${process.resourceUsage().maxRSS / 1024}\n`)
}
