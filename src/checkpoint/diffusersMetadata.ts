import { allowedBy } from "./issue.js"
import { MalformedFile } from "./malformed.js"
import { PeftConfig } from "./peftConfig.js"
import type { TensorFile } from "./tensorFile.js"

/** The key of the metadata in which diffusers keeps what PEFT keeps in adapter_config.json. */
const KEY = "lora_adapter_metadata"

/** A module's configuration and its name within its part of the pipeline. */
export interface PartConfig {
  readonly config: PeftConfig
  readonly module: string
}

/**
 * PEFT's configuration of a module in a file by diffusers (0.34 and later): one object of fields by part of the
 * pipeline, as `{"transformer.r": 4, "transformer.lora_alpha": 8}`.
 *
 * @returns null for a module of a part that it does not name, and where the file has none.
 * @throws MalformedFile for a text that is no such object.
 */
export function configWithin(file: TensorFile): (module: string) => PartConfig | null {
  const text = file.metadata.get(KEY)
  if (typeof text !== "string") return () => null
  const refuse = (given: unknown, allowed: string) =>
    new MalformedFile(
      { file: file.path, byte: 8, part: `${KEY} of __metadata__` },
      given,
      allowed,
      '{"transformer.r": 4, "transformer.lora_alpha": 8}',
    )
  let fields: unknown
  try {
    fields = JSON.parse(text)
  } catch (error) {
    throw refuse(String(error), "JSON")
  }
  if (typeof fields !== "object" || fields === null || Array.isArray(fields)) throw refuse(fields, "an object")
  const parts = new Map<string, Record<string, unknown>>()
  for (const [name, value] of Object.entries(fields)) {
    const [, part, field] = /^([^.]+)\.(.+)$/.exec(name) ?? []
    if (part !== undefined) parts.set(part, { ...parts.get(part), [field!]: value })
  }
  const configs = new Map<string, PeftConfig>()
  for (const [part, own] of parts) {
    if (own.r === undefined && own.lora_alpha === undefined) continue
    const config = PeftConfig.safeParse({ peft_type: "LORA", ...own })
    if (!config.success) {
      const [issue] = config.error.issues
      throw refuse(`${part}.${issue!.path.map(String).join(".")}`, allowedBy(issue!))
    }
    configs.set(part, config.data)
  }
  return (module) => {
    const [, part, rest] = /^([^.]+)\.(.+)$/.exec(module) ?? []
    const config = part === undefined ? undefined : configs.get(part)
    return config === undefined ? null : { config, module: rest! }
  }
}
