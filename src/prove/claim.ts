import type { ClaimJson } from "../../proofs/kernel.js"
import { parseAffine, parseCondition } from "../exponent/grammar.js"
import { InputError } from "../inputError.js"
import { nearest } from "../nearest.js"
import { formJson } from "./recurrence.js"

type Atom = ClaimJson["atoms"][number]

const EXAMPLE = '"zB <= 0 for all t iff c <= -1/2"'
const GRAMMAR =
  "statements joined by and (zB <= 0, delta1 == 0, stable, internally stable, feature learning, efficient), each for all t or for all t >= k, then iff, if or only if and a condition, or for some / every with all symbols"

/** What the words of [Init] and [LoRA+] stand for. */
const WORDS: Readonly<Record<string, readonly Pick<Atom, "quantity" | "relation">[]>> = {
  stable: [{ quantity: "zB", relation: "<=" }],
  "internally stable": [
    { quantity: "zB", relation: "<=" },
    { quantity: "zA", relation: "<=" },
  ],
  "feature learning": [{ quantity: "deltaZB", relation: "==" }],
  efficient: [
    { quantity: "zB", relation: "<=" },
    { quantity: "delta1", relation: "==" },
    { quantity: "delta2", relation: "==" },
  ],
}

/** A claim as typed. "for some cA, cB" says that its atoms hold somewhere. */
export interface Claim extends ClaimJson {
  readonly text: string
  readonly existential: boolean
  /** The symbols that "for some" or "for every" names. */
  readonly quantified: readonly string[]
}

/**
 * The claim that the text makes of a scheme's quantities; boundedness is asked at every t ≥ 1, also in `efficient for
 * all t >= 3`, whose k is for δ¹ and δ² only.
 *
 * @throws InputError for a text outside the grammar.
 */
export function parseClaim(text: string): Claim {
  const refuse = (): never => {
    throw new InputError({ field: "claim", given: text, allowed: GRAMMAR, example: EXAMPLE })
  }
  const match =
    /^(.*?)\s+(?:(iff|only if|if)\s+(.+)|for (some|every) ([A-Za-z]\w*(?:(?:\s*,\s*|\s+and\s+)[A-Za-z]\w*)*))$/.exec(
      text.trim(),
    )
  if (match === null) return refuse()
  const [, body, direction, condition, quantifier, symbols] = match
  const where = quantifier === undefined ? condition! : quantifier === "some" ? "never" : "always"
  const atoms = body!.split(/\s+and\s+/).reduceRight<{ atoms: Atom[]; from: number | undefined }>(
    ({ atoms, from }, part) => {
      const statement = /^(.*?)(?:\s+for all t(?:\s*(>=|>)\s*(\d+))?)?$/.exec(part.trim())!
      const [whole, named, sign, bound] = statement
      const own = /\sfor all t/.test(whole) ? Number(bound ?? 1) + (sign === ">" ? 1 : 0) : (from ?? 1)
      if (own < 1) return refuse()
      return { atoms: [...statementAtoms(named!, own, refuse), ...atoms], from: own }
    },
    { atoms: [], from: undefined },
  ).atoms
  const distinct = [...new Map(atoms.map((atom) => [JSON.stringify(atom), atom])).values()]
  const parsed = parseCondition(where, "claim")
  return {
    text: text.trim(),
    existential: quantifier === "some",
    quantified: symbols?.split(/\s*,\s*|\s+and\s+/) ?? [],
    atoms: distinct,
    direction: (direction ?? "iff") as ClaimJson["direction"],
    where: parsed.pieces.map((piece) => piece.map(({ form, relation }) => ({ form: formJson(form), relation }))),
  }
}

/**
 * Refuses a claim in symbols that its scheme lacks, or "for some" of one symbol where there are more: of the others it
 * does not say whether all of their values are meant.
 *
 * @throws InputError naming the symbol, and those of the scheme that are not set.
 */
export function requireSymbols({ text, where, existential, quantified }: Claim, symbols: readonly string[]): void {
  const allowed =
    symbols.length === 0 ? "no symbol: all are set" : `the scheme's symbols: ${symbols.join(", ")}; more by --free`
  const named = [...where.flatMap((piece) => piece.flatMap(({ form }) => Object.keys(form))), ...quantified]
  const unknown = named.find((name) => name !== "" && !symbols.includes(name))
  if (unknown !== undefined)
    throw new InputError({
      field: "claim",
      given: unknown,
      allowed,
      nearest: nearest(unknown, symbols),
      example: symbols.length === 0 ? '"stable for all t iff always"' : `"stable for all t iff ${symbols[0]} <= -1/2"`,
    })
  if (existential && symbols.some((symbol) => !quantified.includes(symbol)))
    throw new InputError({
      field: "claim",
      given: text,
      allowed: "after for some all symbols of the scheme; what is to be fixed is set by --set",
      example: `"stable for all t for some ${symbols.join(", ")}"`,
    })
}

/** The atoms of `zB <= 0` or of a word. */
function statementAtoms(text: string, from: number, refuse: () => never): Atom[] {
  const word = WORDS[text]
  if (word !== undefined)
    return word.map(({ quantity, relation }) => ({
      quantity,
      relation,
      bound: "0",
      from: relation === "<=" ? 1 : from,
    }))
  const match = /^([a-zA-Z0-9]+)\s*(<=|==)\s*(.+)$/.exec(text)
  if (match === null) return refuse()
  const bound = parseAffine(match[3]!, "claim")
  if (!bound.isConstant) return refuse()
  return [{ quantity: match[1]!, relation: match[2] as Atom["relation"], bound: bound.constant.toFraction(), from }]
}
