/** Fine-tunings by the graph engine: a loss and its gradients as one ONNX graph, AdamW in float32 beside it. */
import { type Pretrained, readPretrained } from "../../checkpoint/pretrained.js"
import { InputError } from "../../inputError.js"
import { type Engine, GraphFailure, INSTALL_ENGINE, openEngine } from "../graph/engine.js"
import { stepper } from "../graph/fineTune.js"
import { type Gradients, openGradients } from "../graph/gradients.js"
import { type OpenTuning, type SiteSizes, type TuningEngine, TuningFailure, type TuningJob } from "./engine.js"
import { measuredColumns, sizesAfter, sizesAt } from "./sizes.js"

/** A model in memory, and what was opened of it. */
interface Loaded {
  readonly checkpoint: string
  readonly model: Pretrained
  readonly gradients: Map<string, Promise<Gradients>>
  close(): Promise<void>
}

/** The graph engine: the last model stays in memory, so that jobs on it follow each other at once. */
export function graphTuning({ threads = 1 } = {}): TuningEngine {
  let engine: Promise<Engine> | undefined
  let loaded: Promise<Loaded> | undefined
  const opened = () => {
    engine ??= openEngine({ threads }).catch((error: unknown) => {
      if (!(error instanceof GraphFailure)) throw error
      throw new TuningFailure(`${error.message}; ${INSTALL_ENGINE}`)
    })
    return engine
  }
  const load = async (checkpoint: string): Promise<Loaded> => {
    const before = await loaded
    if (before?.checkpoint === checkpoint) return before
    await before?.close()
    loaded = readPretrained(checkpoint).then((own) => ({ checkpoint, gradients: new Map(), ...own }))
    return loaded
  }
  return {
    name: "graph",
    check: async () => {
      await opened()
    },
    open: async (job) => {
      if (job.precision !== "float32")
        throw new InputError({
          field: "precision",
          given: job.precision,
          allowed: "float32 with engine: graph; others with engine: torch",
          example: "precision: float32",
        })
      const own = await opened()
      const { model, gradients } = await load(job.checkpoint)
      const { sites, layers, rank, scale, classes } = job
      const key = JSON.stringify([sites, layers, rank, scale, classes])
      const adaptation = { sites, layers, rank, scale, classes, trainHead: classes !== null }
      const known = gradients.get(key) ?? openGradients(own, model, adaptation)
      gradients.set(key, known)
      return tuning(await known, job)
    },
    close: async () => {
      await (await loaded)?.close()
      loaded = undefined
    },
  }
}

function tuning(gradients: Gradients, job: TuningJob): OpenTuning {
  const places = gradients.trained.map(({ name }) => job.start.findIndex((given) => given.name === name))
  if (places.includes(-1) || job.start.length !== places.length)
    throw new Error(`starts are of ${job.start.map(({ name }) => name).join(", ")}`)
  const start = places.map((i) => job.start[i]!.values)
  const factors = places.map((i) => job.factors[i]!)
  const take = stepper(gradients, start, { ...job.optimiser, ...job.schedule, clip: job.clip, factors })
  let values: readonly Float32Array[] = start
  let step = 0
  const sitesOf = (of: readonly Float32Array[]) =>
    new Map(
      gradients.trained.flatMap(({ name }, i) =>
        name.endsWith(".lora_A.weight") ? [[name.slice(0, -14), { A: of[i]!, B: of[i + 1]! }] as const] : [],
      ),
    )
  return {
    engine: gradients.engine,
    survived: [],
    step: async (batches, record) => {
      step++
      const last = batches.at(-1)!
      const inputs = record ? await gradients.inputs(last, values) : null
      const before = values.map((each) => each.slice())
      const taken = await take(batches.map((batch) => () => batch))
      values = taken.values
      const sites: SiteSizes[] = []
      const [atStart, earlier, later] = [sitesOf(start), sitesOf(before), sitesOf(values)]
      for (const [module, { rows, data }] of inputs ?? []) {
        const input = measuredColumns(data, rows, last.mask)
        const { rank, scale } = job
        const [start, before, after] = [atStart.get(module)!, earlier.get(module)!, later.get(module)!]
        if (step === 1) sites.push({ step: 0, module, sizes: sizesAt(before, rank, scale, input) })
        sites.push({ step, module, sizes: sizesAfter({ rank, scale, start, before, after, input }) })
      }
      return { loss: taken.loss, norm: taken.norm, sites }
    },
    likelihoods: async (batch) => (await gradients.losses(batch, values)).map((loss) => -loss),
    classLikelihoods: async (batch) => (await gradients.logits(batch, values)).map(logSoftmax),
    generate: async (prompts, most, stop) => {
      const said: number[][] = []
      for (const prompt of prompts) said.push(await continued(gradients, values, prompt, most, stop))
      return said
    },
    values: async () => job.start.map((_, i) => values[places.indexOf(i)]!.slice()),
    close: async () => {},
  }
}

/** The likeliest token behind the prompt, again and again. */
async function continued(
  gradients: Gradients,
  values: readonly Float32Array[],
  prompt: readonly number[],
  most: number,
  stop: readonly number[],
): Promise<number[]> {
  const ids = [...prompt]
  for (let i = 0; i < most; i++) {
    const [logits] = await gradients.logits({ ids: [ids], mask: [ids.map(() => 1)] }, values)
    const next = logits!.indexOf(logits!.reduce((most, each) => Math.max(most, each), Number.NEGATIVE_INFINITY))
    if (stop.includes(next) || next === -1) break
    ids.push(next)
  }
  return ids.slice(prompt.length)
}

function logSoftmax(logits: Float32Array): number[] {
  const most = logits.reduce((sofar, each) => Math.max(sofar, each), Number.NEGATIVE_INFINITY)
  const total = most + Math.log(logits.reduce((sum, each) => sum + Math.exp(each - most), 0))
  return Array.from(logits, (each) => each - total)
}
