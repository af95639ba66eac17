/**
 * How a store lies on disk, and why.
 *
 * A process may be killed at any moment. DuckDB's write-ahead log survives that: what is committed stays, and a torn
 * tail is cut off when the log is next read. Its checkpoint does not: blocks of the database file are rewritten in
 * place, and a block half written is a corrupt file. So no file that holds results is ever checkpointed in place:
 *
 *     runs.duckdb               the finished runs; only read, and replaced by renaming
 *     runs.duckdb.journal       an empty table whose lock makes its holder the one writer
 *     runs.duckdb.journal.wal   the runs finished since: a log that is only appended to
 *
 * On closing, both are written to a new file, which is renamed over the first, and the journal is removed. A kill
 * between the two leaves runs in both, and they count once. What a killed process leaves is therefore always a store.
 */
import { existsSync } from "node:fs"
import { link, readdir, rename, rm } from "node:fs/promises"
import { basename, dirname, join, resolve } from "node:path"
import { type DuckDBConnection, DuckDBInstance } from "@duckdb/node-api"
import { InputError } from "../inputError.js"

/** The columns of a stored run; the texts are JSON of `identity.encode`. */
export const COLUMNS = "id text primary key, config text, result text, environment text, seconds double"

/** The file that holds the runs finished since the store was last closed. */
export function journalOf(path: string): string {
  return `${path}.journal`
}

/**
 * A database in memory to which stores are attached: one thread, bounded memory, no checkpoint but on demand.
 *
 * @param spill where what exceeds the memory goes.
 */
export async function connect(spill: string): Promise<DuckDBConnection> {
  const instance = await DuckDBInstance.create(":memory:", {
    threads: "1",
    memory_limit: STORE_MEMORY,
    temp_directory: spill,
    checkpoint_threshold: "1TB",
  })
  const connection = await instance.connect()
  await connection.run("pragma disable_checkpoint_on_shutdown")
  return connection
}

/** What DuckDB may take. */
const STORE_MEMORY = "256MB"

/**
 * Attaches a database file under a name.
 *
 * @throws InputError naming the option if it is no store, cannot be read, or another process has it open.
 */
export async function attach(
  connection: DuckDBConnection,
  path: string,
  { as, field, write = false }: { readonly as: string; readonly field: string; readonly write?: boolean },
): Promise<void> {
  try {
    await connection.run(`attach ${quoted(path)} as ${as} ${write ? "" : "(read_only)"}`)
  } catch (cause) {
    throw new InputError({ field, given: path, allowed: reason(String(cause)), example: exampleOf(field) })
  }
  const [found] = (
    await connection.runAndReadAll(
      `select list(column_name order by column_name) = ['config', 'environment', 'id', 'result', 'seconds']
       from duckdb_columns() where database_name = '${as}' and table_name = 'runs'`,
    )
  ).getRows()
  if (found?.[0] === true) return
  await connection.run(`detach ${as}`)
  throw new InputError({
    field,
    given: path,
    allowed: "a store of this program: the file is a DuckDB database of another kind",
    example: exampleOf(field),
  })
}

function exampleOf(field: string): string {
  return field.startsWith("--") ? `${field} runs.duckdb` : "runs.duckdb"
}

function reason(cause: string): string {
  if (/lock/i.test(cause)) {
    const holder = /PID (\d+)/.exec(cause)?.[1]
    return `a store that no other process has open${holder === undefined ? "" : ` (process ${holder} has it)`}`
  }
  return `a DuckDB file that can be read (${cause.split("\n")[0]})`
}

/**
 * Makes the runs of a store, finished before its last closing or after, readable as the view `as`.
 *
 * @throws InputError as `attach`.
 */
export async function attachStore(
  connection: DuckDBConnection,
  path: string,
  { as, field }: { readonly as: string; readonly field: string },
): Promise<void> {
  if (!existsSync(path))
    throw new InputError({ field, given: path, allowed: "a file that exists", example: exampleOf(field) })
  await attach(connection, path, { as: `${as}_compact`, field })
  const journal = existsSync(journalOf(path))
  if (journal) await attach(connection, journalOf(path), { as: `${as}_journal`, field })
  await createView(connection, as, `${as}_compact`, journal ? `${as}_journal` : null)
}

/** The union of two tables of runs; where both have a run, the journal's counts. */
export async function createView(
  connection: DuckDBConnection,
  view: string,
  compact: string,
  journal: string | null,
): Promise<void> {
  const both = `select * from ${journal}.runs
    union all select * from ${compact}.runs where id not in (select id from ${journal}.runs)`
  await connection.run(`create or replace temp view ${view} as ${journal === null ? `from ${compact}.runs` : both}`)
}

/** Creates a file with an empty table of runs where there is none: it is there whole or not at all. */
export async function createEmpty(path: string): Promise<void> {
  if (existsSync(path)) return
  const temporary = temporaryOf(path)
  await rm(temporary, { force: true })
  const instance = await DuckDBInstance.create(temporary)
  const connection = await instance.connect()
  await connection.run(`create table runs (${COLUMNS})`)
  connection.closeSync()
  instance.closeSync()
  await link(temporary, path).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== "EEXIST") return rename(temporary, path)
  })
  await rm(temporary, { force: true })
}

/** Writes the runs of the view `stored` to a new file and renames it over the path, which is attached as `compact`. */
export async function replaceCompact(connection: DuckDBConnection, path: string): Promise<void> {
  const temporary = temporaryOf(path)
  await rm(temporary, { force: true })
  try {
    await connection.run(`attach ${quoted(temporary)} as fresh`)
    await connection.run("create table fresh.runs as from stored")
    await connection.run("checkpoint fresh")
    await connection.run("detach fresh")
    await connection.run("detach compact")
    await rename(temporary, path)
  } catch (error) {
    await rm(temporary, { force: true })
    throw error
  }
}

function temporaryOf(path: string): string {
  return `${path}.${process.pid}.tmp`
}

/** Removes what processes that are gone left half written beside the path. */
export async function removeLeftovers(path: string): Promise<void> {
  const folder = dirname(resolve(path))
  const name = basename(path)
  for (const entry of await readdir(folder)) {
    const pid = entry.startsWith(name) ? /^(?:\.journal)?\.(\d+)\.tmp/.exec(entry.slice(name.length))?.[1] : undefined
    if (pid !== undefined && !isAlive(Number(pid))) await rm(join(folder, entry), { force: true })
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM"
  }
}

/** A text as an SQL literal. */
export function quoted(text: string): string {
  return `'${text.replaceAll("'", "''")}'`
}
