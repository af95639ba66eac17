import type { Terms } from "../../src/derive/terms.js"
import type { Verdict } from "../../src/fit/judge.js"
import { inOrder } from "../../src/program/node.js"
import type { DerivedSetting } from "./derivedSetting.js"
import type { Measurements } from "./measurements.js"

/** A saturating function behind a quantity, derived and measured. */
interface Reached {
  readonly name: string
  readonly t: number
  /** Whether the quantity is made of it in its own step. */
  readonly isOwn: boolean
  readonly derived: Extract<Terms, { readonly kind: "power" }>
  /** The mean square of what its argument has changed by over its scale, by width. */
  readonly squares: readonly number[]
}

/**
 * The cause of a contradiction by a function that saturates as the width grows and does not yet at the widths measured,
 * or the other way round: what is made of it is then no sum of powers over these widths, whatever terms a fit has.
 *
 * - By derivation it saturates, and at the narrowest width it does not. Asked are the functions that the quantity is
 *   made of in its own step, and all of earlier steps, which moved the factors that it is made of.
 * - By derivation it does not, at the narrowest width it does, and from there to the widest the mean square of what it is
 *   given falls to less than half of the derived power: more than half is of terms that fall behind. What is made of it in
 *   the same step is then held down at the narrow widths, so that this is the cause of an exponent fitted too high alone.
 *
 * @param measured the verdict on the quantity, a contradiction.
 * @returns what was derived and measured of the function that is furthest from it; null where there is none.
 */
export function saturationCause(
  { scheme: { program }, terms }: DerivedSetting,
  quantity: string,
  step: number,
  measured: Verdict,
  { saturation }: Measurements,
  widths: readonly number[],
): string | null {
  const behind = new Set(inOrder([program.quantities[quantity] ?? program.alignments[quantity]!.product]))
  const all = Object.entries(program.saturations).flatMap(([name, { of }]) =>
    Array.from({ length: step }, (_, i) => i + 1).flatMap((t): Reached[] => {
      const derived = terms(name, t)
      const isOwn = t === step && behind.has(of)
      if (derived.kind === "zero" || (t === step && !isOwn)) return []
      return [{ name, t, isOwn, derived, squares: saturation(name, t) }]
    }),
  )
  const [missed] = all.filter(isMissed).sort((x, y) => x.squares[0]! - y.squares[0]!)
  if (missed !== undefined) return told(missed, "is to saturate", widths)
  if (!isTooHigh(terms(quantity, step), measured)) return null
  const [passing] = all.filter((each) => isPassing(each, widths)).sort((x, y) => y.squares[0]! - x.squares[0]!)
  return passing === undefined ? null : told(passing, "is to stay near its scale", widths)
}

function isMissed({ derived, squares }: Reached): boolean {
  return derived.relation === "equal" && derived.exponent.compare(0) > 0 && squares[0]! < 1
}

function isPassing({ isOwn, derived, squares }: Reached, widths: readonly number[]): boolean {
  if (!isOwn || derived.exponent.compare(0) > 0) return false
  const [narrowest, widest] = [0, widths.length - 1].map(
    (i) => squares[i]! / widths[i]! ** (2 * derived.exponent.valueOf()),
  )
  return squares[0]! >= 1 && widest! < narrowest! / 2
}

function isTooHigh(derived: Terms, { corrected, plain }: Verdict): boolean {
  const found = corrected ?? plain
  return derived.kind === "power" && found !== null && found.interval.low > derived.exponent.valueOf()
}

function told({ name, t, derived, squares }: Reached, what: string, widths: readonly number[]): string {
  const [narrowest, widest] = [squares[0]!, squares.at(-1)!].map((square) => Math.sqrt(square).toPrecision(2))
  return (
    `finite widths: ${name} ${what} as what it is given changes by n^(${derived.exponent.toFraction()}) of its ` +
    `scale at t = ${t}, but measured it changes by ${narrowest} at n = ${widths[0]}, ${widest} at n = ${widths.at(-1)}`
  )
}
