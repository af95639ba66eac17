import { distance } from "fastest-levenshtein"
import { InputError } from "./inputError.js"

/** A name as people spell it, without case and punctuation: `LoRA_FA`, `lora-fa` and `loraFA` are one. */
export function plain(name: string): string {
  return name.toLowerCase().replace(/[^a-z0-9+]/g, "")
}

/**
 * Of the names the one that is spelt most like the given one: within a third of its letters, or else one of which the
 * other is the beginning; undefined if there is none.
 */
export function nearest(given: string, names: readonly string[]): string | undefined {
  const asked = plain(given)
  const ranked = names
    .map((name) => ({ name, spelt: plain(name), edits: distance(asked, plain(name)) }))
    .sort((x, y) => x.edits - y.edits)
  const isBeginning = (short: string, long: string) => short.length >= 3 && long.startsWith(short)
  const best =
    ranked.find(({ edits }) => edits <= Math.ceil(asked.length / 3) && edits < asked.length) ??
    ranked.find(({ spelt }) => isBeginning(spelt, asked) || isBeginning(asked, spelt))
  return best?.name
}

/** The refusal of a name that is none of the allowed ones, with the nearest of them. */
export function unknownName(field: string, given: string, names: readonly string[], example?: string): InputError {
  const near = nearest(given, names)
  const allowed = names.join(", ")
  return new InputError({ field, given, allowed, nearest: near, example: example ?? near ?? names[0] ?? "none" })
}
