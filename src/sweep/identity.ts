import { createHash } from "node:crypto"

/** The identity of a run: SHA-256 of what determines its result, as JSON with sorted keys. */
export function identity(config: unknown): string {
  return createHash("sha256").update(encode(config)).digest("hex")
}

/** JSON with sorted keys in which NaN and the infinities survive as tagged strings. */
export function encode(value: unknown): string {
  return JSON.stringify(value, (_, v: unknown) => {
    if (typeof v === "number" && !Number.isFinite(v)) return `number:${v}`
    if (v !== null && typeof v === "object" && !Array.isArray(v))
      return Object.fromEntries(Object.entries(v).sort(([x], [y]) => (x < y ? -1 : 1)))
    return v
  })
}

/** The value that `encode` wrote. */
export function decode(text: string): unknown {
  return JSON.parse(text, (_, v: unknown) =>
    typeof v === "string" && /^number:(NaN|-?Infinity)$/.test(v) ? Number(v.slice(7)) : v,
  )
}
