/** The whole reproduction: every experiment in turn, one document. */
import { type Chapter, countsOf, findingsOf, type ReportDocument } from "../src/report/document.js"
import { environment } from "../src/report/environment.js"
import type { SectionFinding } from "../src/report/section.js"
import { writeReport } from "../src/report/writeReport.js"
import type { SweepOptions } from "../src/sweep/sweep.js"
import { accounted } from "./account.js"
import { type Effort, type Experiment, sectionOf } from "./experiment.js"

/** What is reproduced, and where to. */
export interface Reproduction {
  readonly effort: Effort
  readonly experiments: readonly Experiment[]
  /** Whether these are not all experiments. */
  readonly partial: boolean
  /** The report's folder. */
  readonly out: string
}

/** What a reproduction found. */
export interface Summary {
  readonly size: Effort["size"]
  readonly budget: number
  readonly sections: readonly {
    readonly id: string
    readonly seconds: number
    readonly findings: readonly SectionFinding[]
    readonly askedAtFullSize: readonly SectionFinding[]
  }[]
  /** In words. */
  readonly counts: string
}

/** How many tasks a reproduction has, for a progress bar. */
export function reproductionTasks({ effort, experiments }: Reproduction): number {
  return experiments.reduce((sum, { tasks }) => sum + tasks(effort), 0)
}

/**
 * Runs every experiment and writes the report's folder, which appears whole or not at all.
 *
 * @throws InputError as `writeReport`.
 */
export async function reproduce(reproduction: Reproduction, options: SweepOptions): Promise<Summary> {
  const { effort, experiments, out } = reproduction
  const chapters: Chapter[] = []
  for (const experiment of experiments) {
    const account = accounted(options)
    const section = await sectionOf(experiment, effort, account.options)
    const command = `lora-scaling ${typed(effort)} --only ${experiment.id}`
    chapters.push({ section, command, spent: await account.spent() })
  }
  const document: ReportDocument = {
    title: "The impact of initialisation on LoRA: derived, proven and measured",
    opening: chapters.flatMap(({ section: { opening } }) => opening ?? [])[0] ?? null,
    preface: preface(reproduction),
    chapters,
    environment: { ...environment(), workers: options.pool.workers },
  }
  const constants = experiments.map(({ id, configuration }) => [id, configuration?.(effort) ?? null])
  await writeReport(document, { ...effort, experiments: Object.fromEntries(constants) }, out)
  return {
    size: effort.size,
    budget: effort.seeds,
    sections: chapters.map(({ section: { id, findings, askedAtFullSize = [] }, spent: { seconds } }) => {
      return { id, seconds, findings, askedAtFullSize }
    }),
    counts: countsOf(findingsOf(document)),
  }
}

function typed({ size, seeds }: Effort): string {
  return `reproduce --${size}${seeds === 1 ? "" : ` --budget ${seeds}`}`
}

function preface({ effort, experiments, partial }: Reproduction): string {
  const { size, seeds } = effort
  const named = `**A ${size} run** (\`lora-scaling ${typed(effort)}\`).`
  const smaller =
    size === "quick"
      ? " Its widths and seeds are fewer than those of `--full`. Its runs go first to the laws of the first screen, until their intervals decide; what it cannot decide elsewhere is named as asked at full size."
      : ""
  const more = seeds === 1 ? "" : ` Every experiment has ${seeds} times the seeds of its ${size} size.`
  const some = partial ? ` Only a part: ${experiments.map(({ id }) => id).join(", ")}.` : ""
  return `${named}${smaller}${more}${some}

The claims of arXiv 2406.08447 and the questions it left open: each with its derivation, its proof where it has one, its measurement with an interval, and a verdict. *Agrees*: the interval is narrow enough and holds what was derived. *Contradicts*: it does not; a cause is named, or the report counts as failed. *Inconclusive*: it is too wide; what would decide is said. Every number is in \`data/\`, each file with its command in \`data/commands.csv\`; constants are in \`configuration.json\`, versions in \`environment.json\`.`
}
