import { dora } from "./dora.js"
import type { AdapterForm } from "./form.js"
import { lora } from "./lora.js"
import { loraXs } from "./loraXs.js"
import { vera } from "./vera.js"

/** The kinds of adapters by name. */
export const ADAPTERS = {
  lora,
  vera,
  "lora-xs": loraXs,
  dora: dora("through"),
  "dora-detached": dora("detached"),
} satisfies Readonly<Record<string, AdapterForm>>

/** The name of a kind of adapter. */
export type AdapterName = keyof typeof ADAPTERS
