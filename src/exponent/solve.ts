import nerdamer from "nerdamer"
import "nerdamer/Solve.js"
import { type Affine, Affine as AffineForm } from "./affine.js"
import { formatAffine, parseAffine } from "./grammar.js"

/**
 * The form in the other symbols that the named symbol must equal for `form` to vanish, solved by nerdamer.
 *
 * nerdamer is right on linear equations with a symbol and silently wrong on much else, so only such are given to it
 * and its answer is substituted back exactly.
 *
 * @throws Error if the symbol does not occur, or if the answer does not satisfy the equation.
 */
export function solveFor(form: Affine, symbol: string): Affine {
  if (form.coefficient(symbol).n === 0n) throw new Error(`${formatAffine(form)} = 0 does not determine ${symbol}`)
  const [answer] = nerdamer(formatAffine(form)).solveFor(symbol) as unknown as { toString(): string }[]
  const solution = parseAffine(String(answer), "solution")
  const residual = form.substitute(new Map([[symbol, solution]]))
  if (residual.key !== AffineForm.ZERO.key)
    throw new Error(`${symbol} = ${formatAffine(solution)} does not solve ${formatAffine(form)} = 0`)
  return solution
}
