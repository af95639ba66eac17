import type { Fraction } from "fraction.js"
import { Affine } from "../../src/exponent/affine.js"
import { parseAffine, parseCondition } from "../../src/exponent/grammar.js"
import { judgeAll } from "../../src/prove/checkers.js"
import { readTheorem, type Theorem, theoremNames } from "../../src/prove/theorem.js"
import type { Law } from "../../src/report/opening.js"
import type { SchemeDefinition } from "../../src/scheme/scheme.js"

/** The quantity whose boundedness each level speaks of. */
const QUANTITY: Readonly<Record<Law["level"], string>> = { features: "zB", output: "f" }

/** A bound on the exponent of a scheme's single rate. */
export interface RateBound {
  readonly definition: SchemeDefinition
  readonly level: Law["level"]
  readonly readout: number
  readonly bound: Fraction
}

/**
 * The theorem that says of a scheme, at fixed rank and multiplier and this readout, that its quantity is bounded for
 * all t exactly at rates up to the bound, as the kernel accepts it; null if there is none.
 */
export async function provenBound(bound: RateBound): Promise<Law["proven"]> {
  const [theorem] = theoremNames()
    .map(readTheorem)
    .filter((one) => says(one, bound))
    .sort((x, y) => (x.statement.free ?? []).length - (y.statement.free ?? []).length)
  if (theorem === undefined) return null
  const [judged] = await judgeAll([theorem], ["kernel"])
  const checkers = judged!.verdicts.filter(({ verdict }) => verdict === "accepted").map(({ checker }) => checker)
  return checkers.length === 0 ? null : { theorem: theorem.statement.name, checkers }
}

function says({ statement, claim }: Theorem, { definition, level, readout, bound }: RateBound): boolean {
  const { scheme, change, set = {}, free = [], claim: text } = statement
  const isPlain = change === undefined && Object.keys(set).length === 0
  const isBounded = claim.atoms.every(
    ({ quantity, relation, bound: most }) => quantity === QUANTITY[level] && relation === "<=" && most === "0",
  )
  const condition = / iff (.+)$/.exec(text)?.[1]
  if (scheme !== definition.name || !isPlain || !isBounded || condition === undefined) return false
  const at = (symbol: string) => (symbol === "o" ? parseAffine(String(readout)) : Affine.ZERO)
  const here = parseCondition(condition).substitute(new Map(free.map((symbol) => [symbol, at(symbol)])))
  return here.equals(parseCondition(`c <= ${bound.toFraction()}`))
}
