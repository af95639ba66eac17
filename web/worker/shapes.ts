/** Sets of a derivation as what a window of two symbols shows of them. */
import { Fraction } from "fraction.js"
import { Condition } from "../../src/exponent/condition.js"
import { formatCondition } from "../../src/exponent/grammar.js"
import { corners, faces, type Vertex, type Window } from "../../src/exponent/polygon.js"
import type { Constraint } from "../../src/exponent/system.js"
import type { Point, Shape } from "../messages.js"
import type { SchemeSymbol } from "./symbols.js"

/** The window of one axis or two; one axis is a strip of height 1. */
export function windowOf(x: SchemeSymbol, y: SchemeSymbol | null): Window {
  const side = ({ name, range: [low, high] }: SchemeSymbol) => ({ symbol: name, low, high })
  return [side(x), y === null ? { symbol: "", low: new Fraction(0), high: new Fraction(1) } : side(y)]
}

/** What the window shows of a polyhedron; null where it lies outside. */
export function shapeOf(piece: readonly Constraint[], window: Window): Shape | null {
  const vertices = corners(piece, window)
  if (vertices.length < 2) return vertices.length === 0 ? null : { corners: vertices.map(pointOf), edges: [] }
  const edges = faces(piece, window).map(({ constraint, ends }) => ({
    ends: [pointOf(ends[0]), pointOf(ends[1])] as const,
    claim: formatCondition(Condition.all([constraint])),
    open: constraint.relation === "<",
  }))
  return { corners: vertices.map(pointOf), edges }
}

/** What the window shows of a set, piece by piece. */
export function shapesOf(set: Condition, window: Window): Shape[] {
  return set.pieces.flatMap((piece) => shapeOf(piece, window) ?? [])
}

function pointOf([x, y]: Vertex): Point {
  return [x.valueOf(), y.valueOf()]
}
