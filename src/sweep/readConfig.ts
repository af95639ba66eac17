import { dirname } from "node:path"
import { InputError, inside } from "../inputError.js"
import { isSchemeFile, schemeOf } from "../scheme/schemeFile.js"
import { expectedFacts, tuningFacts } from "../train/tuning/facts.js"
import { readYaml } from "../yamlFile.js"
import { checkedConfig, type SweepConfig } from "./config.js"
import type { SchemeEntry } from "./fields.js"

/** How files are met that are not there. */
interface ReadOptions {
  /** Takes what the configuration expects of them instead, where it says so, and is told why: for a plan. */
  readonly expect?: (why: string) => void
}

/**
 * The configuration in a YAML or JSON file; schemes, models and texts that it names by a file,
 * relative to its own folder, are read too.
 *
 * @throws InputError naming the field's path, what it holds, what is allowed and an example.
 */
export function readConfig(path: string, options: ReadOptions = {}): Promise<SweepConfig> {
  return readYaml({ path, field: "config", example: "experiment: theory" }, async (value, placed) => ({
    ...(await withFiles(checkedConfig(value), dirname(path), options)),
    placed,
  }))
}

/** The configuration with what its files hold. */
async function withFiles(config: SweepConfig, folder: string, { expect }: ReadOptions): Promise<SweepConfig> {
  const schemes: SchemeEntry[] = []
  for (const [i, entry] of config.schemes.entries()) {
    const { scheme, ...rest } = typeof entry === "string" ? { scheme: entry } : entry
    const isFile = typeof scheme === "string" && isSchemeFile(scheme)
    schemes.push(isFile ? { ...rest, scheme: await read(scheme, folder, `schemes[${i}]`) } : entry)
  }
  if (config.experiment !== "finetune") return { ...config, schemes }
  const facts = await tuningFacts(config, folder).catch((error: unknown) => {
    if (!(error instanceof InputError) || expect === undefined || config.expected === undefined) throw error
    expect(error.message)
    return expectedFacts(config.checkpoints, config.expected, folder)
  })
  return { ...config, schemes, facts }
}

async function read(name: string, folder: string, field: string): Promise<Record<string, unknown>> {
  try {
    return { ...(await schemeOf(name, folder)) }
  } catch (error) {
    throw inside(error, field)
  }
}
