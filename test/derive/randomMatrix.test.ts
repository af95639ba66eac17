import { expect, test } from "vitest"
import { Cell } from "../../src/derive/cell.js"
import { Graded, type RandomTerm } from "../../src/derive/graded.js"
import { later, MANY, meet, Parity } from "../../src/derive/parity.js"
import { type Applications, applied } from "../../src/derive/randomMatrix.js"
import { lead, sizeOf } from "../../src/derive/size.js"
import { Affine } from "../../src/exponent/affine.js"
import { dimension } from "../../src/program/dimension.js"
import { Node } from "../../src/program/node.js"

const n = dimension("n", Affine.constant(1), 1)
const leaf = Node.leaf("G", "frozen", [n, n])
/** Entries of variance 1/n, so that G x has the size of x. */
const G: RandomTerm = { leaf, transposed: false, size: sizeOf(Affine.constant("-1/2")) }
const Gᵀ: RandomTerm = { ...G, transposed: true }

function vector(...parts: readonly (readonly [bases: string, power: number])[]): Graded {
  return Graded.of(
    new Cell(new Map()),
    parts.map(([rows, power]) => ({ parity: Parity.of(rows, ""), size: sizeOf(Affine.constant(power)) })),
  )
}

/** What a matrix that was applied to nothing yet makes of vectors, one after the other. */
function images(of: readonly (readonly [RandomTerm, Graded])[], cell = new Cell(new Map())): Graded[] {
  const context = { cell, applications: new Map<Node, Applications>(), assume: () => {} }
  return of.map(([matrix, to]) => applied(matrix, to, context))
}

function sizes(of: Graded): Record<string, string> {
  return Object.fromEntries(
    of.parts.map(({ parity, size }) => [
      parity.rows,
      `${size.relation === "equal" ? "" : "<= "}${lead(size).constant.toFraction()}`,
    ]),
  )
}

const [x, y] = [vector(["x", 0]), vector(["y", 0])]

test("G x and G y are as aligned as x and y", () => {
  const [first, again, other] = images([
    [G, x],
    [G, x],
    [G, y],
  ])
  expect([first, again, other].map((of) => sizes(of!))).toEqual([{ G: "0" }, { G: "0" }, { [later("G")]: "0" }])
  expect(meet("G", later("G"))).toBe("independent")
})

test("a sum of what was there and something new has a part of each, of its own size", () => {
  const [, sum] = images([
    [G, x],
    [G, vector(["x", 0], ["y", 1])],
  ])
  expect(sizes(sum!)).toEqual({ G: "0", [later("G")]: "1" })
})

test("Gᵀ takes G x back to x and G y back to y, each beside something fresh", () => {
  const [, , ofX, ofY] = images([
    [G, x],
    [G, y],
    [Gᵀ, vector(["G", 0])],
    [Gᵀ, vector([later("G"), 2])],
  ])
  expect(sizes(ofX!)).toEqual({ Gᵀ: "0", x: "0" })
  expect(sizes(ofY!)).toEqual({ [later("Gᵀ")]: "2", y: "2" })
})

test("of which vectors an image is that is not known, it is at most aligned with any", () => {
  const [, many, back] = images([
    [G, x],
    [G, vector([MANY, 0])],
    [Gᵀ, vector(["~G", 0])],
  ])
  expect(sizes(many!)).toEqual({ "~G": "0" })
  expect(["G", later("G"), "B"].map((base) => meet("~G", base))).toEqual([
    "at most aligned",
    "at most aligned",
    "independent",
  ])
  expect(sizes(back!)).toMatchObject({ x: "<= 0" })
})

test("where images are not told apart, all are of one part", () => {
  const cell = new Cell(new Map())
  cell.tellsImagesApart = false
  const [, other] = images(
    [
      [G, x],
      [G, y],
    ],
    cell,
  )
  expect(sizes(other!)).toEqual({ G: "0" })
})
