import type { Fraction } from "fraction.js"
import type { Constraint } from "./system.js"

/** A rectangle in the plane of two symbols: the symbols by name, each with its least and its largest value. */
export type Window = readonly [WindowSide, WindowSide]

/** One symbol of a window and its range. */
export interface WindowSide {
  readonly symbol: string
  readonly low: Fraction
  readonly high: Fraction
}

/** A point of the plane: the values of the window's two symbols, in its order. */
export type Vertex = readonly [Fraction, Fraction]

/**
 * The corners, in order, of what lies of a closed polyhedron in a window; two for a segment, none outside it.
 *
 * The window is cut by one half-plane after another (Sutherland, Hodgman 1974), exactly over ℚ.
 */
export function corners(piece: readonly Constraint[], window: Window): Vertex[] {
  const [x, y] = window
  let vertices: Vertex[] = [
    [x.low, y.low],
    [x.high, y.low],
    [x.high, y.high],
    [x.low, y.high],
  ]
  const halfPlanes = piece.flatMap(({ form, relation }) => (relation === "==" ? [form, form.negated] : [form]))
  for (const form of halfPlanes) {
    const value = (vertex: Vertex) => form.at(pointOf(vertex, window))
    vertices = vertices.flatMap((p, i) => {
      const q = vertices[(i + 1) % vertices.length]!
      const [atP, atQ] = [value(p), value(q)]
      const kept: Vertex[] = atP.compare(0) <= 0 ? [p] : []
      if (atP.compare(0) * atQ.compare(0) < 0) kept.push(between(p, q, atP.div(atP.sub(atQ))))
      return kept
    })
  }
  return vertices.filter((p, i) => vertices.findIndex((q) => isSame(p, q)) === i)
}

/** An edge of what lies of a polyhedron in a window, and the constraint that it is an edge by. */
export interface Face {
  readonly constraint: Constraint
  readonly ends: readonly [Vertex, Vertex]
}

/** The edges of what lies of a polyhedron in a window that are its own, not the window's. */
export function faces(piece: readonly Constraint[], window: Window): Face[] {
  const vertices = corners(piece, window)
  const edges = vertices.map((p, i): [Vertex, Vertex] => [p, vertices[(i + 1) % vertices.length]!])
  return (vertices.length === 2 ? edges.slice(0, 1) : vertices.length < 2 ? [] : edges).flatMap((ends) => {
    const constraint = piece.find(({ form }) => ends.every((end) => form.at(pointOf(end, window)).equals(0)))
    return constraint === undefined ? [] : [{ constraint, ends }]
  })
}

function pointOf([a, b]: Vertex, [x, y]: Window): Map<string, Fraction> {
  return new Map([
    [x.symbol, a],
    [y.symbol, b],
  ])
}

function between(p: Vertex, q: Vertex, share: Fraction): Vertex {
  const at = (i: 0 | 1) => p[i].add(q[i].sub(p[i]).mul(share))
  return [at(0), at(1)]
}

function isSame(p: Vertex, q: Vertex): boolean {
  return p[0].equals(q[0]) && p[1].equals(q[1])
}
