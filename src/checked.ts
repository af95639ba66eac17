/** Values from outside against a schema whose fields say what they allow (`description`) and give an example. */
import { z } from "zod"
import { InputError } from "./inputError.js"
import { nearest } from "./nearest.js"

/** A schema with what it allows, in words, and an example: `checked` puts both into its refusal. */
export function documented<T extends z.ZodType>(schema: T, allowed: string, example: unknown): T {
  return schema.describe(allowed).meta({ examples: [example] })
}

/** A whole number, at least so large. */
export function count(least: number, what: string, example: number) {
  return documented(z.int().min(least), `${what}: an integer ≥ ${least}`, example)
}

/**
 * The value as the schema reads it, defaults filled in.
 *
 * @param root what the value itself is called in a refusal; @param prefix what is put before the path of a field
 * inside.
 * @throws InputError naming the field's path, what it holds, what is allowed, the nearest field's or option's name, and
 * an example.
 */
export function checked<T extends z.ZodType>(schema: T, value: unknown, root: string, prefix = ""): z.output<T> {
  const result = schema.safeParse(value)
  if (result.success) return result.data
  const { path, unknown } = deepest(result.error.issues[0]!, [])
  const { description, examples, fields, choices } = found(inputSchema(schema) as Schema, path)
  const given = path.reduce<unknown>((inner, key) => (inner as Record<PropertyKey, unknown>)[key], value)
  const near = unknown ? nearest(String(path.at(-1)), fields) : nearest(String(given), choices)
  throw new InputError({
    field: path.length === 0 ? root : `${prefix}${path.map(step).join("")}`,
    given: given ?? "nothing",
    allowed: unknown ? `no such field; the fields are ${fields.join(", ")}` : description,
    nearest: near,
    example: JSON.stringify(examples[0]),
  })
}

/**
 * The JSON Schema of what is given, with the examples of fields that are read as another type too, which zod leaves
 * out.
 */
export function inputSchema(schema: z.ZodType): z.core.JSONSchema.BaseSchema {
  return z.toJSONSchema(schema, {
    io: "input",
    override: ({ zodSchema, jsonSchema }) => {
      const examples = z.globalRegistry.get(zodSchema)?.examples
      if (Array.isArray(examples)) jsonSchema.examples = examples
    },
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
  readonly enum?: readonly unknown[]
  readonly const?: unknown
}

/** What the schema says of the field at the path, or of the nearest documented one around it, and that one's fields. */
function found(root: Schema, path: readonly PropertyKey[]) {
  let schemas: readonly Schema[] = [root]
  let best = told(root, schemas)
  for (const key of path) {
    schemas = schemas
      .flatMap(branches)
      .flatMap(({ properties, items }) => (typeof key === "number" ? items : properties?.[String(key)]) ?? [])
    const described = schemas.find(({ description }) => description !== undefined)
    if (described !== undefined) best = told(described, schemas)
  }
  return best
}

function told({ description = "", examples = [] }: Schema, schemas: readonly Schema[]) {
  const all = schemas.flatMap(branches)
  return {
    description,
    examples,
    fields: all.flatMap(({ properties }) => Object.keys(properties ?? {})),
    choices: all.flatMap((schema) => [...(schema.enum ?? []), schema.const]).filter((one) => typeof one === "string"),
  }
}

/** A schema and the branches of its unions, however deep. */
function branches(schema: Schema): Schema[] {
  return [schema, ...(schema.anyOf ?? []).flatMap(branches)]
}
