import { createHash } from "node:crypto"
import { DuckDBInstance } from "@duckdb/node-api"
import { InputError } from "../inputError.js"

/** A resumable store of finished runs in one DuckDB file; a run is known by the hash of its configuration. */
export interface Store {
  /** The result of each stored run by its identity. */
  readonly finished: ReadonlyMap<string, unknown>
  put(config: unknown, result: unknown, seconds: number): Promise<void>
  close(): void
}

/** The identity of a run: SHA-256 of its configuration as JSON with sorted keys. */
export function identity(config: unknown): string {
  return createHash("sha256").update(encode(config)).digest("hex")
}

/**
 * Opens a store, creating the file where there is none.
 *
 * @param path a file, or ":memory:".
 * @param environment versions to be kept with every run.
 * @throws InputError if the file is not a store or cannot be opened.
 */
export async function openStore(path: string, environment: unknown): Promise<Store> {
  const connection = await DuckDBInstance.create(path)
    .then((instance) => instance.connect())
    .catch((cause: unknown) => {
      const allowed = `a DuckDB file that no other program has open (${String(cause).split("\n")[0]})`
      throw new InputError({ field: "--store", given: path, allowed, example: "--store runs.duckdb" })
    })
  await connection.run(
    "create table if not exists runs (id text primary key, config text, result text, environment text, seconds double)",
  )
  const finished = new Map<string, unknown>()
  for (const [id, result] of (await connection.runAndReadAll("select id, result from runs")).getRows())
    finished.set(String(id), decode(String(result)))
  return {
    finished,
    async put(config, result, seconds) {
      const id = identity(config)
      await connection.run("insert or replace into runs values ($1, $2, $3, $4, $5)", [
        id,
        encode(config),
        encode(result),
        encode(environment),
        seconds,
      ])
      finished.set(id, result)
    },
    close: () => connection.closeSync(),
  }
}

/** JSON with sorted keys in which NaN and the infinities survive as tagged strings. */
function encode(value: unknown): string {
  return JSON.stringify(value, (_, v: unknown) => {
    if (typeof v === "number" && !Number.isFinite(v)) return `number:${v}`
    if (v !== null && typeof v === "object" && !Array.isArray(v))
      return Object.fromEntries(Object.entries(v).sort(([x], [y]) => (x < y ? -1 : 1)))
    return v
  })
}

function decode(text: string): unknown {
  return JSON.parse(text, (_, v: unknown) =>
    typeof v === "string" && /^number:(NaN|-?Infinity)$/.test(v) ? Number(v.slice(7)) : v,
  )
}
