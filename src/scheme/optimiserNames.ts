import { unknownName } from "../nearest.js"
import { OPTIMISERS, type OptimiserName } from "../program/optimiser.js"

const NAMES = Object.keys(OPTIMISERS) as OptimiserName[]

/** Other names of update rules, as libraries spell them: lower case, words joined by "-". */
const ALIASES: ReadonlyMap<string, OptimiserName> = new Map([
  ["adamw", "adam"],
  ["sign-sgd", "sign"],
  ["signsgd", "sign"],
  ["sign-descent", "sign"],
  ["gradient-descent", "sgd"],
  ["gd", "sgd"],
  ["sgd-momentum", "momentum"],
  ["heavy-ball", "momentum"],
  ["muon-raw", "muon"],
  ["muon-torch", "muon-original"],
  ["torch-muon", "muon-original"],
  ["torch-optim-muon", "muon-original"],
  ["muon-match-rms", "muon-match-rms-adamw"],
  ["muon-rms", "muon-match-rms-adamw"],
  ["moonlight", "muon-match-rms-adamw"],
  ["scaled-gd", "scaled-sgd"],
  ["sgdr", "scaled-sgd"],
  ["riemannian-sgd", "scaled-sgd"],
  ["scaledgd", "scaled-sgd"],
  ["scaled-adamw", "scaled-adam"],
  ["scaledadam", "scaled-adam"],
  ["scaledadamw", "scaled-adam"],
  ["riemannian-adamw", "scaled-adam"],
  ["adamwr", "scaled-adam-in-turn"],
  ["lorarite", "lora-rite"],
])

/** Words of libraries' names that say how a rule is computed, not what it is. */
const IMPLEMENTATION = new Set(
  "torch optim optimizer optimiser fused foreach apex hf bnb bitsandbytes paged xla npu".split(" "),
)

/** A word for the format in which a rule keeps its state. */
const BITS = /^\d+bit$/

/** What a name says that exponents leave out, by a word of the name. */
const NOTES: readonly { readonly of: RegExp; readonly note: (word: string) => string }[] = [
  { of: /^adamw$/, note: () => "AdamW is read as Adam: at a fixed step decoupled weight decay changes no exponent" },
  { of: BITS, note: (word) => `states kept in ${word.slice(0, -3)} bits are read as exact numbers` },
]

/** An update rule by any of its names, and what reading it so leaves out. */
interface NamedOptimiser {
  readonly name: OptimiserName
  readonly notes: readonly string[]
}

/**
 * The update rule of a name: this project's own, or one that libraries use (`AdamW`, `adamw_bnb_8bit`,
 * `torch.optim.SGD`).
 *
 * @throws InputError with the nearest name for a rule that is not known.
 */
export function optimiserNamed(text: string, field = "--optimiser"): NamedOptimiser {
  const words = text
    .toLowerCase()
    .replace(/([a-z])(\d+bit)/g, "$1-$2")
    .split(/[^a-z0-9]+/)
    .filter((word) => word !== "")
  const of = (some: readonly string[]): OptimiserName | undefined => {
    const joined = some.join("-")
    return NAMES.find((name) => name === joined) ?? ALIASES.get(joined)
  }
  const own = NAMES.find((name) => name === text)
  if (own !== undefined) return { name: own, notes: [] }
  const name = of(words) ?? of(words.filter((word) => !IMPLEMENTATION.has(word) && !BITS.test(word)))
  if (name === undefined) throw unknownName(field, text, NAMES)
  const notes = words.flatMap((word) => NOTES.filter((note) => note.of.test(word)).map(({ note }) => note(word)))
  return { name, notes }
}
