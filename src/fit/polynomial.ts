import { Matrix, solve } from "ml-matrix"

/** A point of a curve. */
export interface CurvePoint {
  readonly x: number
  readonly value: number
  /** How many runs at the least loss tell as much as its value does: those that it is the mean of, or fewer. */
  readonly weight: number
}

/** A polynomial in x − centre, the constant first, and the sum of weighted squares that it leaves. */
export interface Polynomial {
  readonly centre: number
  readonly coefficients: readonly number[]
  readonly residual: number
}

/** The polynomial of least squares of a degree, weighted. */
export function polynomialFit(points: readonly CurvePoint[], degree: number): Polynomial {
  const centre = (points[0]!.x + points.at(-1)!.x) / 2
  const scale = (points.at(-1)!.x - points[0]!.x) / 2 || 1
  const base = points[0]!.value
  const design = new Matrix(
    points.map(({ x, weight }) =>
      Array.from({ length: degree + 1 }, (_, power) => Math.sqrt(weight) * ((x - centre) / scale) ** power),
    ),
  )
  const target = Matrix.columnVector(points.map(({ value, weight }) => Math.sqrt(weight) * (value - base)))
  const solution = solve(design, target)
  const residual = target.clone().sub(design.mmul(solution)).norm("frobenius") ** 2
  const coefficients = solution.to1DArray().map((c, power) => c / scale ** power)
  coefficients[0]! += base
  return { centre, coefficients, residual }
}
