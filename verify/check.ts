import type { ClaimsJson } from "../src/report/claims.js"
import type { SchemeDefinition } from "../src/scheme/scheme.js"
import { openStore } from "../src/sweep/store.js"
import { createPool } from "../src/train/pool.js"
import { claimsJson } from "./claims.js"
import { BUDGET, verifyTheorySetting } from "./theorySetting.js"

/** How a scheme is checked. */
export interface CheckOptions {
  /** A value for every symbol of the scheme. */
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
  { at = {}, workers, ...budget }: CheckOptions = {},
): Promise<ClaimsJson["claims"]> {
  const pool = createPool(workers)
  const store = await openStore(":memory:", {})
  try {
    const claims = await verifyTheorySetting([{ definition, values: at }], { ...BUDGET, ...budget }, { pool, store })
    return claimsJson(claims).claims
  } finally {
    store.close()
    await pool.close()
  }
}
