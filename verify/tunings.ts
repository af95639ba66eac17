/** The tables that a sweep of fine-tunings wrote, as sections read them. */
import { existsSync } from "node:fs"
import { join } from "node:path"
import { InputError } from "../src/inputError.js"
import { readTable } from "../src/table/readTable.js"
import { METRICS, type Metric } from "../src/train/tuning/task.js"

/** A run of the sweep's table. */
export interface TuningRun {
  readonly scheme: string
  readonly width: number
  readonly seed: number
  readonly rate: number
  readonly steps: number
  /** Both are NaN where the run diverged. */
  readonly trainingLoss: number
  readonly metric: number
}

/** A size at an adapted layer. */
export interface TuningSize extends Pick<TuningRun, "scheme" | "width" | "seed" | "rate"> {
  readonly step: number
  readonly module: string
  readonly kind: string
  readonly quantity: string
  readonly value: number
}

/** What a sweep's folder holds. */
export interface TuningTables {
  readonly runs: readonly TuningRun[]
  /** What the task's `metric` is. */
  readonly metric: Metric
  readonly sizes: readonly TuningSize[]
  readonly computedBy: string
}

/** @throws InputError for a folder without results.csv as `sweep --out` writes it; sizes may be missing. */
export async function tuningTables(folder: string): Promise<TuningTables> {
  const path = join(folder, "results.csv")
  const table = await readTable(path)
  const column = (name: string) => table.column(name)
  const rows = [...table.cells.rows.keys()]
  const names = Object.keys(METRICS) as Metric[]
  const found = names.filter(
    (name) => table.cells.columns.includes(name) && rows.some((row) => column(name).text(row) !== ""),
  )
  const [metric] = found
  if (metric === undefined || found.length > 1)
    throw new InputError({
      field: path,
      given: found.length === 0 ? "no metric" : found.join(", "),
      allowed: `runs of one task, with values in one of the columns ${names.join(", ")}`,
      example: "perplexity",
    })
  const number = (name: string, row: number) => Number(column(name).text(row) || Number.NaN)
  return {
    computedBy: [...new Set(rows.map((row) => column("computed_by").text(row)))].join(", "),
    metric,
    runs: rows.map((row) => ({
      scheme: column("scheme").text(row),
      width: column("width").positive(row),
      seed: column("seed").number(row),
      rate: column("rate").positive(row),
      steps: column("steps").positive(row),
      trainingLoss: number("training_loss", row),
      metric: number(metric, row),
    })),
    sizes: await sizesIn(folder),
  }
}

async function sizesIn(folder: string): Promise<TuningSize[]> {
  const path = ["sites.parquet", "sites.csv"].map((name) => join(folder, name)).find((name) => existsSync(name))
  if (path === undefined) return []
  const table = await readTable(path)
  const column = (name: string) => table.column(name)
  return [...table.cells.rows.keys()].map((row) => ({
    scheme: column("scheme").text(row),
    width: column("width").positive(row),
    seed: column("seed").number(row),
    rate: column("rate").positive(row),
    step: column("step").number(row),
    module: column("module").text(row),
    kind: column("kind").text(row),
    quantity: column("quantity").text(row),
    value: Number(column("value").text(row)),
  }))
}

/** What a quantity of a layer is called in a block's derivation; null for what is not derived by name. */
export function quantityOf(kind: string, quantity: string): string | null {
  const site = kind.replace(/_proj$/, "")
  return ["zA", "zB", "b", "delta1", "delta2", "delta3"].includes(quantity) ? `${quantity}[${site}]` : null
}
