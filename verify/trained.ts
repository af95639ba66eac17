import { schemeNamed } from "../src/scheme/catalogue.js"
import type { Setting } from "./measure.js"

/** A scheme of the catalogue under Adam on the squared loss of four samples, as the synthetic experiment trains. */
export function trained(name: string, values: Readonly<Record<string, string>>): Setting {
  return { definition: { ...schemeNamed(name), optimiser: "adam", loss: "squared", batch: 4 }, values }
}
