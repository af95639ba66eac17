import { leftToFullSize, type Section } from "../src/report/section.js"
import type { SweepOptions } from "../src/sweep/sweep.js"

/** How much is computed: a size, and by how many times its seeds are multiplied. */
export interface Effort {
  readonly size: "quick" | "full"
  readonly seeds: number
}

/** One experiment of the report: a claim and what is run, fitted and judged for it. */
export interface Experiment {
  /** As typed after `verify`, and the first part of its files' names. */
  readonly id: string
  readonly title: string
  /** Whether its findings do not depend on the size, so that none is left to the full one. */
  readonly isOneSize?: boolean
  /** The constants of its runs, for the report's configuration. */
  readonly configuration?: (effort: Effort) => unknown
  /** How many times `onFinished` is called, for a progress bar. */
  readonly tasks: (effort: Effort) => number
  readonly run: (effort: Effort, options: SweepOptions) => Promise<Section>
}

/** An experiment's section; what a quick run leaves open is left to the full size. */
export async function sectionOf(
  { run, isOneSize = false }: Experiment,
  effort: Effort,
  options: SweepOptions,
): Promise<Section> {
  const section = await run(effort, options)
  return effort.size === "quick" && !isOneSize ? leftToFullSize(section) : section
}
