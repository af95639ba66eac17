/** The symbols of a scheme: what they stand for, what they are unless moved, and what is drawn of them. */
import { Fraction } from "fraction.js"
import { formatAffine, parseAffine } from "../../src/exponent/grammar.js"
import { InputError } from "../../src/inputError.js"
import type { SchemeDefinition } from "../../src/scheme/definition.js"
import { defaultSymbols } from "../../src/scheme/exponents.js"
import { scheme } from "../../src/scheme/scheme.js"
import type { SymbolInfo } from "../messages.js"

/** Words and range by the symbol's name; the first that fits counts. */
const KNOWN: readonly { readonly name: RegExp; readonly words: string; readonly range: readonly [string, string] }[] = [
  { name: /^c$/, words: "learning rate n^c", range: ["-2", "1/2"] },
  { name: /^c\w/, words: "a learning rate", range: ["-2", "1"] },
  { name: /^rho$/, words: "rank n^rho", range: ["0", "1"] },
  { name: /^s$/, words: "multiplier α = n^s", range: ["-1", "1"] },
  { name: /^o$/, words: "readout n^(-o)", range: ["0", "3/2"] },
  { name: /^d$/, words: "input width n^d", range: ["0", "2"] },
  { name: /^e$/, words: "Adam's ε = n^e", range: ["-2", "1"] },
  { name: /./, words: "symbol of the scheme", range: ["-2", "1"] },
]
const FACTOR_RATE: Readonly<Record<string, string>> = { cA: "rate of A, n^cA", cB: "rate of B, n^cB" }

/** A symbol as the worker has it: exact. */
export interface SchemeSymbol extends SymbolInfo {
  readonly exact: Fraction
  readonly range: readonly [Fraction, Fraction]
  /** What a symbol that the definition leaves out is unless set; null for one of its own. */
  readonly usual: Fraction | null
}

/**
 * The symbols of a definition, rates first, with the values that are given or else its example's.
 *
 * @throws InputError for a value that is no number.
 */
export function symbolsOf(definition: SchemeDefinition, given: Readonly<Record<string, string>>): SchemeSymbol[] {
  const isPlain = definition.model === undefined && definition.network === undefined
  const own = scheme(definition).symbols
  const rates = own.filter((name) => /^c/.test(name))
  const defaults = defaultSymbols(definition).filter(({ symbol }) => isPlain || symbol === "o" || symbol === "s")
  const names = [...rates, ...own.filter((name) => !rates.includes(name)), ...defaults.map(({ symbol }) => symbol)]
  return names.map((name) => {
    const { words, range } = KNOWN.find((known) => known.name.test(name))!
    const usual = defaults.find(({ symbol }) => symbol === name)?.value ?? null
    const text = given[name] ?? definition.example?.[name] ?? usual ?? (/^c/.test(name) ? "-1/2" : "0")
    const exact = numberOf(name, text)
    const [low, high] = [new Fraction(range[0]), new Fraction(range[1])]
    return {
      name,
      words: FACTOR_RATE[name] ?? words,
      value: exact.toFraction(),
      low: low.valueOf(),
      high: high.valueOf(),
      exact,
      range: [low, high],
      usual: usual === null ? null : new Fraction(usual),
    }
  })
}

function numberOf(name: string, text: string): Fraction {
  const form = parseAffine(text, name)
  if (form.isConstant) return form.constant
  throw new InputError({ field: name, given: formatAffine(form), allowed: "a rational number", example: "-1/2" })
}

/** The symbols of the axes as asked, or by the scheme: its first two of its own. */
export function axesOf(
  symbols: readonly SchemeSymbol[],
  [x, y]: readonly [string | null, string | null],
): [SchemeSymbol, SchemeSymbol | null] {
  const named = (name: string | null) => symbols.find((symbol) => symbol.name === name)
  const own = symbols.filter(({ usual }) => usual === null)
  const first = named(x) ?? own[0] ?? symbols[0]!
  const second = y === "" ? undefined : (named(y) ?? own.find((symbol) => symbol !== first))
  return [first, second === first ? null : (second ?? null)]
}
