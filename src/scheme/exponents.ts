/** The exponents that a definition writes, parsed, with some of their symbols set. */
import { Affine } from "../exponent/affine.js"
import { Condition } from "../exponent/condition.js"
import { formatAffine, formatCondition, parseAffine, parseCondition } from "../exponent/grammar.js"
import { type Constraint, isFeasible, witness } from "../exponent/system.js"
import { InputError } from "../inputError.js"
import { nearest } from "../nearest.js"
import { transformerSites } from "../program/models/transformer.js"
import { isPair, type Rates, type SchemeDefinition, transformerOf } from "./definition.js"

/** The symbol that stands for a field that a definition leaves out, and its value unless set or left free. */
const DEFAULTS = {
  rank: { symbol: "rho", value: "0" },
  multiplier: { symbol: "s", value: "0" },
  readout: { symbol: "o", value: "1/2" },
  inputWidth: { symbol: "d", value: "1" },
} as const

/** A symbol that stands for a field that a definition leaves out, and what it is unless set or left free. */
export interface DefaultSymbol {
  readonly symbol: string
  readonly value: string
}

/** The symbols that a definition leaves at their defaults. */
export function defaultSymbols(definition: SchemeDefinition): DefaultSymbol[] {
  return Object.entries(DEFAULTS).flatMap(([field, symbol]) =>
    definition[field as keyof typeof DEFAULTS] === undefined ? [symbol] : [],
  )
}

/** Something of each trained tensor of an adapter, by name. */
export interface TensorRates<T> {
  readonly A: T
  readonly B: T
  readonly [extra: string]: T
}

/** The same of each, made of another. */
export function mapRates<T, U>(rates: TensorRates<T>, of: (own: T, tensor: string) => U): TensorRates<U> {
  return Object.fromEntries(
    Object.entries(rates).map(([tensor, own]) => [tensor, of(own, tensor)]),
  ) as unknown as TensorRates<U>
}

/** Every exponent of a scheme as a form in its symbols. */
export interface Exponents {
  /** Null for a factor that starts at zero. */
  readonly start: Readonly<Record<"A" | "B", Affine | null>>
  /** Per site and trained tensor; null for a frozen one. */
  readonly rates: readonly TensorRates<Affine | null>[]
  /** Of Adam's ε and of an inverse's δ where they are not negligible, of the gradients' bound where there is one; else null. */
  readonly sizes: {
    readonly multiplier: Affine
    readonly readout: Affine
    readonly input: Affine
    readonly inputWidth: Affine
    readonly rank: Affine
    readonly epsilon: Affine | null
    readonly damping: Affine | null
    readonly share: Affine
    readonly clip: Affine | null
  }
  readonly alignments: readonly { readonly between: readonly [string, string]; readonly exponent: Affine }[]
}

/**
 * The exponents of a definition, and what is assumed of their symbols.
 *
 * @param values symbol → exponent text, as for `scheme`.
 * @param free symbols with a default that stay symbols.
 * @throws InputError for a text outside the grammar, or a value for a symbol that the scheme lacks.
 */
export function exponentsOf(
  definition: SchemeDefinition,
  values: Readonly<Record<string, string>>,
  free: readonly string[],
): { readonly exponents: Exponents; readonly domain: readonly Constraint[] } {
  const raw = written(definition)
  const known = symbolsOf(raw)
  const settings = readSettings(values, known)
  requireKnown(free, known)
  const defaults = defaultSymbols(definition).filter(({ symbol }) => !settings.has(symbol) && !free.includes(symbol))
  requireFree(settings, defaults)
  for (const { symbol, value } of defaults) settings.set(symbol, parseAffine(value))
  const set = (form: Affine) => form.substitute(settings)
  const inPair = ({ A, B }: Readonly<Record<"A" | "B", Affine | null>>) => ({ A: A && set(A), B: B && set(B) })
  const { multiplier, readout, input, inputWidth, rank, epsilon, damping, clip, share } = raw.sizes
  const exponents: Exponents = {
    start: inPair(raw.start),
    rates: raw.rates.map((own) => mapRates(own, (form) => form && set(form))),
    alignments: raw.alignments.map(({ between, exponent }) => ({
      between,
      exponent: withinHalf(set(exponent), definition.name),
    })),
    sizes: {
      multiplier: set(multiplier),
      readout: set(readout),
      input: set(input),
      inputWidth: set(inputWidth),
      rank: set(rank),
      epsilon: epsilon && set(epsilon),
      damping: damping && set(damping),
      clip: clip && set(clip),
      share: set(share),
    },
  }
  requireOwnWidth(definition, exponents.sizes.inputWidth)
  const bounded = [rank, inputWidth, ...raw.alignments.flatMap(bounds)]
  return { exponents, domain: domainOf(definition, bounded, known, settings) }
}

/** @throws InputError for exponents outside the grammar, or an example of symbols that none has or that they cannot be. */
export function requireExponents(definition: SchemeDefinition): void {
  const { name, example = {} } = definition
  const known = symbolsOf(written(definition))
  const unknown = Object.keys(example).find((symbol) => !known.includes(symbol))
  if (unknown !== undefined)
    throw new InputError({
      field: `${name}.example.${unknown}`,
      given: unknown,
      allowed: `values of the scheme's symbols: ${known.join(", ")}`,
      nearest: nearest(unknown, known),
      example: `example: { ${known[0] ?? "c"}: -1/2 }`,
    })
  exponentsOf(definition, example, [])
}

/** @throws InputError for an input width other than n of a model that has no input of its own. */
function requireOwnWidth({ name, network, model, spaces }: SchemeDefinition, inputWidth: Affine): void {
  const isOwn = network === undefined && model === undefined && (spaces?.input ?? "nIn") === "nIn"
  if (isOwn || (inputWidth.isConstant && inputWidth.constant.equals(1))) return
  throw new InputError({
    field: `${name}.inputWidth`,
    given: formatAffine(inputWidth),
    allowed: "1: what the adapter reads has the width of its model, n",
    example: "inputWidth: 1",
  })
}

/** The exponents as a definition writes them. */
function written(definition: SchemeDefinition): Exponents {
  const { name, start, epsilon, damping, clip } = definition
  const affine = (text: string, field: string) => parseAffine(text, `${name}.${field}`)
  const startOf = (side: "A" | "B") => {
    const own = start[side]
    return own === "zero" ? null : affine(own.exponent, `start.${side}`)
  }
  return {
    rates: ratesOf(definition).map((own, i) =>
      mapRates<string, Affine | null>({ ...own }, (rate, tensor) =>
        rate === "frozen" ? null : affine(rate, `rates${placeOfSite(definition, i)}.${tensor}`),
      ),
    ),
    alignments: (definition.alignments ?? []).map(({ between, exponent }) => ({
      between,
      exponent: affine(exponent, `alignments ${between.join(", ")}`),
    })),
    sizes: {
      multiplier: affine(definition.multiplier ?? DEFAULTS.multiplier.symbol, "multiplier"),
      rank: affine(definition.rank ?? DEFAULTS.rank.symbol, "rank"),
      readout: affine(definition.readout ?? DEFAULTS.readout.symbol, "readout"),
      epsilon: epsilon === undefined ? null : affine(epsilon, "epsilon"),
      damping: damping === undefined ? null : affine(damping, "damping"),
      share: affine(definition.share ?? "0", "share"),
      clip: clip === undefined ? null : affine(clip, "clip"),
      inputWidth: affine(definition.inputWidth ?? DEFAULTS.inputWidth.symbol, "inputWidth"),
      input: affine(definition.input ?? "0", "input"),
    },
    start: { A: startOf("A"), B: startOf("B") },
  }
}

function formsOf({ rates, alignments, sizes, start }: Exponents): (Affine | null)[] {
  return [
    ...rates.flatMap((own) => Object.values(own)),
    ...alignments.map(({ exponent }) => exponent),
    ...Object.values(sizes),
    ...Object.values(start),
  ]
}

/** The names of a definition's sites in the order of its model's. */
function siteNames({ name, network, model }: SchemeDefinition): readonly string[] {
  if (network !== undefined) return Array.from({ length: network.layers }, (_, l) => `hidden${l + 1}`)
  if (model === undefined || model.kind === "teacher-student") return ["adapter"]
  return transformerSites(transformerOf(model, `${name}.model`))
}

/** The rates of each site; @throws InputError for pairs of other sites than the model's, or another number of them. */
function ratesOf(definition: SchemeDefinition): readonly Rates[] {
  const { name, rates } = definition
  const names = siteNames(definition)
  if (isPair(rates)) return names.map(() => rates)
  const given = Array.isArray(rates) ? rates : names.map((site) => (rates as Readonly<Record<string, Rates>>)[site])
  const isKnown = Array.isArray(rates) || Object.keys(rates).every((site) => names.includes(site))
  if (isKnown && given.length === names.length && given.every((pair) => pair !== undefined)) return given
  throw new InputError({
    field: `${name}.rates`,
    given: Array.isArray(rates) ? `${rates.length} pairs` : `pairs for ${Object.keys(rates).join(", ")}`,
    allowed: `one pair for all adapters, or ${names.length}, one for each of ${names.join(", ")}`,
    example: '{ A: "c", B: "c" }',
  })
}

/** Where the rates of a site stand in a definition's rates. */
function placeOfSite(definition: SchemeDefinition, site: number): string {
  const { rates } = definition
  if (isPair(rates)) return ""
  return Array.isArray(rates) ? `[${site}]` : `.${siteNames(definition)[site]}`
}

/** The forms that are ≥ 0 for an alignment's exponent in [1/2, 1]. */
function bounds({ exponent }: { readonly exponent: Affine }): Affine[] {
  return [exponent.minus(Affine.constant("1/2")), Affine.constant(1).minus(exponent)]
}

/** @throws InputError for a number outside [1/2, 1]. */
function withinHalf(exponent: Affine, name: string): Affine {
  if (!exponent.isConstant || bounds({ exponent }).every((form) => form.constant.compare(0) >= 0)) return exponent
  throw new InputError({
    field: `${name}.alignments`,
    given: formatAffine(exponent),
    allowed: "an exponent in [1/2, 1], or a symbol",
    example: "Aᵀ,Z=3/4",
  })
}

/**
 * What is assumed of the symbols: the definition's own domain, and that ranks, widths and alignments are what they can be.
 *
 * @throws InputError for a domain of several pieces, of none, or of symbols that no exponent has; for values outside it.
 */
function domainOf(
  { domain, name }: SchemeDefinition,
  sizes: readonly Affine[],
  known: readonly string[],
  settings: ReadonlyMap<string, Affine>,
): Constraint[] {
  const given = domain === undefined ? [] : writtenDomain(domain, `${name}.domain`, known)
  const whole = [...given, ...sizes.map((size) => ({ form: size.negated, relation: "<=" }) as const)]
  const set = whole.map(({ form, relation }) => ({ form: form.substitute(settings), relation }))
  const open = set.filter(({ form }) => !form.isConstant)
  const broken = set.findIndex((constraint) => !isFeasible([constraint]))
  if (broken < 0 && isFeasible(open)) return open
  const outside = broken < 0 ? whole : [whole[broken]!]
  const isOwn = outside.every(({ form }) => form.isConstant)
  const values = [...settings].filter(([symbol]) => outside.some(({ form }) => form.symbols.includes(symbol)))
  throw new InputError({
    field: isOwn ? `${name}.rank and inputWidth` : `${name}, its symbols`,
    given: isOwn
      ? outside.map(({ form }) => formatAffine(form.negated)).join(", ")
      : values.map(([symbol, value]) => `${symbol}=${formatAffine(value)}`).join(" "),
    allowed: isOwn
      ? "exponents >= 0, or symbols"
      : `values with ${outside.map((constraint) => formatCondition(Condition.all([constraint]))).join(" and ")}`,
    example: isOwn ? "rank: 1/2" : `--set ${exampleOf(outside)}`,
  })
}

/** A point of the constraints as it is typed. */
function exampleOf(constraints: readonly Constraint[]): string {
  return [...(witness(constraints) ?? [])].map(([symbol, value]) => `${symbol}=${value.toFraction()}`).join(" ")
}

function writtenDomain(domain: string, field: string, known: readonly string[]): readonly Constraint[] {
  const { pieces } = parseCondition(domain, field)
  const unknown = pieces.flat().flatMap(({ form }) => form.symbols.filter((symbol) => !known.includes(symbol)))[0]
  if (unknown !== undefined)
    throw new InputError({
      field,
      given: unknown,
      allowed: `symbols of the scheme: ${known.join(", ")}`,
      nearest: nearest(unknown, known),
      example: `${known[0] ?? "c"} >= 0`,
    })
  const [only, ...others] = pieces
  if (only !== undefined && others.length === 0) return only
  throw new InputError({
    field,
    given: domain,
    allowed:
      only === undefined
        ? "a condition that some values satisfy"
        : "inequalities joined by and; alternatives are schemes of their own, a file each",
    example: "k >= 0 and k <= 1/2",
  })
}

/** The symbols of all exponents, sorted. */
export function symbolsOf(exponents: Exponents): string[] {
  return [...new Set(formsOf(exponents).flatMap((form) => form?.symbols ?? []))].sort()
}

function requireKnown(free: readonly string[], known: readonly string[]): void {
  for (const symbol of free)
    if (!known.includes(symbol))
      throw new InputError({
        field: "--free",
        given: symbol,
        allowed: `a symbol of the scheme: ${known.join(", ")}`,
        nearest: nearest(symbol, known),
        example: `--free ${known[0] ?? "o"}`,
      })
}

/** @throws InputError for a value in a symbol that is a number, since it is left at its default. */
function requireFree(settings: ReadonlyMap<string, Affine>, defaults: readonly DefaultSymbol[]): void {
  for (const [name, form] of settings)
    for (const { symbol, value } of defaults)
      if (form.symbols.includes(symbol))
        throw new InputError({
          field: "--set",
          given: `${name}=${formatAffine(form)}`,
          allowed: `numbers and free symbols: ${symbol} is ${value} unless it is left free`,
          example: `--free ${symbol}`,
        })
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
        nearest: nearest(symbol, known),
        example: `--set ${known[0] ?? "c"}=-1/2`,
      })
    const value = parseAffine(text, `--set ${symbol}`)
    for (const name of both ? ["cA", "cB"] : [symbol]) {
      if (settings.has(name))
        throw new InputError({
          field: "--set",
          given: `${symbol}=${text}`,
          allowed: `one value for ${name}, which c sets too`,
          example: "--set cA=-1 --set cB=0",
        })
      settings.set(name, value)
    }
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
