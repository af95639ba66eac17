/**
 * Lays the site's pages into site/pages: those of docs/ as they stand, and the reference as the program, its schemas
 * and the library's docstrings say it. Run by `npm run docs`, after the build.
 */
import { execFileSync } from "node:child_process"
import { cp, mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises"
import { dirname, join, normalize, relative } from "node:path"
import { fileURLToPath } from "node:url"

const root = fileURLToPath(new URL("../", import.meta.url))
const pages = join(root, "site/pages")

await rm(pages, { recursive: true, force: true })
const docs = (await readdir(join(root, "docs"), { recursive: true })).filter((name) => name.endsWith(".md"))
/** Where each page of the repository stands on the site. */
const places = new Map<string, string>([
  ...docs.map((name) => [`docs/${name}`, name] as const),
  ["CONTRIBUTING.md", "CONTRIBUTING.md"],
  ["CHANGELOG.md", "CHANGELOG.md"],
  ["README.md", "README.md"],
])
for (const [from, to] of places) await put(to, linked(from, await readFile(join(root, from), "utf8")))
await put("reference/commands.md", commands())
await put("reference/schemas.md", await schemas())
await cp(join(root, "dist/web"), join(pages, "public/explorer"), { recursive: true })

async function put(name: string, text: string): Promise<void> {
  const file = join(pages, name)
  await mkdir(dirname(file), { recursive: true })
  await writeFile(file, text)
}

/**
 * A page with links as the site has them: pictures stay files of the repository; what is no page is named without a
 * link.
 */
function linked(from: string, text: string): string {
  const to = places.get(from)!
  return text.replace(
    /(!?)\[((?:[^[\]]|\[[^\]]*\])*)\]\(([^)\s#]*)(#[^)\s]*)?\)/g,
    (whole, picture, words, target, anchor = "") => {
      if (/^[a-z]+:/.test(target) || target === "") return whole
      const path = normalize(join(dirname(from), target))
      if (picture === "!") return `![${words}](${relative(join(pages, dirname(to)), join(root, path))})`
      const page = places.get(path) ?? places.get(`${path.replace(/\/$/, "")}/README.md`)
      if (page === undefined) return words
      return `[${words}](${relative(dirname(to), page).replace(/^(?!\.)/, "./")}${anchor})`
    },
  )
}

/** Every command as `--help` tells it. */
function commands(): string {
  const help = (...words: string[]) =>
    execFileSync(process.execPath, [join(root, "dist/command/main.js"), ...words, "--help"], {
      encoding: "utf8",
      env: { ...process.env, NO_COLOR: "1", COLUMNS: "100" },
    }).trimEnd()
  const names = [...help().matchAll(/^ {2}([a-z]+) /gm)].map(([, name]) => name!).filter((name) => name !== "help")
  const sections = names.map((name) => `## ${name}\n\n\`\`\`text\n${help(name)}\n\`\`\`\n`)
  return `# Commands\n\nAs \`lora-scaling <command> --help\` tells them.\n\n${sections.join("\n")}`
}

interface Schema {
  readonly description?: string
  readonly type?: string | readonly string[]
  readonly const?: unknown
  readonly enum?: readonly unknown[]
  readonly properties?: Readonly<Record<string, Schema>>
  readonly items?: Schema
  readonly anyOf?: readonly Schema[]
  readonly required?: readonly string[]
  readonly additionalProperties?: Schema | boolean
}

/** Every schema of the package, a table of fields each. */
async function schemas(): Promise<string> {
  const folder = join(root, "dist/schema")
  const sections = await Promise.all(
    (await readdir(folder)).sort().map(async (name) => {
      const schema = JSON.parse(await readFile(join(folder, name), "utf8")) as Schema
      const rows = fieldsOf(schema, "").map(([path, type, words]) => `| \`${path}\` | ${type} | ${escaped(words)} |`)
      return `## ${name}\n\n| field | type | what it is |\n| --- | --- | --- |\n${rows.join("\n")}\n`
    }),
  )
  return `# Files and JSON\n\nThe schemas that the package holds (\`lora-scaling/schema/<name>\`): files that it reads, and what \`--json\` prints. A field of a list is written \`[]\`, one of any name \`*\`.\n\n${sections.join("\n")}`
}

function fieldsOf(schema: Schema, path: string): (readonly [string, string, string])[] {
  const own = Object.entries(schema.properties ?? {}).flatMap(([name, field]) => {
    const at = path === "" ? name : `${path}.${name}`
    const optional = schema.required?.includes(name) ? "" : ", optional"
    return [[at, `${typeOf(field)}${optional}`, field.description ?? ""] as const, ...fieldsOf(field, at)]
  })
  const branches = (schema.anyOf ?? []).flatMap((branch) => fieldsOf(branch, path))
  const items = schema.items === undefined ? [] : fieldsOf(schema.items, `${path}[]`)
  const any = schema.additionalProperties
  const named = typeof any === "object" ? fieldsOf(any, `${path}.*`) : []
  const all = [...own, ...branches, ...items, ...named]
  return [...new Map(all.map((row) => [row[0], row])).values()]
}

function typeOf({ type, const: only, enum: values, anyOf, items }: Schema): string {
  if (only !== undefined) return `\`${JSON.stringify(only)}\``
  if (Array.isArray(type)) return type.join(" or ")
  if (values !== undefined) return values.map((value) => `\`${JSON.stringify(value)}\``).join(", ")
  if (anyOf !== undefined) return [...new Set(anyOf.map(typeOf))].join(" or ")
  return type === "array" && items !== undefined ? `list of ${typeOf(items)}` : String(type ?? "anything")
}

function escaped(text: string): string {
  return text.replaceAll("|", "\\|").replaceAll("<", "&lt;").replaceAll("{", "&#123;")
}
