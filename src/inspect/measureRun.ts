import { availableParallelism } from "node:os"
import pMap from "p-map"
import { Piscina } from "piscina"
import { type Answer, resultOf } from "../answered.js"
import type { Scale } from "../checkpoint/adapter.js"
import type { StoredTensor, TensorFile } from "../checkpoint/tensorFile.js"
import { InputError } from "../inputError.js"
import { compiledFile } from "../packageFile.js"
import { isPacked, weightsIn } from "./baseWeights.js"
import { rateSum } from "./log.js"
import { type ModuleTask, measureModule, placeOf } from "./measureModule.js"
import type { ModuleMeasures } from "./measures.js"
import type { TrainingRun } from "./run.js"

/** A module with what was measured of it. */
export interface MeasuredModule extends ModuleMeasures {
  readonly name: string
  /** The end of its name, as q_proj: modules of one kind are compared with one another. */
  readonly kind: string
  readonly rank: number
  readonly input: number
  readonly output: number
  readonly scale: Scale
  /** Number types of A and B at the last checkpoint. */
  readonly types: readonly [string, string]
  /** The base model's weight: its name and shape; null where no base is given or it has none that fits the name. */
  readonly weight: {
    readonly name: string
    readonly shape: readonly number[]
    /** The number type as stored. */
    readonly type: string
    /** Whether its values are read: not of packed whole numbers, nor of 8 bits that are scaled by another tensor. */
    readonly isRead: boolean
  } | null
}

/** A run with its modules measured. */
export interface MeasuredRun {
  readonly run: TrainingRun
  readonly modules: readonly MeasuredModule[]
  /** Whether a base model was given, and the names of its tensors. */
  readonly base: { readonly path: string; readonly names: readonly string[] } | null
  readonly notes: readonly string[]
  /** Between neighbouring checkpoints. */
  readonly spans: readonly Span[]
}

/** The steps from one checkpoint to the next. */
export interface Span {
  /** The first and the last step; null where the names do not say. */
  readonly steps: readonly [number, number] | null
  /**
   * The sum of their learning rates, which no entry moves farther than under sign-like updates; null where none is
   * logged.
   */
  readonly rateSum: number | null
}

/** Below so many values in all, threads cost more than they save. */
const FEW_VALUES = 20_000_000

/**
 * Measures every module of a run, on all cores where there is much to do.
 *
 * @param base the opened base model, for ‖BA‖ relative to ‖W‖ and for names.
 * @throws InputError where a checkpoint lacks a module of another, or has it in another shape.
 */
export async function measureRun(
  run: TrainingRun,
  base: TensorFile | null,
  workers = availableParallelism(),
): Promise<MeasuredRun> {
  const last = run.checkpoints.at(-1)!
  const byName = run.checkpoints.map(({ adapter }) => new Map(adapter.modules.map((module) => [module.name, module])))
  const weights = base === null ? null : weightsIn(base, last.config)
  const named = last.adapter.modules.map((module) => {
    const points = run.checkpoints.map(({ path }, i) => {
      const own = byName[i]!.get(module.name)
      if (own === undefined || own.rank !== module.rank || own.input !== module.input || own.output !== module.output)
        throw new InputError({
          field: path,
          given: own === undefined ? `no module ${module.name}` : `rank ${own.rank}, ${own.output} × ${own.input}`,
          allowed: `${module.name} with rank ${module.rank}, ${module.output} × ${module.input}, as in ${last.label}`,
          example: "inspect the two apart",
        })
      return { a: placeOf(own.a), b: placeOf(own.b), magnitude: own.magnitude === null ? null : placeOf(own.magnitude) }
    })
    const weight = weights?.(module.name) ?? null
    const { rank, input, output, isATurned } = module
    const fits = weight !== null && weight.length === input * output && isRead(weight)
    const task: ModuleTask = {
      kind: "inspect",
      rank,
      input,
      output,
      isATurned,
      points,
      base: fits ? placeOf(weight) : null,
    }
    return { module, weight, task }
  })
  const values = named.reduce(
    (sum, { task: { rank, input, output, points, base } }) =>
      sum + rank * (input + output) * points.length + (base === null ? 0 : input * output),
    0,
  )
  const measured = await measureAll(
    named.map(({ task }) => task),
    values < FEW_VALUES ? 1 : workers,
  )
  const modules = named.map(({ module, weight }, i): MeasuredModule => {
    const { name, rank, input, output, scale, a, b } = module
    return {
      name,
      kind: kindOf(name),
      rank,
      input,
      output,
      scale,
      types: [a.type.name, b.type.name],
      weight:
        weight === null
          ? null
          : { name: weight.name, shape: weight.shape, type: weight.type.name, isRead: isRead(weight) },
      ...measured[i]!,
    }
  })
  const dropped = new Set(byName.flatMap((modules) => [...modules.keys()].filter((name) => !byName.at(-1)!.has(name))))
  const rescaled = modules.flatMap(({ name, scale }) => {
    const other = run.checkpoints.find((_, i) => byName[i]!.get(name)!.scale.value !== scale.value)
    return other === undefined ? [] : [{ name, scale, other }]
  })
  const notes = [
    ...(dropped.size === 0
      ? []
      : [`${dropped.size} modules of earlier checkpoints are not in the last: ${[...dropped][0]} …`]),
    ...rescaled
      .slice(0, 1)
      .map(
        ({ name, scale, other }) =>
          `The multiplier of ${rescaled.length} modules is another one at ${other.label}, as of ${name}; all sizes are told with that of the last checkpoint${scale.value === null ? ", which is not known" : ` (${scale.value})`}.`,
      ),
  ]
  return {
    run,
    modules,
    base: base === null ? null : { path: base.path, names: [...base.tensors.keys()] },
    notes: [...run.notes, ...notes],
    spans: run.checkpoints.slice(1).map(({ step: to }, i): Span => {
      const from = run.checkpoints[i]!.step
      if (from === null || to === null || to <= from) return { steps: null, rateSum: null }
      return { steps: [from, to], rateSum: rateSum(run.log, from, to) }
    }),
  }
}

const isRead = ({ type }: StoredTensor) => type.decode !== undefined && !isPacked(type.name)

/** Threads load compiled files: a program that runs from TypeScript sources works on the calling thread. */
async function measureAll(tasks: readonly ModuleTask[], workers: number): Promise<ModuleMeasures[]> {
  if (workers <= 1 || import.meta.url.endsWith(".ts")) {
    const measured: ModuleMeasures[] = []
    for (const task of tasks) measured.push(await measureModule(task))
    return measured
  }
  const filename = compiledFile("inspect/task.js").href
  const pool = new Piscina({ filename, minThreads: workers, maxThreads: workers })
  try {
    // What is under way ends before the threads do.
    let isRefused = false
    const answers = await pMap(
      tasks,
      async (task) => {
        if (isRefused) return null
        const answer = (await pool.run(task)) as Answer<ModuleMeasures>
        if ("refused" in answer) isRefused = true
        return answer
      },
      { concurrency: 2 * workers },
    )
    return answers.flatMap((answer) => (answer === null ? [] : resultOf(answer)))
  } finally {
    await pool.destroy()
  }
}

/** The end of a module's name without numbers: "model.layers.3.self_attn.q_proj" is a q_proj. */
function kindOf(name: string): string {
  const parts = name.split(/[._]?\d+[._]?|\./).filter((part) => part !== "")
  return parts.at(-1) ?? name
}
