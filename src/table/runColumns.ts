/** Which columns of a table mean what, beyond those that the user names. */

import { type EndingWords, type Meaning, stateOf, wordState } from "./outcome.js"
import { refusalOf } from "./refusal.js"
import type { Column, Table } from "./table.js"

/** Names of columns that count a run's steps, the finest first. */
const STEPS = [
  "step",
  "_step",
  "global_step",
  "trainer/global_step",
  "train/global_step",
  "steps_done",
  "iteration",
  "iter",
  "training_iteration",
  "t",
  "epoch",
  "train/epoch",
]
/** Names of columns that name a run. */
const RUNS = ["run_id", "run_name", "run", "id", "name", "experiment", "trial_id", "trial", "number"]

/** Columns as the user names them; undefined: recognised by name. */
export interface RunColumns {
  readonly width: string
  /** null where a size is fitted, not an optimal rate. */
  readonly rate: string | null
  readonly value: string
  readonly seed: string
  readonly by: readonly string[]
  readonly model: string | null
  readonly family?: string | null
  /** "none" for a table in which no column of such a name means it. */
  readonly step?: string | undefined
  readonly run?: string | undefined
  readonly state?: string | undefined
  /** Columns whose values do not matter: rows that differ in them are repetitions. */
  readonly pool?: readonly string[]
}

/** The columns themselves. */
export interface Roles {
  readonly width: Column
  readonly rate: Column | null
  readonly value: Column
  readonly seed: Column | null
  readonly by: readonly Column[]
  readonly model: Column | null
  readonly step: Column | null
  readonly run: Column | null
  readonly state: EndingWords | null
  /** Every other column. */
  readonly others: readonly Column[]
}

/**
 * @throws InputError for a column that the table does not have, one that is given two meanings, or a pattern over models
 * without models.
 */
export function rolesOf(table: Table, columns: RunColumns, meaning: Meaning): Roles {
  const { width, rate, value, seed, by, model, family = null, pool = [] } = columns
  const named = {
    width: table.column(width, "--width"),
    rate: rate === null ? null : table.column(rate, "--rate"),
    value: table.column(value, rate === null ? "--value" : "--loss"),
    seed: table.has(seed)
      ? table.column(seed)
      : seed === "seed"
        ? foundColumn(table, ["seed"])
        : table.column(seed, "--seed"),
    by: by.map((name) => table.column(name, "--by")),
    model: model === null ? null : table.column(model, "--model"),
  }
  if (family !== null && model === null && !table.has(family))
    throw refusalOf({
      field: "--family",
      given: family,
      allowed: `a column of ${table.file}, or with --model a pattern over the model's name`,
      example: "--model model --family '^[^/]+/([A-Za-z]+)'",
    })
  const used = new Set([width, rate, value, named.seed?.name, ...by, model])
  const twice = [rate, value].find((name) => name !== null && (name === width || (name === rate && name === value)))
  if (twice !== undefined)
    throw refusalOf({
      field: "column",
      given: twice ?? "",
      allowed: "columns of their own for width, rate and value",
      example: "--width width --rate lr --loss loss",
    })
  for (const column of [named.width, named.rate, named.value]) column?.requireOneUnit()
  named.width.requireOneScale()
  const role = (given: string | undefined, option: string, names: readonly string[]) => {
    if (given === "none") return null
    if (given !== undefined) return table.column(given, option)
    const name = table.find(names.filter((known) => !has(used, known)))
    const column = name === null || used.has(name) ? null : table.column(name)
    return column === null || column.isEmpty ? null : column
  }
  for (const name of pool) table.column(name, "--pool")
  const step = role(columns.step, "--step", STEPS)
  if (step !== null) used.add(step.name)
  const run = role(columns.run, "--run", RUNS)
  if (run !== null) used.add(run.name)
  const state =
    columns.state === undefined
      ? stateOf(table, used, meaning)
      : columns.state === "none"
        ? null
        : wordState(table.column(columns.state, "--state"))
  for (const { name } of state?.columns ?? []) used.add(name)
  for (const name of [...pool, family]) used.add(name)
  const others = table.columns.filter((name) => !used.has(name)).map((name) => table.column(name))
  return { ...named, step, run, state, others }
}

function foundColumn(table: Table, names: readonly string[]): Column | null {
  const name = table.find(names)
  return name === null ? null : table.column(name)
}

function has(used: ReadonlySet<string | null | undefined>, name: string): boolean {
  return [...used].some((each) => each?.toLowerCase() === name.toLowerCase())
}
