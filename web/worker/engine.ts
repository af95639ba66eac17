import type { Scheme } from "../../src/scheme/scheme.js"
import type { RunConfig, RunResult } from "../../src/train/run.js"
import type { Budget } from "../../verify/compare/budget.js"
import type { Setting } from "../../verify/compare/setting.js"

/** Runs of a scheme, a batch of seeds at a time. */
export interface OpenEngine {
  readonly name: string
  /** What its records hold. */
  readonly quantities: readonly string[]
  runs(config: Omit<RunConfig, "seed" | "precision">, seeds: readonly number[]): Promise<readonly RunResult[]>
}

/** Opens an engine for a scheme. @throws InputError, GpuFailure where it cannot train it. */
export type OpenEngineFor = (setting: Setting, ready: Scheme, budget: Budget) => OpenEngine | Promise<OpenEngine>
