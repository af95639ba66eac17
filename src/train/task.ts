import { type SchemeDefinition, scheme } from "../scheme/scheme.js"
import { type RunConfig, type RunResult, run } from "./run.js"
import { type SyntheticResult, trainSynthetic } from "./synthetic.js"
import type { SyntheticConfig } from "./syntheticConfig.js"
import { type SyntheticData, startOf, syntheticData } from "./syntheticData.js"

/** A piece of work for a thread; plain data, so that it travels. */
export type Task =
  | {
      readonly kind: "scheme"
      readonly definition: SchemeDefinition
      readonly values: Readonly<Record<string, string>>
      readonly config: Omit<RunConfig, "seed">
      readonly seeds: readonly number[]
    }
  | { readonly kind: "synthetic"; readonly config: SyntheticConfig }

/** What a task of each kind returns. */
export interface TaskResults {
  readonly scheme: readonly RunResult[]
  readonly synthetic: SyntheticResult
}

let cached: { readonly key: string; readonly data: SyntheticData } | undefined

/** Does one piece of work, on whichever thread: the result depends on the task alone. */
export default function work(task: Task): TaskResults[Task["kind"]] {
  if (task.kind === "scheme") {
    const ready = scheme(task.definition, task.values)
    return task.seeds.map((seed) => run(ready, { ...task.config, seed }))
  }
  const { rates: _, steps: __, recordEvery: ___, ...dataConfig } = task.config
  const key = JSON.stringify(dataConfig)
  if (cached?.key !== key) cached = { key, data: syntheticData(task.config) }
  return trainSynthetic(task.config, cached.data, startOf(task.config))
}
