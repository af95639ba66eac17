import { initA } from "./initA.js"
import { initB } from "./initB.js"
import { loraPlus } from "./loraPlus.js"
import { onModel } from "./onModel.js"
import { PEFT_SCHEMES } from "./peft.js"
import { RANK_SCHEMES } from "./rank.js"
import type { SchemeDefinition } from "./scheme.js"

/** Where a scheme of one layer is measured on a block, if not at its own point: there features stay bounded. */
const POINTS: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  "lora-plus": { cA: "-1", cB: "-1/2" },
  "peft-gaussian": { c: "-1" },
  "peft-eva": { c: "-1", k: "1/2" },
  "lora-fa": { c: "-1/2" },
}

/** A start along the first gradient needs a layer whose gradient is known before training: a single one. */
const isAlongGradient = ({ start: { A, B } }: SchemeDefinition) =>
  [A, B].some((side) => side !== "zero" && side.along === "gradient")

const STARTS: readonly SchemeDefinition[] = [
  initA,
  initB,
  loraPlus,
  ...RANK_SCHEMES.filter(({ name }) => name === "rslora"),
  ...PEFT_SCHEMES.filter((definition) => definition.spaces === undefined && !isAlongGradient(definition)),
]

/** The starts that people use, on every layer of a block as in Llama and of one as in BERT. */
export const BLOCK_SCHEMES: readonly SchemeDefinition[] = ["llama-block", "bert-block"].flatMap((kind) =>
  STARTS.map((definition) => {
    const example = POINTS[definition.name] ?? definition.example
    return { ...onModel(kind, definition), ...(example && { example }) }
  }),
)
