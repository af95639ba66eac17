/** A derivation, drawn: what the page shows of a scheme at a point of its symbols. */
import type { Fraction } from "fraction.js"
import { atStep, type Derivation, derive, type Limit } from "../../src/derive/derive.js"
import { Affine } from "../../src/exponent/affine.js"
import type { Condition } from "../../src/exponent/condition.js"
import { formatAffine, formatCondition, formatExponent } from "../../src/exponent/grammar.js"
import { corners, type Window } from "../../src/exponent/polygon.js"
import { holdsAt } from "../../src/exponent/system.js"
import { derivationJson } from "../../src/report/derivation.js"
import type { SchemeDefinition } from "../../src/scheme/definition.js"
import { scheme } from "../../src/scheme/scheme.js"
import {
  type DerivationAsked,
  type Diagram,
  type LineShape,
  type PointReading,
  SETS,
  type SetName,
  type Shape,
} from "../messages.js"
import { definitionOf, nameAsTyped } from "./definition.js"
import { quantityWords } from "./quantityWords.js"
import { shapeOf, shapesOf, windowOf } from "./shapes.js"
import { axesOf, type SchemeSymbol, symbolsOf } from "./symbols.js"

/** Steps listed, as many as `derive` lists. */
const STEPS = 5

/** What is derived: everything that is not an axis has its value. */
interface Setting {
  readonly definition: SchemeDefinition
  readonly symbols: readonly SchemeSymbol[]
  readonly axes: readonly [SchemeSymbol, SchemeSymbol | null]
  readonly set: Readonly<Record<string, string>>
  readonly free: readonly string[]
  readonly derivation: Derivation
}

/** The diagram of a scheme. @throws InputError, Underivable as `derive` does. */
export function diagramOf(asked: DerivationAsked): Diagram {
  const started = performance.now()
  const { definition, symbols, axes, set, free, derivation } = settingOf(asked)
  const [x, y] = axes
  const window = windowOf(x, y)
  const point = new Map([x, ...(y === null ? [] : [y])].map(({ name, exact }) => [name, exact]))
  return {
    name: definition.name,
    title: definition.title,
    symbols,
    axes,
    json: derivationJson(derivation, STEPS),
    command: commandOf(asked, set, free),
    regions: derivation.regions.flatMap(({ where }, region) =>
      where.pieces.flatMap((piece) => {
        const shape = shapeOf(piece, window)
        return shape === null ? [] : [{ ...shape, region, where: formatCondition(where) }]
      }),
    ),
    sets: Object.fromEntries(
      SETS.map((name) => [name, derivation[name] === null ? null : shapesOf(derivation[name], window)]),
    ) as Record<SetName, Shape[] | null>,
    lines: y === null ? linesOf(derivation, x.name, window) : [],
    reading: readingAt(derivation, point),
    milliseconds: performance.now() - started,
  }
}

const derived = new Map<string, Derivation>()
/** Derivations remembered at most. */
const MOST = 100

/** What is asked, derived once. */
export function settingOf(asked: DerivationAsked): Setting {
  const definition = definitionOf(asked)
  const symbols = symbolsOf(definition, asked.point)
  const axes = axesOf(symbols, asked.axes)
  const set: Record<string, string> = {}
  for (const symbol of symbols) {
    const isUsual = symbol.usual?.equals(symbol.exact) ?? false
    if (!axes.includes(symbol) && !isUsual) set[symbol.name] = symbol.value
  }
  const free = axes.flatMap((axis) => (axis !== null && axis.usual !== null ? [axis.name] : []))
  const key = JSON.stringify([definition, set, free, asked.level])
  const derivation = derived.get(key) ?? derive(scheme(definition, set, free), { level: asked.level })
  if (derived.size >= MOST) derived.clear()
  derived.set(key, derivation)
  return { definition, symbols, axes, set, free, derivation }
}

function commandOf(asked: DerivationAsked, set: Readonly<Record<string, string>>, free: readonly string[]): string {
  const settings = Object.entries(set).map(([name, value]) => ` --set ${name}=${value}`)
  return [
    `lora-scaling derive ${nameAsTyped(asked)}`,
    ...settings,
    free.length > 0 ? ` --free ${free.join(" ")}` : "",
    asked.optimiser === "" ? "" : ` --optimiser ${asked.optimiser}`,
    asked.level === "features" ? "" : ` --level ${asked.level}`,
  ].join("")
}

function limitText(limit: Limit): string {
  return limit === null ? "-inf" : typeof limit === "string" ? limit : formatAffine(limit)
}

/** Every quantity's limit over one axis, region by region. */
function linesOf({ regions }: Derivation, symbol: string, window: Window): LineShape[] {
  return regions.flatMap(({ where, limits }) =>
    where.pieces.flatMap((piece) => {
      const across = corners(piece, window).map(([x]) => x)
      if (across.length === 0) return []
      const [low, high] = [across.reduce((p, q) => (p.lt(q) ? p : q)), across.reduce((p, q) => (p.gt(q) ? p : q))]
      if (low.equals(high)) return []
      return Object.entries(limits).flatMap(([quantity, limit]): LineShape[] => {
        if (!(limit instanceof Affine)) return []
        const at = (x: Fraction) => [x.valueOf(), limit.at(new Map([[symbol, x]])).valueOf()] as const
        return [{ quantity, ends: [at(low), at(high)] }]
      })
    }),
  )
}

function readingAt(derivation: Derivation, point: ReadonlyMap<string, Fraction>): PointReading {
  const holds = (set: Condition | null) =>
    set === null ? null : set.pieces.some((piece) => piece.every((constraint) => holdsAt(constraint, point)))
  const region = derivation.regions.findIndex(({ where }) => holds(where))
  const values = new Map([...point].map(([name, value]) => [name, Affine.constant(value)]))
  const limits = derivation.regions[region]?.limits ?? {}
  return {
    holds: Object.fromEntries(SETS.map((name) => [name, holds(derivation[name])])) as PointReading["holds"],
    region: region < 0 ? null : region,
    quantities: Object.entries(derivation.quantities).map(([name, quantity]) => {
      const limit = limits[name]
      return {
        name,
        words: quantityWords(name),
        steps: Array.from({ length: STEPS }, (_, i) =>
          formatExponent(atStep(quantity, i + 1)?.substitute(values) ?? null),
        ),
        form: limit === undefined ? "undecided" : limitText(limit),
        limit:
          limit === undefined
            ? "undecided"
            : limit instanceof Affine
              ? formatAffine(limit.substitute(values))
              : limitText(limit),
      }
    }),
  }
}
