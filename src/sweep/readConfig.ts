import { dirname } from "node:path"
import { InputError } from "../inputError.js"
import { isSchemeFile, schemeOf } from "../scheme/schemeFile.js"
import { tuningFacts } from "../train/tuning/facts.js"
import { readYaml } from "../yamlFile.js"
import { checkedConfig, type SweepConfig } from "./config.js"
import type { SchemeEntry } from "./fields.js"

/**
 * The configuration in a YAML or JSON file; schemes, models and texts that it names by a file,
 * relative to its own folder, are read too.
 *
 * @throws InputError naming the field's path, what it holds, what is allowed and an example.
 */
export async function readConfig(path: string): Promise<SweepConfig> {
  const config = checkedConfig(await readYaml(path, "config", "experiment: theory"))
  const schemes: SchemeEntry[] = []
  for (const [i, entry] of config.schemes.entries()) {
    const { scheme, ...rest } = typeof entry === "string" ? { scheme: entry } : entry
    const isFile = typeof scheme === "string" && isSchemeFile(scheme)
    schemes.push(isFile ? { ...rest, scheme: await read(scheme, dirname(path), `schemes[${i}]`) } : entry)
  }
  if (config.experiment !== "finetune") return { ...config, schemes }
  return { ...config, schemes, facts: await tuningFacts(config, dirname(path)) }
}

async function read(name: string, folder: string, field: string): Promise<Record<string, unknown>> {
  try {
    return { ...(await schemeOf(name, folder)) }
  } catch (error) {
    if (!(error instanceof InputError)) throw error
    throw error.inside(field)
  }
}
