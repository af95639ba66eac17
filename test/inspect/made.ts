/** Made-up adapters: a small linear model fine-tuned by Adam, written as PEFT writes its checkpoints. */
import { mkdir, writeFile } from "node:fs/promises"
import { join } from "node:path"
import { bfloat16, bfloat16Bits, float32, safetensors } from "../checkpoint/write.js"

/** One module's factors: A r × n, B n × r, row-major. */
export interface MadeFactors {
  a: number[]
  b: number[]
}

export interface Made {
  readonly start: "A random" | "B random" | "both random"
  readonly width: number
  readonly rank: number
  /** Layers, each with a q_proj and a v_proj. */
  readonly layers: number
  readonly rate: number
  /** Steps at which a checkpoint is kept, the first 0. */
  readonly kept: readonly number[]
  readonly seed: number
  /** Keeps the factors in bfloat16 while training, as a model in pure bfloat16 does. */
  readonly bfloat16?: boolean
  readonly optimiser?: "adam" | "gradient descent"
  /** What is done to the factors of a module at the end of each step. */
  readonly after?: (factors: MadeFactors, module: string) => void
}

export interface MadeRun {
  readonly made: Made
  readonly checkpoints: readonly { readonly step: number; readonly modules: ReadonlyMap<string, MadeFactors> }[]
  readonly losses: readonly number[]
}

/** A generator of numbers with a seed (mulberry32), and normal numbers from it (Box and Muller). */
export function generator(seed: number): { uniform: () => number; normal: () => number } {
  let state = seed >>> 0
  const uniform = () => {
    state = (state + 0x6d2b79f5) >>> 0
    let t = state
    t = Math.imul(t ^ (t >>> 15), t | 1)
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61)
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32
  }
  const normal = () => Math.sqrt(-2 * Math.log(1 - uniform())) * Math.cos(2 * Math.PI * uniform())
  return { uniform, normal }
}

const rounded = (value: number) => new Float32Array(Uint32Array.of(bfloat16Bits(value) << 16).buffer)[0]!

/** Samples of a batch. */
const BATCH = 16

/** Trains every module by itself: BA is to become a matrix of full rank, seen through random inputs with noise. */
export function train(made: Made): MadeRun {
  const { start, width: n, rank: r, layers, rate, kept, seed } = made
  const { normal } = generator(seed)
  const draw = (count: number, deviation: number) => Array.from({ length: count }, () => deviation * normal())
  const names = Array.from({ length: layers }, (_, i) =>
    ["q_proj", "v_proj"].map((kind) => `model.layers.${i}.self_attn.${kind}`),
  ).flat()
  const modules = new Map<string, MadeFactors>(
    names.map((name): [string, MadeFactors] => {
      const a = start === "B random" ? new Array<number>(r * n).fill(0) : draw(r * n, 1 / Math.sqrt(n))
      const b = start === "A random" ? new Array<number>(n * r).fill(0) : draw(n * r, 1 / Math.sqrt(r))
      const keep = (values: number[]) => (made.bfloat16 ? values.map(rounded) : values)
      return [name, { a: keep(a), b: keep(b) }]
    }),
  )
  const targets = new Map(names.map((name) => [name, draw(n * n, 1 / Math.sqrt(n))] as const))
  const moments = new Map(names.map((name) => [name, { a: new Moments(r * n), b: new Moments(n * r) }] as const))
  const copy = () =>
    new Map([...modules].map(([name, { a, b }]): [string, MadeFactors] => [name, { a: [...a], b: [...b] }]))
  const checkpoints = kept.includes(0) ? [{ step: 0, modules: copy() }] : []
  const losses: number[] = []
  for (let step = 1; step <= kept.at(-1)!; step++) {
    let loss = 0
    for (const [name, factors] of modules) {
      const gradients = gradientsOf(factors, targets.get(name)!, n, r, normal)
      loss += gradients.loss / names.length
      for (const factor of ["a", "b"] as const) {
        const updates =
          made.optimiser === "gradient descent"
            ? gradients[factor]
            : moments.get(name)![factor].updates(gradients[factor], step)
        factors[factor] = factors[factor].map((value, i) => {
          const next = value - rate * updates[i]!
          return made.bfloat16 ? rounded(next) : next
        })
      }
      made.after?.(factors, name)
    }
    losses.push(loss)
    if (kept.includes(step)) checkpoints.push({ step, modules: copy() })
  }
  return { made, checkpoints, losses }
}

/** Adam's moments of one factor, β = (0.9, 0.999). */
class Moments {
  readonly first: Float64Array
  readonly second: Float64Array
  constructor(size: number) {
    this.first = new Float64Array(size)
    this.second = new Float64Array(size)
  }
  updates(gradient: Float64Array, step: number): Float64Array {
    const [first, second] = [1 - 0.9 ** step, 1 - 0.999 ** step]
    return gradient.map((g, i) => {
      this.first[i] = 0.9 * this.first[i]! + 0.1 * g
      this.second[i] = 0.999 * this.second[i]! + 0.001 * g * g
      return this.first[i]! / first / (Math.sqrt(this.second[i]! / second) + 1e-12)
    })
  }
}

/** Gradients of the mean of ½ ‖BAz − (Tz + noise)‖² / n over a batch of random inputs. */
function gradientsOf({ a, b }: MadeFactors, target: readonly number[], n: number, r: number, normal: () => number) {
  const [gradientA, gradientB] = [new Float64Array(r * n), new Float64Array(n * r)]
  const [z, errors] = [new Float64Array(n), new Float64Array(n)]
  let loss = 0
  for (let sample = 0; sample < BATCH; sample++) {
    for (let j = 0; j < n; j++) z[j] = normal()
    const [az, back] = [new Float64Array(r), new Float64Array(r)]
    for (let k = 0; k < r; k++) for (let j = 0; j < n; j++) az[k] = az[k]! + a[k * n + j]! * z[j]!
    for (let i = 0; i < n; i++) errors[i] = -normal()
    subtractProduct(errors, target, z)
    for (let i = 0; i < n; i++) {
      let error = errors[i]!
      for (let k = 0; k < r; k++) error += b[i * r + k]! * az[k]!
      loss += error ** 2 / (2 * n * BATCH)
      for (let k = 0; k < r; k++) {
        gradientB[i * r + k] = gradientB[i * r + k]! + (error * az[k]!) / (n * BATCH)
        back[k] = back[k]! + error * b[i * r + k]!
      }
    }
    for (let k = 0; k < r; k++)
      for (let j = 0; j < n; j++) gradientA[k * n + j] = gradientA[k * n + j]! + (back[k]! * z[j]!) / (n * BATCH)
  }
  return { a: gradientA, b: gradientB, loss }
}

/** Takes the product of a square matrix and z off, four rows at a time, since each sum waits for its last term. */
function subtractProduct(from: Float64Array, matrix: readonly number[], z: Float64Array): void {
  const n = z.length
  let i = 0
  for (; i + 4 <= n; i += 4) {
    let [p, q, s, t] = [from[i]!, from[i + 1]!, from[i + 2]!, from[i + 3]!]
    const at = i * n
    for (let j = 0; j < n; j++) {
      const value = z[j]!
      p -= matrix[at + j]! * value
      q -= matrix[at + n + j]! * value
      s -= matrix[at + 2 * n + j]! * value
      t -= matrix[at + 3 * n + j]! * value
    }
    from[i] = p
    from[i + 1] = q
    from[i + 2] = s
    from[i + 3] = t
  }
  for (; i < n; i++) for (let j = 0; j < n; j++) from[i]! -= matrix[i * n + j]! * z[j]!
}

/** How a run is written, where it is not as usual. */
export interface Writing {
  readonly config?: Readonly<Record<string, unknown>>
  /** Loses the log. */
  readonly silent?: boolean
  /** Losses in place of those that were met. */
  readonly losses?: readonly number[]
  readonly rename?: (module: string) => string
}

/**
 * Writes a run as PEFT and the transformers trainer do: checkpoint-N with weights, configuration and the trainer's
 * state.
 */
export async function write(
  folder: string,
  { made, checkpoints, losses }: MadeRun,
  writing: Writing = {},
): Promise<string> {
  const { width: n, rank: r, rate } = made
  const tensor = made.bfloat16 ? bfloat16 : float32
  const { rename = (name: string) => name } = writing
  const logged = writing.losses ?? losses
  for (const { step, modules } of checkpoints) {
    const place = join(folder, `checkpoint-${step}`)
    await mkdir(place, { recursive: true })
    const tensors = [...modules].flatMap(([name, { a, b }]) => [
      tensor(`base_model.model.${rename(name)}.lora_A.weight`, [r, n], a),
      tensor(`base_model.model.${rename(name)}.lora_B.weight`, [n, r], b),
    ])
    await writeFile(join(place, "adapter_model.safetensors"), safetensors(tensors, { format: "pt" }))
    await writeFile(
      join(place, "adapter_config.json"),
      JSON.stringify({ peft_type: "LORA", r, lora_alpha: r, target_modules: ["q_proj", "v_proj"], ...writing.config }),
    )
    const history = logged.slice(0, step).map((loss, i) => ({ step: i + 1, loss, learning_rate: rate, epoch: 0 }))
    if (!writing.silent && step > 0)
      await writeFile(
        join(place, "trainer_state.json"),
        JSON.stringify({ global_step: step, log_history: history }).replaceAll('"loss":null', '"loss":NaN'),
      )
  }
  return folder
}

/** A run like most: small, healthy, five checkpoints. */
export const usual: Made = {
  start: "A random",
  width: 48,
  rank: 4,
  layers: 6,
  rate: 0.004,
  kept: [0, 5, 10, 15, 20],
  seed: 1,
}
