import { existsSync } from "node:fs"
import { mkdir, rm } from "node:fs/promises"
import { dirname, resolve } from "node:path"
import type { DuckDBConnection, DuckDBValue } from "@duckdb/node-api"
import { LIST, listValue, VARCHAR } from "@duckdb/node-api"
import { written } from "../written.js"
import {
  attach,
  COLUMNS,
  connect,
  createEmpty,
  createView,
  journalOf,
  removeLeftovers,
  replaceCompact,
} from "./database.js"
import { decode, encode } from "./identity.js"

/** A run as it is stored: its identity, what determines it, and what came of it. */
export interface FinishedRun {
  readonly id: string
  readonly config: unknown
  readonly result: unknown
  readonly seconds: number
}

/** A store of finished runs; a run is finished once it is stored. */
export interface Store {
  /** The identities of the stored runs. */
  readonly finished: ReadonlySet<string>
  /** Hands a run over; resolves when it is stored, at most COMMIT_INTERVAL and one commit later. */
  put(run: FinishedRun): Promise<void>
  /** Resolves when all runs handed over are stored. */
  flush(): Promise<void>
  /** The results of those of the runs that are stored. */
  results(ids: Iterable<string>): Promise<Map<string, unknown>>
  /** What determined those of the runs that are stored, and how long they took. */
  taken(ids: Iterable<string>): Promise<readonly Pick<FinishedRun, "config" | "seconds">[]>
  /** Stores what was handed over. */
  close(): Promise<void>
}

/** A resumable store: on closing it leaves one file. */
export interface DatabaseStore extends Store {
  /** The database that reads the store: all stored runs are the view `stored`. */
  readonly connection: DuckDBConnection
}

/** Milliseconds between commits: what a kill can lose, and what keeps short runs from waiting for the disc. */
const COMMIT_INTERVAL = 250

/** How many runs are read at a time. */
const READ = 1000

/**
 * Opens a store for writing, creating it where there is none; a killed process's store is opened like any other.
 *
 * @param path a file, or ":memory:".
 * @param environment versions to be kept with every run.
 * @throws InputError if the file is not a store, cannot be opened or is open in another process.
 */
export async function openStore(path: string, environment: unknown): Promise<DatabaseStore> {
  const inMemory = path === ":memory:"
  const connection = await connect(inMemory ? ".duckdb.spill" : `${path}.spill`)
  try {
    await (inMemory ? attachMemory(connection) : written("--store", path, () => attachFiles(connection, path)))
    return await storeOn(connection, encode(environment), inMemory ? null : path)
  } catch (error) {
    connection.closeSync()
    throw error
  }
}

async function attachMemory(connection: DuckDBConnection): Promise<void> {
  for (const name of ["compact", "journal"]) {
    await connection.run(`attach ':memory:' as ${name}`)
    await connection.run(`create table ${name}.runs (${COLUMNS})`)
  }
}

async function attachFiles(connection: DuckDBConnection, path: string): Promise<void> {
  const field = "--store"
  // Looked at before anything is written beside it; read again under the lock, for it may be replaced until then.
  if (existsSync(path)) {
    await attach(connection, path, { as: "compact", field })
    await connection.run("detach compact")
  }
  await mkdir(dirname(resolve(path)), { recursive: true })
  await createEmpty(journalOf(path))
  await attach(connection, journalOf(path), { as: "journal", field, write: true })
  await createEmpty(path)
  await attach(connection, path, { as: "compact", field })
  await removeLeftovers(path)
}

async function storeOn(connection: DuckDBConnection, environment: string, path: string | null): Promise<DatabaseStore> {
  await createView(connection, "stored", "compact", "journal")
  const finished = new Set(await column(connection, "select id from stored"))
  let waiting: FinishedRun[] = []
  let last = 0
  let pending: Promise<void> | null = null
  let committing = Promise.resolve()

  const commit = async () => {
    pending = null
    const runs = waiting
    waiting = []
    if (runs.length === 0) return
    await connection.run("begin")
    const appender = await connection.createAppender("runs", "main", "journal")
    for (const { id, config, result, seconds } of runs) {
      for (const text of [id, encode(config), encode(result), environment]) appender.appendVarchar(text)
      appender.appendDouble(seconds)
      appender.endRow()
    }
    appender.closeSync()
    await connection.run("commit")
    for (const { id } of runs) finished.add(id)
    last = performance.now()
  }
  const commitNext = () => {
    committing = committing.then(commit)
    return committing
  }

  return {
    finished,
    connection,
    put(run) {
      waiting.push(run)
      pending ??= delay(last + COMMIT_INTERVAL - performance.now()).then(commitNext)
      return pending
    },
    flush: commitNext,
    async results(ids) {
      const rows = await rowsOf(connection, "id, result", ids)
      return new Map(rows.map(([id, result]) => [String(id), decode(String(result))]))
    },
    async taken(ids) {
      const rows = await rowsOf(connection, "config, seconds", ids)
      return rows.map(([config, seconds]) => ({ config: decode(String(config)), seconds: Number(seconds) }))
    },
    async close() {
      try {
        await commitNext()
        if (path !== null) await compact(connection, path)
      } finally {
        connection.closeSync()
      }
    },
  }
}

async function compact(connection: DuckDBConnection, path: string): Promise<void> {
  const added = await column(connection, "select id from journal.runs limit 1")
  if (added.length > 0) await replaceCompact(connection, path)
  // The lock is on the open file: who opens the store now makes a journal of its own. Where open files cannot be
  // removed the journal stays, and its runs count once.
  for (const file of [`${journalOf(path)}.wal`, journalOf(path)]) await rm(file, { force: true }).catch(() => {})
}

/** Columns of those of the runs that are stored. */
async function rowsOf(connection: DuckDBConnection, columns: string, ids: Iterable<string>): Promise<DuckDBValue[][]> {
  const rows: DuckDBValue[][] = []
  const all = [...ids]
  for (let i = 0; i < all.length; i += READ) {
    const some = listValue(all.slice(i, i + READ))
    const query = `select ${columns} from stored where id in (select unnest($1))`
    rows.push(...(await connection.runAndReadAll(query, [some], [LIST(VARCHAR)])).getRows())
  }
  return rows
}

async function column(connection: DuckDBConnection, query: string): Promise<string[]> {
  return (await connection.runAndReadAll(query)).getRows().map(([value]) => String(value))
}

function delay(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, Math.max(0, milliseconds)))
}
