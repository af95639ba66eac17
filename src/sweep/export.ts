/**
 * Results as flat tables: a row per step and quantity of a theory run, a row per run of the other experiments; of
 * fine-tunings a second table has a row per step, layer and quantity.
 */
import { existsSync } from "node:fs"
import { mkdir, rename, rm } from "node:fs/promises"
import { basename, extname, join } from "node:path"
import { type DuckDBConnection, LIST, listValue, VARCHAR } from "@duckdb/node-api"
import { InputError } from "../inputError.js"
import { METRICS } from "../train/tuning/task.js"
import { written } from "../written.js"
import { attachStore, quoted } from "./database.js"

export type ExperimentName = "theory" | "teacher-student" | "finetune"

/** A number that `identity.encode` wrote, as a double. */
const NUMBER = `create or replace temp macro num(x) as
  case when x like 'number:%' then cast(substr(x, 8) as double) else cast(x as double) end`

const RUN = `id, config->>'$.scheme' as scheme`
const DIGITS = `config->>'$.precision' as precision, config->>'$.backend' as backend`
const VERSION = `environment->>'$.loraScaling' as version`

const TUNING = `${RUN}, config->>'$.task.config.task' as task, cast(config->>'$.task.config.width' as integer) as width,
      substr(config->>'$.task.config.checkpoint', 1, 12) as checkpoint,
      cast(config->>'$.task.config.rank' as integer) as rank, cast(config->>'$.task.config.alpha' as double) as alpha,
      array_to_string(cast(config->'$.task.config.layers' as integer[]), ' ') as layers,
      cast(config->>'$.task.config.seed' as bigint) as seed,
      greatest(cast(config->>'$.task.config.rates.A' as double), if(cast(config->>'$.task.config.rates.A' as double) = 0,
        cast(config->>'$.task.config.rates.B' as double), 0)) as rate,
      cast(config->>'$.task.config.rates.B' as double) as rate_b`

/** What failed on a GPU before a run was computed as `computed_by` says, joined; null where nothing did. */
const failed = (path: string) => `array_to_string(cast(result->'${path}' as varchar[]), '; ') as failed`

/** A metric's column, empty for a task with another. */
const metricColumn = (metric: string) =>
  `case when config->>'$.task.config.metric' = '${metric}' then num(result->>'$.metric') end as ${metric}`

/** A flat table of the runs in a view of stored runs, and the order of its rows. */
interface FlatTable {
  readonly rows: (view: string) => string
  readonly order: string
}

/** The flat table of an experiment's runs. */
const TABLES: Readonly<Record<ExperimentName, FlatTable>> = {
  theory: {
    order: "scheme, point, optimiser, width, rank, seed, id, step, quantity",
    rows: (view) => `
    select id, scheme, point, optimiser, width, rank, seed, precision, backend, version, computed_by, failed, outcome, outcome_step,
      cast(entry->>'step' as integer) as step, num(entry->>'loss') as loss,
      unnest(json_keys(entry->'meanSquares')) as quantity,
      sqrt(num(entry->'meanSquares'->>unnest(json_keys(entry->'meanSquares')))) as value
    from (
      select ${RUN}, coalesce(array_to_string(list_transform(json_keys(config->'$.task.values'),
          key -> key || '=' || (config->'$.task.values'->>key)), ' '), '') as point,
        coalesce(config->>'$.task.definition.optimiser', 'adam') as optimiser,
        cast(config->>'$.task.config.width' as integer) as width, cast(config->>'$.task.config.rank' as integer) as rank,
        cast(config->>'$.task.seeds[0]' as bigint) as seed, ${DIGITS}, ${VERSION},
        result->>'$[0].outcome.kind' as outcome, cast(result->>'$[0].outcome.step' as integer) as outcome_step,
        coalesce(result->>'$[0].backend', 'reference ' || (config->>'$.precision')) as computed_by, ${failed("$[0].failed")},
        unnest(cast(result->'$[0].history' as json[])) as entry
      from ${view} where config->>'$.experiment' = 'theory'
    )`,
  },
  "teacher-student": {
    order: "readout, scheme, width, samples, steps, seed, rate, id",
    rows: (view) => `
    select ${RUN}, cast(config->>'$.task.config.width' as integer) as width,
      cast(config->>'$.task.config.rank' as integer) as rank, cast(config->>'$.task.config.inputs' as integer) as inputs,
      cast(config->>'$.task.config.samples' as integer) as samples,
      cast(config->>'$.task.config.teacherWidth' as integer) as teacher_width,
      cast(config->>'$.task.config.readout' as double) as readout, cast(config->>'$.task.config.steps' as integer) as steps,
      cast(config->>'$.task.config.seed' as bigint) as seed, cast(config->>'$.task.config.rates.A' as double) as rate,
      cast(config->>'$.task.config.rates.B' as double) as rate_b, ${DIGITS},
      coalesce(config->>'$.task.activations', 'float32') as activations, ${VERSION},
      result->>'$.backend' as computed_by, ${failed("$.failed")}, result->>'$.outcome.kind' as outcome, cast(result->>'$.outcome.step' as integer) as outcome_step,
      num(result->>'$.finalLoss') as loss, num(result->>'$.largest.zA') as zA, num(result->>'$.largest.zB') as zB,
      num(result->>'$.largest.outputChange') as output_change
    from ${view} where config->>'$.experiment' = 'teacher-student'`,
  },
  finetune: {
    order: "task, scheme, width, rank, seed, rate, id",
    rows: (view) => `
    select ${TUNING}, cast(config->>'$.task.config.steps' as integer) as steps, ${DIGITS}, ${VERSION},
      result->>'$.backend' as computed_by, ${failed("$.failed")}, result->>'$.outcome.kind' as outcome,
      cast(result->>'$.outcome.step' as integer) as outcome_step, num(result->>'$.finalLoss') as training_loss,
      ${Object.keys(METRICS).map(metricColumn).join(", ")}
    from ${view} where config->>'$.experiment' = 'finetune'`,
  },
}

/** The sizes at the adapted layers that fine-tunings recorded. */
const SIZES: FlatTable = {
  order: `${TABLES.finetune.order}, step, module, quantity`,
  rows: (view) => `
  select * exclude (entry), cast(entry->>'step' as integer) as step, entry->>'module' as module,
    regexp_extract(entry->>'module', '[^.]*$') as kind, unnest(json_keys(entry->'sizes')) as quantity,
    num(entry->'sizes'->>unnest(json_keys(entry->'sizes'))) as value
  from (
    select ${TUNING}, unnest(cast(result->'$.sites' as json[])) as entry
    from ${view} where config->>'$.experiment' = 'finetune'
  )`,
}

/** The names of tables in a folder; those of sizes are of fine-tunings alone. */
const [RESULTS, SITES] = ["results", "sites"]

/**
 * The files that an `--out` stands for: itself, or results.parquet and results.csv in a folder, for fine-tunings with
 * sites.parquet and sites.csv beside them.
 */
export function exportFiles(out: string, experiment: ExperimentName): readonly string[] {
  const extension = extname(out)
  if (extension === ".parquet" || extension === ".csv") return [out]
  const names = experiment === "finetune" ? [RESULTS, SITES] : [RESULTS]
  if (extension === "" || existsSync(out))
    return names.flatMap((name) => [join(out, `${name}.parquet`), join(out, `${name}.csv`)])
  throw new InputError({
    field: "--out",
    given: out,
    allowed: "a file that ends in .parquet or .csv, or a folder",
    example: "--out results.parquet",
  })
}

/** Writes the flat table of the runs to the files, each under a temporary name first. */
export async function exportRuns(
  connection: DuckDBConnection,
  experiment: ExperimentName,
  ids: readonly string[],
  files: readonly string[],
): Promise<void> {
  const isOfSites = (file: string) => experiment === "finetune" && basename(file, extname(file)) === SITES
  const parts = [
    { table: TABLES[experiment], own: files.filter((file) => !isOfSites(file)) },
    { table: SIZES, own: files.filter(isOfSites) },
  ]
  for (const { table, own } of parts) {
    if (own.length === 0) continue
    await gather(connection, table, ids, "gathered")
    for (const file of own) await written("--out", file, () => exportTable(connection, table.order, file))
  }
}

/** Writes what is gathered, in an order, to a file. */
async function exportTable(connection: DuckDBConnection, order: string, file: string): Promise<void> {
  const temporary = `${file}.${process.pid}.tmp`
  await mkdir(join(file, ".."), { recursive: true })
  try {
    const format = file.endsWith(".csv") ? "format csv, header" : "format parquet"
    await connection.run(`copy (from gathered order by ${order}) to ${quoted(temporary)} (${format})`)
    await rename(temporary, file)
  } catch (error) {
    await rm(temporary, { force: true })
    throw error
  }
}

/**
 * How long results may be together that are read at a time: DuckDB keeps what it parses of up to 2048 of them, for each
 * column that is read of them, and that is many times as long as their text.
 */
const PORTION = 5e5

/** The stored ones of the runs in portions of that length; one at least. */
async function portionsOf(connection: DuckDBConnection, ids: readonly string[]): Promise<(readonly string[])[]> {
  await choose(connection, ids)
  const found = await connection.runAndReadAll("select avg(length(result)) from chosen")
  const size = Math.max(1, Math.floor(PORTION / Math.max(1, Number(found.getRows()[0]![0]))))
  return Array.from({ length: Math.max(1, Math.ceil(ids.length / size)) }, (_, i) =>
    ids.slice(i * size, (i + 1) * size),
  )
}

/** Makes the rows of the runs a temporary table. */
async function gather(
  connection: DuckDBConnection,
  { rows }: FlatTable,
  ids: readonly string[],
  name: string,
): Promise<void> {
  for (const [i, portion] of (await portionsOf(connection, ids)).entries()) {
    await choose(connection, portion)
    const into = i === 0 ? `create or replace temp table ${name} as` : `insert into ${name}`
    await connection.run(`${into} ${rows("chosen")}`)
  }
}

/** How many of the runs ended how: "finished", "diverged", …. */
export async function outcomeCounts(
  connection: DuckDBConnection,
  ids: readonly string[],
): Promise<Record<string, number>> {
  const counts = new Map<string, number>()
  for (const portion of await portionsOf(connection, ids)) {
    await choose(connection, portion)
    const rows = await connection.runAndReadAll(
      "select coalesce(result->>'$[0].outcome.kind', result->>'$.outcome.kind') as kind, count(*) from chosen group by kind",
    )
    for (const [kind, count] of rows.getRows())
      counts.set(String(kind), (counts.get(String(kind)) ?? 0) + Number(count))
  }
  return Object.fromEntries([...counts].sort(([x], [y]) => (x < y ? 1 : -1)))
}

/** Makes the stored ones of the runs readable as the view `chosen`, and numbers as `num`. */
async function choose(connection: DuckDBConnection, ids: readonly string[]): Promise<void> {
  await connection.run(NUMBER)
  await connection.run(
    "create or replace temp table planned as select unnest($1) as id",
    [listValue([...ids])],
    [LIST(VARCHAR)],
  )
  await connection.run(
    "create or replace temp view chosen as select * from stored where id in (select id from planned)",
  )
}

/**
 * The query whose rows are those of a store, the runs of all experiments one below the other.
 *
 * @throws InputError for a file that is no store.
 */
export async function storeQuery(connection: DuckDBConnection, path: string): Promise<string> {
  await attachStore(connection, path, { as: "stored", field: "file" })
  const stored = await connection.runAndReadAll("select id from stored")
  const ids = stored.getRows().map(([id]) => String(id))
  const names = Object.keys(TABLES) as ExperimentName[]
  for (const [i, name] of names.entries()) await gather(connection, TABLES[name], ids, `gathered_${i}`)
  return names.map((name, i) => `(from gathered_${i} order by ${TABLES[name].order})`).join(" union all by name ")
}
