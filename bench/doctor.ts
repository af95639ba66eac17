/**
 * Time and memory of `inspect` as a process of its own, on a made-up run of a 7B model's size: every linear module of
 * Llama's shapes, bfloat16 or float32 numbers that move from checkpoint to checkpoint, a trainer's log.
 */
import { spawn } from "node:child_process"
import { mkdir, mkdtemp, open, rm, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { Command, Option } from "commander"
import { gaussians } from "../src/train/random.js"

/** Llama 7B's linear modules: output × input. */
const [HIDDEN, INNER] = [4096, 11008]
const MODULES: Readonly<Record<string, readonly [number, number]>> = {
  "self_attn.q_proj": [HIDDEN, HIDDEN],
  "self_attn.k_proj": [HIDDEN, HIDDEN],
  "self_attn.v_proj": [HIDDEN, HIDDEN],
  "self_attn.o_proj": [HIDDEN, HIDDEN],
  "mlp.gate_proj": [INNER, HIDDEN],
  "mlp.up_proj": [INNER, HIDDEN],
  "mlp.down_proj": [HIDDEN, INNER],
}
const EVERY = 100
const RATE = 1e-4

type Type = "bfloat16" | "float32"

const options = new Command("bench:doctor")
  .description("time and memory of inspect on a run of a 7B model's size")
  .option("--layers <n>", "layers", "32")
  .option("--checkpoints <n>", "checkpoints, the first at step 0", "10")
  .option("--rank <r>", "rank", "64")
  .option("--workers <n>", "threads of inspect", "2")
  .addOption(new Option("--type <type>", "number type").choices(["bfloat16", "float32"]).default("bfloat16"))
  .option("--json", "print JSON")
  .parse()
  .opts<{ layers: string; checkpoints: string; rank: string; workers: string; type: Type; json?: boolean }>()

const [layers, checkpoints, rank] = [options.layers, options.checkpoints, options.rank].map(Number) as [
  number,
  number,
  number,
]
const folder = await mkdtemp(join(tmpdir(), "doctor-"))
try {
  const bytes = await writeRun()
  const { seconds, cpu, memory, findings } = await inspect()
  const result = { layers, checkpoints, rank, type: options.type, bytes, seconds, cpu, memory, findings }
  process.stdout.write(
    options.json
      ? `${JSON.stringify(result)}\n`
      : `${layers} layers, ${checkpoints} checkpoints, rank ${rank}, ${options.type}: ${(bytes / 1e9).toFixed(2)} GB read in ${seconds.toFixed(1)} s (${cpu.toFixed(1)} s of processor time), at most ${(memory / 1e9).toFixed(2)} GB of memory\n${findings}`,
  )
} finally {
  await rm(folder, { recursive: true })
}

/** Writes the run, each layer with the same numbers; how many bytes the adapters have. */
async function writeRun(): Promise<number> {
  const drawn = Object.entries(MODULES).flatMap(([name, [output, input]]) => [
    { name: `${name}.lora_A.weight`, shape: [rank, input], start: gaussians(1, name, rank * input) },
    { name: `${name}.lora_B.weight`, shape: [output, rank], start: new Float64Array(output * rank) },
  ])
  const moves = drawn.map(({ name, start }) => gaussians(2, name, start.length))
  let bytes = 0
  for (let i = 0; i < checkpoints; i++) {
    const step = i * EVERY
    // A moves as far as √steps updates of the rate in random directions, B the same from zero.
    const layer = drawn.map(({ start, shape }, k) => {
      const deviation = 1 / Math.sqrt(shape[1]!)
      const moved = RATE * Math.sqrt(step)
      return stored(Float32Array.from(start, (value, at) => deviation * value + moved * moves[k]![at]!))
    })
    const place = join(folder, `checkpoint-${step}`)
    await mkdir(place)
    bytes += await writeAdapter(join(place, "adapter_model.safetensors"), drawn, layer)
    const history = Array.from({ length: i }, (_, k) => ({
      step: (k + 1) * EVERY,
      loss: 2 / (k + 1),
      learning_rate: RATE,
    }))
    await writeFile(join(place, "trainer_state.json"), JSON.stringify({ log_history: history }))
    await writeFile(
      join(place, "adapter_config.json"),
      JSON.stringify({ peft_type: "LORA", r: rank, lora_alpha: 2 * rank, target_modules: "all-linear" }),
    )
  }
  return bytes
}

async function writeAdapter(
  path: string,
  tensors: readonly { readonly name: string; readonly shape: readonly number[] }[],
  layer: readonly Uint8Array[],
): Promise<number> {
  const header: Record<string, unknown> = {}
  let end = 0
  for (let i = 0; i < layers; i++)
    for (const [k, { name, shape }] of tensors.entries()) {
      const dtype = options.type === "float32" ? "F32" : "BF16"
      header[`base_model.model.model.layers.${i}.${name}`] = {
        dtype,
        shape,
        data_offsets: [end, end + layer[k]!.length],
      }
      end += layer[k]!.length
    }
  const text = new TextEncoder().encode(JSON.stringify(header))
  const length = new Uint8Array(8)
  new DataView(length.buffer).setBigUint64(0, BigInt(text.length), true)
  const file = await open(path, "w")
  await file.write(length)
  await file.write(text)
  for (let i = 0; i < layers; i++) for (const bytes of layer) await file.write(bytes)
  await file.close()
  return end
}

/** Numbers as the file holds them; bfloat16 is their upper half, rounded. */
function stored(values: Float32Array): Uint8Array {
  if (options.type === "float32") return new Uint8Array(values.buffer)
  const bits = new Uint32Array(values.buffer)
  return new Uint8Array(Uint16Array.from(bits, (word) => (word + 0x7fff + ((word >>> 16) & 1)) >>> 16).buffer)
}

/** Runs the built command; memory is the largest resident size of the whole process, threads included. */
async function inspect(): Promise<{ seconds: number; cpu: number; memory: number; findings: string }> {
  const report = "process.on('exit',()=>require('fs').writeSync(2,'\\n'+JSON.stringify(process.resourceUsage())))"
  const preload = `import{createRequire}from'node:module';const require=createRequire('/');if(require('node:worker_threads').isMainThread)${report}`
  const command = fileURLToPath(new URL("../dist/command/main.js", import.meta.url))
  const words = ["--import", `data:text/javascript,${encodeURIComponent(preload)}`, command, "inspect", folder]
  const began = performance.now()
  const child = spawn(process.execPath, [...words, "--workers", options.workers])
  let [out, err] = ["", ""]
  child.stdout.on("data", (text) => {
    out += text
  })
  child.stderr.on("data", (text) => {
    err += text
  })
  const code = await new Promise((resolve) => child.on("close", resolve))
  if (code !== 0) throw new Error(err)
  const used = JSON.parse(err.trim().split("\n").at(-1)!) as NodeJS.ResourceUsage
  return {
    seconds: (performance.now() - began) / 1000,
    cpu: (used.userCPUTime + used.systemCPUTime) / 1e6,
    memory: used.maxRSS * 1024,
    findings: out,
  }
}
