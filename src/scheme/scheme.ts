import type { Affine } from "../exponent/affine.js"
import { formatAffine, parseAffine } from "../exponent/grammar.js"
import { InputError } from "../inputError.js"
import { adapterLayer, type Layer } from "../program/layer.js"
import type { Coefficient } from "../program/node.js"
import { OPTIMISERS, type Optimiser } from "../program/optimiser.js"
import { type Program, trainingStep } from "../program/program.js"

/** A factor's start: zero, or independent Gaussian entries of standard deviation constant · n^exponent. */
export type Start = "zero" | { readonly exponent: string; readonly constant?: number }

/** A fine-tuning scheme as a user writes it; exponents are texts of the command line's grammar. */
export interface SchemeDefinition {
  readonly name: string
  readonly title: string
  readonly source?: string
  readonly start: { readonly A: Start; readonly B: Start }
  /** Exponents of the two learning rates, η = constant · n^exponent. */
  readonly rates: { readonly A: string; readonly B: string }
  /** The constants of the two rates; default 1. */
  readonly rateConstants?: { readonly A: number; readonly B: number }
  /** Default "adam". */
  readonly optimiser?: Optimiser["name"]
  /** Exponent s of the effective multiplier α = n^s; default "0". */
  readonly multiplier?: string
}

/** A scheme ready to be read: its program, the start of both factors, and the symbols that are still free. */
export interface Scheme {
  readonly definition: SchemeDefinition
  readonly program: Program
  readonly start: { readonly A: Coefficient | "zero"; readonly B: Coefficient | "zero" }
  readonly rates: { readonly A: Affine; readonly B: Affine }
  readonly symbols: readonly string[]
}

/**
 * The scheme of a definition, with some symbols set.
 *
 * @param values symbol → exponent text; setting `c` on a scheme with two rates sets both.
 * @throws InputError for a text outside the grammar, a value for a symbol that the scheme lacks, or two zero factors
 * (which never move).
 */
export function scheme(definition: SchemeDefinition, values: Readonly<Record<string, string>> = {}): Scheme {
  const { name, start, rates, rateConstants = { A: 1, B: 1 }, optimiser = "adam", multiplier = "0" } = definition
  if (start.A === "zero" && start.B === "zero")
    throw new InputError({
      field: `${name}.start`,
      given: "both factors zero",
      allowed: "at most one zero factor: with both at zero no gradient ever moves them",
      example: '{ A: { exponent: "-1/2" }, B: "zero" }',
    })
  const affine = (text: string, field: string) => parseAffine(text, `${name}.${field}`)
  const raw = {
    A: affine(rates.A, "rates.A"),
    B: affine(rates.B, "rates.B"),
    multiplier: affine(multiplier, "multiplier"),
    startA: start.A === "zero" ? null : affine(start.A.exponent, "start.A"),
    startB: start.B === "zero" ? null : affine(start.B.exponent, "start.B"),
  }
  const known = symbolsOf(Object.values(raw))
  const settings = readSettings(values, known)
  const set = (form: Affine) => form.substitute(settings)
  const factor = (side: Start, form: Affine | null): Coefficient | "zero" =>
    side === "zero" || form === null ? "zero" : { constant: side.constant ?? 1, power: set(form) }
  const layer: Layer = adapterLayer(set(raw.multiplier))
  const setRates = { A: set(raw.A), B: set(raw.B) }
  const program = trainingStep(layer, OPTIMISERS[optimiser], {
    A: { constant: rateConstants.A, power: setRates.A },
    B: { constant: rateConstants.B, power: setRates.B },
  })
  return {
    definition,
    program,
    start: { A: factor(start.A, raw.startA), B: factor(start.B, raw.startB) },
    rates: setRates,
    symbols: symbolsOf(Object.values(raw).map((form) => form && set(form))),
  }
}

function symbolsOf(forms: readonly (Affine | null)[]): string[] {
  return [...new Set(forms.flatMap((form) => form?.symbols ?? []))].sort()
}

function readSettings(values: Readonly<Record<string, string>>, known: readonly string[]): Map<string, Affine> {
  const settings = new Map<string, Affine>()
  for (const [symbol, text] of Object.entries(values)) {
    const both = symbol === "c" && !known.includes("c") && known.includes("cA") && known.includes("cB")
    if (!both && !known.includes(symbol))
      throw new InputError({
        field: "--set",
        given: `${symbol}=${text}`,
        allowed: known.length > 0 ? `a value for ${known.join(", ")}` : "nothing: this scheme has no free symbol",
        example: `--set ${known[0] ?? "c"}=-1/2`,
      })
    const value = parseAffine(text, `--set ${symbol}`)
    for (const name of both ? ["cA", "cB"] : [symbol]) settings.set(name, value)
  }
  const cyclic = [...settings].find(([, form]) => form.symbols.some((s) => settings.has(s)))
  if (cyclic !== undefined)
    throw new InputError({
      field: "--set",
      given: `${cyclic[0]}=${formatAffine(cyclic[1])}`,
      allowed: "a value in symbols that are not set themselves",
      example: "--set cA=-1",
    })
  return settings
}
