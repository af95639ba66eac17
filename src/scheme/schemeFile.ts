/** Schemes of one's own: a YAML, JSON, TypeScript or JavaScript file wherever a scheme's name stands. */
import { access } from "node:fs/promises"
import { basename, resolve } from "node:path"
import { fileURLToPath } from "node:url"
import { InputError } from "../inputError.js"
import { nearest } from "../nearest.js"
import { compiledFile } from "../packageFile.js"
import { schemeNamed } from "./catalogue.js"
import type { SchemeDefinition } from "./definition.js"

const FILE = /^(?<path>.*\.(?<ending>ya?ml|json|[cm]?[jt]s))(?:#(?<exported>\w+))?$/i

/** Whether a scheme's name is that of a file. */
export function isSchemeFile(name: string): boolean {
  return FILE.test(name) || /^\.{0,2}\//.test(name)
}

/**
 * The scheme of a name of the catalogue or of a file.
 *
 * A YAML or JSON file holds one definition; left out, its name is the file's. A TypeScript or JavaScript file is run:
 * its default export is the definition, or its only one, or the one named as in `file.ts#mine`.
 *
 * @param folder what a relative path is relative to.
 * @throws InputError for an unknown name, a file that cannot be read or run, or a definition that is not allowed.
 */
export async function schemeOf(name: string, folder = "."): Promise<SchemeDefinition> {
  if (!isSchemeFile(name)) return schemeNamed(name)
  const { path, ending, exported } = FILE.exec(name)?.groups ?? {}
  if (path === undefined || ending === undefined)
    throw new InputError({
      field: "scheme",
      given: name,
      allowed: "a .yaml, .json, .ts or .js file",
      example: "mine.yaml",
    })
  const file = resolve(folder, path)
  // What reads YAML is not needed for a name.
  const [{ readText }, { ownScheme, SCHEME_LINE, schemeText }] = await Promise.all([
    import("../yamlFile.js"),
    import("./schemeText.js"),
  ])
  const isText = /^(ya?ml|json)$/i.test(ending)
  return isText
    ? schemeText(await readText(file, "scheme", SCHEME_LINE), path, basename(path).replace(/\.\w+$/, ""))
    : ownScheme(await exportedFrom(file, name, exported), path)
}

/** The library for a file that imports it, wherever the file lies. */
const LIBRARY = fileURLToPath(compiledFile("index.js"))

async function exportedFrom(file: string, name: string, exported: string | undefined): Promise<unknown> {
  const refuse = (given: string, allowed: string, near?: string) =>
    new InputError({ field: "scheme", given, allowed, nearest: near, example: `${name.replace(/#.*/, "")}#mine` })
  await access(file).catch((error: NodeJS.ErrnoException) => {
    throw refuse(name, `a file that can be read (${error.code})`)
  })
  const { createJiti } = await import("jiti")
  const jiti = createJiti(import.meta.url, {
    fsCache: false,
    interopDefault: false,
    alias: { "lora-scaling": LIBRARY },
  })
  let module: Record<string, unknown>
  try {
    module = await jiti.import(file)
  } catch (error) {
    throw refuse(name, `a file that runs (${String(error).split("\n")[0]})`)
  }
  const all = Object.entries(module).filter(([, value]) => typeof value === "object" && value !== null)
  if (exported !== undefined) {
    const found = all.find(([key]) => key === exported)
    if (found !== undefined) return found[1]
    const names = all.map(([key]) => key)
    throw refuse(name, `what the file exports: ${names.join(", ") || "nothing"}`, nearest(exported, names))
  }
  const only = all.find(([key]) => key === "default") ?? (all.length === 1 ? all[0] : undefined)
  if (only !== undefined) return only[1]
  const several =
    all.length === 0 ? "" : `; this one has ${all.map(([key]) => key).join(", ")}, of which one is to be named`
  throw refuse(name, `a file that exports a scheme's definition as its default${several}`)
}
