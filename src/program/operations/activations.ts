import type { Row } from "./row.js"

/** φ(x). After it is φ of the argument after: φ(before) plus the change would cancel where φ saturates. */
export const activate: Row<"activate"> = {
  gradient: ({ operands: [x], attributes: { by } }, adjoint) => [adjoint.slope(x!, by)],
  change: ({ attributes: { by } }, [x]) => ({
    after: x!.after.activate(by),
    change: x!.change.activationChange(x!.before, by),
  }),
}

/** x φ′(at): linear in x, and only a gradient has it. */
export const slope: Row<"slope"> = { gradient: null, change: null }

/** φ(at + x) − φ(at). What it was before is no argument of a loss: only the change is. */
export const activationChange: Row<"activationChange"> = {
  gradient: ({ operands: [x, at], attributes: { by } }, adjoint) => [adjoint.slope(at!.plus(x!), by), null],
  change: null,
}
