import { createHash } from "node:crypto"
import { readdirSync, readFileSync } from "node:fs"
import { openCache } from "../cache.js"

/** The bundle's folder, where this runs from it. */
const BUNDLE = import.meta.url.includes("/dist/command/") ? new URL(".", import.meta.url) : null

let digest: string | undefined

/** The SHA-256 of all code of the bundle: the engine, the schemes and the libraries that both use. */
function engine(folder: URL): string {
  if (digest !== undefined) return digest
  const hash = createHash("sha256")
  for (const name of readdirSync(folder).sort()) hash.update(`${name}\n`).update(readFileSync(new URL(name, folder)))
  digest = hash.digest("hex")
  return digest
}

/**
 * What follows from the inputs: kept from before, by the same code and the same inputs, or computed now and kept.
 *
 * Only the bundled command remembers, since its code can be told from its files.
 *
 * @param inputs everything that the result depends on beside the code; it and the result are values that JSON can hold.
 */
export function remembered<T>(what: string, inputs: unknown, compute: () => T): T {
  if (BUNDLE === null) return compute()
  const cache = openCache("derivations")
  const key = [what, JSON.stringify(inputs), engine(BUNDLE)]
  const kept = cache.get(key) as { readonly result: T } | null
  if (kept !== null) return kept.result
  const result = compute()
  cache.set(key, { what, inputs, result })
  return result
}
