import type { ClaimsJson } from "../../src/report/claims.js"
import type { SchemeDefinition } from "../../src/scheme/scheme.js"
import { memoryStore } from "../../src/sweep/memoryStore.js"
import { createPool } from "../../src/train/pool.js"
import { claimsJson } from "./claimTable.js"
import { coordinateCheck } from "./coordinateCheck.js"

/** How a scheme is checked. */
export interface CheckOptions {
  /** A value for every symbol of the scheme; by default the scheme's example. */
  readonly at?: Readonly<Record<string, string>>
  readonly widths?: readonly number[]
  readonly seeds?: number
  readonly steps?: number
  readonly rank?: number
  /** Threads; by default one per core. */
  readonly workers?: number
}

/**
 * Any scheme, derived and measured: a verdict on each of its quantities at each step, in the theory's setting.
 *
 * @throws InputError for a scheme or options that cannot be run.
 */
export async function check(
  definition: SchemeDefinition,
  { at, workers, ...budget }: CheckOptions = {},
): Promise<ClaimsJson["claims"]> {
  const pool = createPool(workers)
  const store = memoryStore()
  try {
    const setting = { definition, values: at ?? definition.example ?? {} }
    return claimsJson(await coordinateCheck([setting], budget, { pool, store })).claims
  } finally {
    await store.close()
    await pool.close()
  }
}
