/** A program whose exponents this engine cannot derive, with the operation and the reason. */
export class Underivable extends Error {
  constructor(
    operation: string,
    readonly reason: string,
  ) {
    super(`no exponent is derived for ${operation}: ${reason}`)
    this.name = "Underivable"
  }
}

/** An operation of which nothing is known by the answers of a cell so far; of other values of the symbols it may be. */
export class UnknownHere extends Underivable {}

/** What is read, or why nothing is known in the cell. */
export function ifKnown<T>(read: () => T): T | UnknownHere {
  try {
    return read()
  } catch (error) {
    if (error instanceof UnknownHere) return error
    throw error
  }
}
