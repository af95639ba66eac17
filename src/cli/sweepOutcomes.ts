import type { SweepConfig } from "../sweep/config.js"
import { exportRuns, outcomeCounts } from "../sweep/export.js"
import type { PlannedRun } from "../sweep/plannedRun.js"
import type { DatabaseStore } from "../sweep/store.js"

/** Writes the table of a sweep's finished runs to the files, and prints how they ended. */
export async function writeOutcomes(
  { connection }: DatabaseStore,
  { experiment }: SweepConfig,
  runs: readonly PlannedRun[],
  files: readonly string[],
  { store, json }: { readonly store: string; readonly json?: boolean },
): Promise<void> {
  const ids = runs.map(({ id }) => id)
  await exportRuns(connection, experiment, ids, files)
  const outcomes = await outcomeCounts(connection, ids)
  const counts = Object.entries(outcomes).map(([kind, count]) => `${count} ${kind}`)
  const text = `${store}: ${[`${ids.length} runs`, ...counts].join(", ")}\n${files.map((file) => `${file}\n`).join("")}`
  const value = { schema: "lora-scaling/sweep/1", store, runs: ids.length, outcomes, files }
  process.stdout.write(json ? `${JSON.stringify(value, null, 2)}\n` : text)
}
