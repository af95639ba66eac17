import { InputError } from "../inputError.js"
import { environment } from "../report/environment.js"
import { mergeStores } from "../sweep/merge.js"

/** Options of `merge` as typed. */
export interface MergeOptions {
  readonly store: string
  readonly json?: boolean
}

/** Puts the runs of several stores into one. */
export async function mergeCommand(paths: readonly string[], { store, json }: MergeOptions): Promise<number> {
  if (store === ":memory:")
    throw new InputError({ field: "--store", given: store, allowed: "a file", example: "--store all.duckdb" })
  const { runs, added } = await mergeStores(paths, store, environment())
  process.stdout.write(
    json
      ? `${JSON.stringify({ schema: "lora-scaling/merge/1", store, runs, added }, null, 2)}\n`
      : `${store}: ${runs} runs, ${added} of them new\n`,
  )
  return 0
}
