import fc from "fast-check"
import { Fraction } from "fraction.js"
import { describe, expect, test } from "vitest"
import { parseCondition } from "../../src/exponent/grammar.js"
import { corners, faces, type Vertex, type Window } from "../../src/exponent/polygon.js"

const side = (symbol: string, low: number, high: number) => ({
  symbol,
  low: new Fraction(low),
  high: new Fraction(high),
})
const WINDOW: Window = [side("x", -2, 0), side("y", -1, 1)]
const text = (vertices: readonly Vertex[]) => vertices.map((v) => v.map((q) => q.toFraction()).join(" ")).sort()
const cut = (condition: string) => corners(parseCondition(condition).pieces[0] ?? [], WINDOW)

describe("corners", () => {
  test("of a polygon that two sides bound", () => {
    expect(text(cut("y <= 0 and x + y <= -1"))).toEqual(["-1 0", "-2 -1", "-2 0", "0 -1"])
  })
  test("of a segment, a point and nothing", () => {
    expect(text(cut("x + y == -1 and x >= -1"))).toEqual(["-1 0", "0 -1"])
    expect(text(cut("x == -2 and y == 1"))).toEqual(["-2 1"])
    expect(cut("x >= 1")).toEqual([])
  })
  test("every corner satisfies every half-plane, and a point of the window in all of them lies in their hull", () => {
    const half = fc.tuple(...[-3, -3, -3].map((min) => fc.integer({ min, max: 3 })))
    fc.assert(
      fc.property(fc.array(half, { minLength: 1, maxLength: 4 }), (halves) => {
        const condition = halves.map(([a, b, c]) => `${a} * x + ${b} * y <= ${c}`).join(" and ")
        const piece = parseCondition(condition).pieces[0]
        const found = piece === undefined ? [] : corners(piece, WINDOW)
        const at = ([x, y]: Vertex) => halves.every(([a, b, c]) => x.mul(a!).add(y.mul(b!)).compare(c!) <= 0)
        expect(found.every(at)).toBe(true)
        // The corner farthest in a direction bounds every admissible point of a grid.
        const grid = Array.from(
          { length: 25 },
          (_, i): Vertex => [new Fraction(-4 + (i % 5), 2), new Fraction(-2 + Math.floor(i / 5), 2)],
        ).filter(at)
        for (const [u, v] of [
          [1, 0],
          [0, 1],
          [-1, 2],
          [3, -1],
          [-2, -1],
        ] as const) {
          const far = (points: readonly Vertex[]) =>
            Math.max(...points.map(([x, y]) => u * x.valueOf() + v * y.valueOf()))
          if (grid.length > 0) expect(far(found)).toBeGreaterThanOrEqual(far(grid) - 1e-9)
        }
      }),
    )
  })
})

test("the boundary is the polyhedron's own, without the window's edges", () => {
  const edges = faces(parseCondition("y <= 0 and x + y <= -1").pieces[0]!, WINDOW).map(({ ends }) => ends)
  expect(edges.map(text).sort()).toEqual([
    ["-1 0", "-2 0"],
    ["-1 0", "0 -1"],
  ])
})
