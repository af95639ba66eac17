import { readFile } from "node:fs/promises"
import { parseDocument } from "yaml"
import { z } from "zod"
import { InputError } from "../inputError.js"
import { SweepConfig } from "./config.js"

/**
 * The configuration in a YAML or JSON file.
 *
 * @throws InputError naming the field's path, what it holds, what is allowed and an example.
 */
export async function readConfig(path: string): Promise<SweepConfig> {
  const text = await readFile(path, "utf8").catch((error: NodeJS.ErrnoException) => {
    const allowed = `a YAML or JSON file that can be read (${error.code})`
    throw new InputError({ field: "config", given: path, allowed, example: "sweep.yaml" })
  })
  const document = parseDocument(text)
  const [error] = document.errors
  if (error !== undefined)
    throw new InputError({
      field: path,
      given: text.split("\n")[(error.linePos?.[0].line ?? 1) - 1] ?? "",
      allowed: `YAML or JSON (${error.message.split("\n")[0]})`,
      example: "experiment: theory",
    })
  return checkedConfig(document.toJS())
}

/** The value as a configuration, defaults filled in. @throws InputError as `readConfig`. */
export function checkedConfig(value: unknown): SweepConfig {
  const result = SweepConfig.safeParse(value)
  if (result.success) return result.data
  const { path, unknown } = deepest(result.error.issues[0]!, [])
  const { description, examples, fields } = documented(value, path)
  throw new InputError({
    field: path.length === 0 ? "config" : path.map(step).join(""),
    given: path.reduce<unknown>((inner, key) => (inner as Record<PropertyKey, unknown>)[key], value) ?? "nothing",
    allowed: unknown ? `no such field; the fields are ${fields.join(", ")}` : description,
    example: JSON.stringify(examples[0]),
  })
}

const step = (key: PropertyKey, i: number) =>
  typeof key === "number" ? `[${key}]` : `${i > 0 ? "." : ""}${String(key)}`

type Issue = z.core.$ZodIssue

/** The innermost field that an issue is about; of a union's branches, the one that got furthest. */
function deepest(issue: Issue, outer: PropertyKey[]): { path: PropertyKey[]; unknown: boolean } {
  const path = [...outer, ...issue.path]
  if (issue.code === "unrecognized_keys") return { path: [...path, issue.keys[0]!], unknown: true }
  if (issue.code !== "invalid_union") return { path, unknown: false }
  const branches = issue.errors.flatMap(([first]) => (first === undefined ? [] : [deepest(first, path)]))
  return branches.reduce((best, branch) => (branch.path.length > best.path.length ? branch : best), {
    path,
    unknown: false,
  })
}

interface Schema {
  readonly description?: string
  readonly examples?: readonly unknown[]
  readonly properties?: Readonly<Record<string, Schema>>
  readonly items?: Schema
  readonly anyOf?: readonly Schema[]
}

/** What the schema says of the field at the path, or of the nearest documented one around it, and that one's fields. */
function documented(value: unknown, path: readonly PropertyKey[]) {
  const { experiment } = (value ?? {}) as { experiment?: unknown }
  const [theory, teacherStudent] = SweepConfig.options
  const root = z.toJSONSchema(experiment === "teacher-student" ? teacherStudent : theory, { io: "input" }) as Schema
  let schemas: readonly Schema[] = [root]
  let best = {
    description: "an object whose field experiment is theory or teacher-student",
    examples: [{ experiment: "theory" }] as readonly unknown[],
    fields: Object.keys(root.properties!),
  }
  for (const key of path) {
    const branches = schemas.flatMap((schema) => [schema, ...(schema.anyOf ?? [])])
    schemas = branches.flatMap(
      ({ properties, items }) => (typeof key === "number" ? items : properties?.[String(key)]) ?? [],
    )
    const found = schemas.find(({ description }) => description !== undefined)
    const fields = schemas
      .flatMap((schema) => [schema, ...(schema.anyOf ?? [])])
      .flatMap(({ properties }) => Object.keys(properties ?? {}))
    if (found !== undefined) best = { description: found.description!, examples: found.examples ?? [], fields }
  }
  return best
}
