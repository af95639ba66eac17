/** A program whose exponents this engine cannot derive, with the operation and the reason. */
export class Underivable extends Error {
  constructor(operation: string, reason: string) {
    super(`no exponent is derived for ${operation}: ${reason}`)
    this.name = "Underivable"
  }
}
