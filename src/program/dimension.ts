import { Affine } from "../exponent/affine.js"

/** An index space: its name, and its size count · n^exponent in the width n. */
export interface Dimension {
  readonly name: string
  readonly exponent: Affine
  /** Its size at n = 1: the number of samples, say; 1 for a width. */
  readonly count: number
}

/** A matrix's spaces: rows and columns. */
export type Shape = readonly [Dimension, Dimension]

/** The space of a single index. */
export const SINGLE: Dimension = { name: "one", exponent: Affine.ZERO, count: 1 }

/** A space by its name, of size count · n^exponent. */
export function dimension(name: string, exponent: Affine = Affine.ZERO, count = 1): Dimension {
  return { name, exponent, count }
}

/** Whether a space grows (or shrinks) with the width. */
export function grows({ exponent }: Dimension): boolean {
  return exponent.key !== Affine.ZERO.key
}

/** Whether a space is that of a single index. */
export function isSingle({ name }: Dimension): boolean {
  return name === SINGLE.name
}

/** Whether two shapes are of the same spaces. */
export function isSameShape(x: Shape, y: Shape): boolean {
  return x[0].name === y[0].name && x[1].name === y[1].name
}

/** Whether a shape is that of a scalar. */
export function isScalar(shape: Shape): boolean {
  return shape.every(isSingle)
}

/** A shape as text, such as "r×n". */
export function shapeText([rows, columns]: Shape): string {
  return `${rows.name}×${columns.name}`
}
