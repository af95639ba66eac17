/**
 * A LoRA training step of a Llama-type model: our graph engine beside PyTorch and PEFT, in turn, results equal first.
 */
import { mkdtemp, rm, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { markdownTable } from "markdown-table"
import { writePeftFolder } from "../src/checkpoint/peftFolder.js"
import { configOf } from "../src/checkpoint/pretrainedConfig.js"
import { type WrittenTensor, writeSafetensors } from "../src/checkpoint/writeSafetensors.js"
import { pretrainedProgram } from "../src/program/models/pretrained.js"
import { gaussians } from "../src/train/random.js"
import { outside } from "./contender.js"

/** Steps of one measurement. */
const STEPS = 2
const [LAYERS, HEADS, VOCABULARY, TOKENS, RANK] = [2, 8, 2048, 512, 8]
const here = new URL(".", import.meta.url).pathname

/** How the benchmark is run. */
export interface FineTuningBench {
  readonly sizes: readonly number[]
  readonly threads: readonly number[]
  readonly repeats: number
  readonly python: string
  /** Contenders whose names contain one of these; all if left out. */
  readonly only?: readonly string[]
}

/** Prints a table for each hidden size and number of threads. */
export async function benchFineTuning(bench: FineTuningBench, say: (line: string) => void): Promise<void> {
  say(
    `Llama-type, ${LAYERS} layers, ${HEADS} heads, ${VOCABULARY} words, ${TOKENS} tokens, r = ${RANK} on q and v, float32\n`,
  )
  for (const hidden of bench.sizes) {
    const folder = await mkdtemp(join(tmpdir(), "llama-"))
    try {
      await writeModel(folder, { hidden, layers: LAYERS })
      for (const threads of bench.threads) await compare(folder, hidden, threads, bench, say)
    } finally {
      await rm(folder, { recursive: true })
    }
  }
}

/** A random model as transformers saves one, and a start of its adapters as PEFT does. */
export async function writeModel(
  folder: string,
  { hidden, layers }: { readonly hidden: number; readonly layers: number },
): Promise<void> {
  const config = {
    architectures: ["LlamaForCausalLM"],
    model_type: "llama",
    hidden_size: hidden,
    num_hidden_layers: layers,
    num_attention_heads: HEADS,
    num_key_value_heads: HEADS,
    intermediate_size: (hidden * 11) / 4,
    rms_norm_eps: 1e-5,
    rope_theta: 10000,
    hidden_act: "silu",
    vocab_size: VOCABULARY,
    tie_word_embeddings: true,
  }
  const sites = ["q_proj", "v_proj"]
  const { weights, adapters } = pretrainedProgram(configOf("config.json", config).shape, "causal", sites, 2, false)
  const drawn = (name: string, shape: readonly number[], size: number): WrittenTensor => ({
    name,
    shape,
    values: Float32Array.from(
      gaussians(
        1,
        name,
        shape.reduce((product, each) => product * each, 1),
        size,
      ),
    ),
  })
  const tensors = [...weights].map(([name, { shape }]): WrittenTensor => {
    const [rows, columns] = shape.map((space) => (space.name === "vocabulary" ? VOCABULARY : space.count)) as [
      number,
      number,
    ]
    if (name.endsWith("norm.weight")) return { name, shape: [rows], values: new Float32Array(rows).fill(1) }
    return drawn(name, [rows, columns], columns ** -0.5)
  })
  const start = [...adapters].flatMap(([module, { A, B }]) => [
    drawn(`${module}.lora_A.weight`, [RANK, A.shape[1].count], A.shape[1].count ** -0.5),
    {
      name: `${module}.lora_B.weight`,
      shape: [B.shape[0].count, RANK],
      values: new Float32Array(B.shape[0].count * RANK),
    },
  ])
  const settings = { rank: RANK, alpha: 2 * RANK, rankStabilised: false, sites, task: "CAUSAL_LM", base: null } as const
  const tokens = Array.from(gaussians(2, "tokens", TOKENS), (x) =>
    Math.min(VOCABULARY - 1, Math.floor(Math.abs(x) * 500)),
  )
  await writeFile(join(folder, "config.json"), JSON.stringify(config))
  await writeSafetensors(join(folder, "model.safetensors"), tensors)
  await writePeftFolder(join(folder, "start"), settings, start)
  await writeFile(join(folder, "tokens.json"), JSON.stringify([tokens]))
}

async function compare(
  folder: string,
  hidden: number,
  threads: number,
  { repeats, python, only }: FineTuningBench,
  say: (line: string) => void,
): Promise<void> {
  const ours = ["--import", "tsx", join(here, "llamaStep.ts"), folder, String(threads)]
  const torch = ["eager", "compiled"].map((mode) => ({ name: `PyTorch + PEFT, ${mode}`, mode }))
  const chosen = torch.filter(({ name }) => only === undefined || only.some((text) => name.includes(text)))
  // Side by side: they read, compile and warm up for longer than they are measured.
  const contenders = await Promise.all([
    outside("our graph", process.execPath, ours, threads),
    ...chosen.map(({ name, mode }) =>
      outside(name, python, [join(here, "llama.py"), folder, mode, String(threads)], threads),
    ),
  ])
  try {
    const losses: number[] = []
    for (const { name, train } of contenders) {
      const { loss } = await train(3)
      if (losses.push(loss) > 1 && !(Math.abs(loss / losses[0]! - 1) <= 1e-4))
        throw new Error(`${name}: loss ${loss}, ours ${losses[0]}`)
    }
    const times = contenders.map((): number[] => [])
    const memory = contenders.map(() => Number.NaN)
    for (let repeat = 0; repeat < repeats; repeat++)
      for (const [i, { train }] of contenders.entries()) {
        const seen = await train(STEPS)
        times[i]!.push(seen.seconds / STEPS)
        memory[i] = seen.memory ?? Number.NaN
      }
    const digits = (x: number) => x.toPrecision(3)
    const sorted = (of: readonly number[]) => [...of].sort((x, y) => x - y)
    const middle = (of: readonly number[]) => sorted(of)[Math.floor(of.length / 2)]!
    const rows = contenders.map(({ name }, i) => {
      const ratios = sorted(times[i]!.map((time, k) => times[0]![k]! / time))
      const spread = `${digits(ratios[0]!)} … ${digits(ratios.at(-1)!)}`
      return [name, digits(1000 * middle(times[i]!)), digits(middle(ratios)), spread, memory[i]!.toFixed(0)]
    })
    const head = ["contender", "ms a step", "ours / it", "spread", "peak MiB"]
    say(
      `hidden ${hidden}, threads: ${threads}; loss before step 3 ${losses[0]!.toPrecision(6)}, all within 1e-4 of it\n`,
    )
    say(`${markdownTable([head, ...rows], { align: ["l", "r", "r", "r", "r"] })}\n`)
  } finally {
    for (const contender of contenders) await contender.close()
  }
}
