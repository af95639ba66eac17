import type { z } from "zod"

/** What a schema allows where it refused a value, in words: "a number", `"silu"`, "more than 0". */
export function allowedBy(issue: z.core.$ZodIssue): string {
  switch (issue.code) {
    case "invalid_value":
      return issue.values.map((value) => JSON.stringify(value)).join(", ")
    case "invalid_type":
      return TYPES[issue.expected] ?? issue.expected
    case "too_small":
      return `${issue.inclusive ? "at least" : "more than"} ${issue.minimum}`
    case "too_big":
      return `${issue.inclusive ? "at most" : "less than"} ${issue.maximum}`
    default:
      return issue.message
  }
}

const TYPES: Readonly<Record<string, string>> = {
  array: "a list",
  boolean: "true or false",
  int: "a whole number",
  number: "a number",
  object: "an object",
  record: "an object",
  string: "a text",
  tuple: "a list",
}

/** The value that an issue is about; null where there is none. */
export function valueAt(given: unknown, { path }: z.core.$ZodIssue): unknown {
  return (
    path.reduce<unknown>((at, key) => (at as Record<PropertyKey, unknown> | null | undefined)?.[key], given) ?? null
  )
}
