import { resolve } from "node:path"
import { LIST, listValue, VARCHAR } from "@duckdb/node-api"
import { InputError } from "../inputError.js"
import { attachStore } from "./database.js"
import { openStore } from "./store.js"

/** What a merge did. */
export interface Merged {
  /** The runs of the resulting store, and how many of them it did not have before. */
  readonly runs: number
  readonly added: number
}

/**
 * Puts the runs of stores into one, creating it where there is none. The order of the stores does not matter, nor does
 * merging one twice: of two records of a run with the same result the one that took less time is kept.
 *
 * @throws InputError naming the run if two stores disagree on its result, or naming the file if one is no store; the
 * resulting store then is as it was.
 */
export async function mergeStores(paths: readonly string[], out: string, environment: unknown): Promise<Merged> {
  const store = await openStore(out, environment)
  try {
    const { connection } = store
    const before = store.finished.size
    const others = [...new Set(paths.map((path) => resolve(path)))].filter((path) => path !== resolve(out))
    for (const [i, path] of others.entries()) await attachStore(connection, path, { as: `other${i}`, field: "store" })
    const all = ["stored", ...others.map((_, i) => `other${i}`)].map((view) => `from ${view}`).join(" union all ")
    const conflicts = await connection.runAndReadAll(
      `select id, any_value(config) from (${all}) group by id having count(distinct result) > 1 order by id limit 1`,
    )
    const [conflict] = conflicts.getRows()
    if (conflict !== undefined)
      throw new InputError({
        field: `run ${String(conflict[0]).slice(0, 12)}`,
        given: JSON.parse(String(conflict[1])),
        allowed: "the same result in every store",
        example: "stores that the same version filled on machines that compute alike",
      })
    await connection.run(
      `create temp table chosen as
       select id, any_value(config) as config, any_value(result) as result,
         min({ 'seconds': seconds, 'environment': environment }) as provenance
       from (${all}) group by id`,
    )
    await connection.run("begin")
    await connection.run("delete from journal.runs")
    await connection.run(
      "insert into journal.runs select id, config, result, provenance.environment, provenance.seconds from chosen",
    )
    await connection.run("commit")
    const [[runs]] = (await connection.runAndReadAll("select count(*) from chosen")).getRows() as [[bigint]]
    return { runs: Number(runs), added: Number(runs) - before }
  } finally {
    await store.close()
  }
}

/** Puts the runs of these identities from a store into another, creating it where there is none, that lacks them. */
export async function copyRuns(ids: readonly string[], from: string, to: string, environment: unknown): Promise<void> {
  const store = await openStore(to, environment)
  try {
    await attachStore(store.connection, from, { as: "source", field: "store" })
    await store.connection.run(
      `insert into journal.runs select id, config, result, environment, seconds from source
       where id in (select unnest($1)) and id not in (select id from stored)`,
      [listValue([...ids])],
      [LIST(VARCHAR)],
    )
  } finally {
    await store.close()
  }
}
