import type { Affine } from "../src/exponent/affine.js"
import { Condition } from "../src/exponent/condition.js"
import { parseAffine, parseCondition } from "../src/exponent/grammar.js"
import { type Constraint, isFeasible } from "../src/exponent/system.js"
import { InputError } from "../src/inputError.js"

type Json = null | boolean | number | string | readonly Json[] | { readonly [name: string]: Json }
type JsonObject = { readonly [name: string]: Json }

/** Fields that say how long something took, not what was found. */
const TIMES = ["milliseconds"]
/** Lists whose order says nothing. */
const SETS = ["assumptions", "caveats"]

/**
 * Where two outputs of `derive --json`, `schemes --json` or `prove --json` say different things, a line each: the
 * place, what stands before, what stands after.
 *
 * Texts are compared by meaning: conditions as sets and exponents as functions, both on the union of the output's
 * regions; regions by their limits wherever one of each overlap.
 *
 * @param ignored names of fields that are not compared.
 */
export function differences(before: Json, after: Json, ignored: readonly string[] = []): string[] {
  return within("", before, after, { ignored: [...TIMES, ...ignored], domain: domainOf(before) })
}

interface Reading {
  readonly ignored: readonly string[]
  /** The polyhedra on which meanings are compared. */
  readonly domain: readonly (readonly Constraint[])[]
}

function within(path: string, before: Json, after: Json, reading: Reading): string[] {
  if (isRegions(before) && isRegions(after)) return regionDifferences(path, before, after)
  if (isList(before) && isList(after)) {
    if (SETS.includes(path.split(".").at(-1)!)) return setDifferences(path, before, after)
    if (isNamed(before) && isNamed(after)) return within(path, byName(before), byName(after), reading)
    const indices = [...Array(Math.max(before.length, after.length)).keys()]
    return indices.flatMap((i) => entryDifferences(`${path}[${i}]`, before[i], after[i], reading))
  }
  if (isObject(before) && isObject(after)) {
    const names = [...new Set([...Object.keys(before), ...Object.keys(after)])]
    return names
      .filter((name) => !reading.ignored.includes(name))
      .flatMap((name) => entryDifferences(path === "" ? name : `${path}.${name}`, before[name], after[name], reading))
  }
  if (before === after) return []
  if (typeof before === "string" && typeof after === "string" && meansTheSame(before, after, reading.domain)) return []
  return [line(path, before, after)]
}

function entryDifferences(path: string, before: Json | undefined, after: Json | undefined, reading: Reading): string[] {
  if (before === undefined || after === undefined) return [line(path, before, after)]
  return within(path, before, after, reading)
}

function setDifferences(path: string, before: readonly Json[], after: readonly Json[]): string[] {
  const lost = before.filter((text) => !after.includes(text)).map((text) => line(path, text, undefined))
  const gained = after.filter((text) => !before.includes(text)).map((text) => line(path, undefined, text))
  return [...lost, ...gained]
}

function line(path: string, before: Json | undefined, after: Json | undefined): string {
  const text = (value: Json | undefined) => (value === undefined ? "nothing" : JSON.stringify(value).slice(0, 300))
  return `${path}: ${text(before)} -> ${text(after)}`
}

interface RegionJson {
  readonly where: string
  readonly limits: Readonly<Record<string, string>>
}

/** The regions' limits where two of them overlap, and what only one of both lists covers. */
function regionDifferences(path: string, before: readonly RegionJson[], after: readonly RegionJson[]): string[] {
  const whole = (regions: readonly RegionJson[]) =>
    Condition.any(regions.flatMap(({ where }) => parseCondition(where).pieces))
  if (JSON.stringify(before) === JSON.stringify(after)) return []
  const cover = whole(before).equals(whole(after)) ? [] : [`${path}: they cover different symbol values`]
  const limits = before.flatMap((old) =>
    after.flatMap((now) => {
      const common = parseCondition(old.where).and(parseCondition(now.where)).pieces.filter(hasInside)
      if (common.length === 0) return []
      const names = [...new Set([...Object.keys(old.limits), ...Object.keys(now.limits)])]
      return names.flatMap((name) => {
        const [x, y] = [old.limits[name], now.limits[name]]
        if (x === y || (x !== undefined && y !== undefined && meansTheSame(x, y, common))) return []
        return [line(`${path} where ${now.where}: ${name}`, x, y)]
      })
    }),
  )
  return [...cover, ...limits]
}

/** Whether a polyhedron is more than an edge that it shares with another: its equalities apart, it has an inside. */
function hasInside(piece: readonly Constraint[]): boolean {
  return isFeasible(piece.map((c) => (c.relation === "<=" ? { ...c, relation: "<" } : c)))
}

/** Whether two texts denote the same set or the same function on the given polyhedra. */
function meansTheSame(before: string, after: string, domain: Reading["domain"]): boolean {
  const [sets, functions] = [conditionsOf(before, after), exponentsOf(before, after)]
  if (sets !== null) {
    const asked = Condition.any(domain)
    return asked.and(sets[0]).equals(asked.and(sets[1]))
  }
  if (functions === null) return false
  const [x, y] = functions
  return domain.every((piece) => !exceeds(x, y, piece) && !exceeds(y, x, piece))
}

/** A max of minima of forms; −∞ without any. */
type Minima = readonly (readonly Affine[])[]

/** Whether x > y somewhere in the polyhedron: all forms of some minimum of x exceed one form of each minimum of y. */
function exceeds(x: Minima, y: Minima, piece: readonly Constraint[]): boolean {
  const above = (forms: readonly Affine[], system: readonly Constraint[], [next, ...rest]: Minima): boolean => {
    if (!isFeasible(system)) return false
    if (next === undefined) return true
    return next.some((low) => {
      const below = forms.map((form): Constraint => ({ form: low.minus(form), relation: "<" }))
      return above(forms, [...system, ...below], rest)
    })
  }
  return x.some((forms) => above(forms, piece, y))
}

function conditionsOf(before: string, after: string): [Condition, Condition] | null {
  return parsed(() => [parseCondition(before), parseCondition(after)])
}

function exponentsOf(before: string, after: string): [Minima, Minima] | null {
  return parsed(() => [minimaOf(before), minimaOf(after)])
}

function parsed<T>(read: () => T): T | null {
  try {
    return read()
  } catch (error) {
    if (error instanceof InputError) return null
    throw error
  }
}

/** @throws InputError for a text that is no exponent as `formatExponent` writes them. */
function minimaOf(text: string): Minima {
  if (text === "-inf") return []
  const terms = argumentsOf("max", text) ?? [text]
  return terms.map((term) => (argumentsOf("min", term) ?? [term]).map((form) => parseAffine(form)))
}

/** The arguments of `name(…, …)`, split at its own commas; null if the text is no such call. */
function argumentsOf(name: string, text: string): string[] | null {
  if (!text.startsWith(`${name}(`)) return null
  const inner = text.slice(name.length + 1, -1)
  return [...inner.matchAll(/(?:[^,(]|\([^)]*\))+/g)].map(([argument]) => argument.trim())
}

/** The union of what the output's regions cover; everything where it names none. */
function domainOf(json: Json): readonly (readonly Constraint[])[] {
  if (!isObject(json) || !isRegions(json.regions)) return [[]]
  return json.regions.flatMap(({ where }) => parseCondition(where).pieces)
}

type NamedObject = JsonObject & { readonly name: string }

/** Whether entries carry names of their own: one that is new moves none of the others. */
function isNamed(entries: readonly Json[]): entries is readonly NamedObject[] {
  const names = new Set(entries.map((entry) => (isObject(entry) ? entry.name : undefined)))
  return names.size === entries.length && [...names].every((name) => typeof name === "string")
}

function byName(entries: readonly NamedObject[]): JsonObject {
  return Object.fromEntries(entries.map((entry) => [entry.name, entry]))
}

function isList(value: Json | undefined): value is readonly Json[] {
  return Array.isArray(value)
}

function isObject(value: Json | undefined): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value)
}

function isRegions(value: Json | undefined): value is readonly (JsonObject & RegionJson)[] {
  return isList(value) && value.length > 0 && value.every((entry) => isObject(entry) && isObject(entry.limits))
}
