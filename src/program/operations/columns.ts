import { changedProduct, linear } from "./linear.js"
import type { Row } from "./row.js"

export const columnDots: Row<"columnDots"> = {
  gradient: ({ operands: [x, y] }, adjoint) => [y!.scaleColumns(adjoint), x!.scaleColumns(adjoint)],
  change: (_, [x, y]) => changedProduct(x!, y!, (p, q) => p.columnDots(q)),
}

/**
 * x s, less x₀ s₀: (x − x₀) s + x₀ (s − s₀). Not the other way round: where s divides by the size of x, so does each
 * term, and a change of x far above x₀ leaves no two large terms that cancel.
 */
export const scaleColumns: Row<"scaleColumns"> = {
  gradient: ({ operands: [x, row] }, adjoint) => [adjoint.scaleColumns(row!), adjoint.columnDots(x!)],
  change: (_, [x, row]) => ({
    after: x!.after.scaleColumns(row!.after),
    change: x!.change.scaleColumns(row!.after).plus(x!.before.scaleColumns(row!.change)),
  }),
}

/** A projection: its own transpose. */
export const centre: Row<"centre"> = linear(
  (x) => x.centre(),
  (_, adjoint) => adjoint.centre(),
)

export const rowPart: Row<"rowPart"> = linear(
  (x, part) => x.rowPart(part),
  ({ operands: [x], attributes: { index, of } }, adjoint) => adjoint.placeRows({ index, of, space: x!.shape[0] }),
)

export const placeRows: Row<"placeRows"> = linear(
  (x, part) => x.placeRows(part),
  ({ operands: [x], attributes: { index, of } }, adjoint) => adjoint.rowPart({ index, of, space: x!.shape[0] }),
)

/** Orthogonal: its transpose turns back. */
export const rotate: Row<"rotate"> = linear(
  (x, by) => x.rotate(by),
  ({ attributes: { back, base } }, adjoint) => adjoint.rotate({ back: !back, base }),
)
