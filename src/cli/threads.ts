import { availableParallelism } from "node:os"
import { integer } from "../optionText.js"

/** The number of threads as typed, by default one per core. */
export function threads(text: string | undefined): number {
  return text === undefined ? availableParallelism() : integer("--workers", text, 0)
}
