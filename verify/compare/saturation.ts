import { inOrder } from "../../src/program/node.js"
import type { DerivedSetting } from "./derivedSetting.js"
import type { Measurements } from "./measurements.js"

/**
 * A function that by derivation saturates as the width grows, and does not at the narrowest width measured: the sizes
 * that it acts on are then no sums of powers over these widths, whatever terms a fit has.
 *
 * Asked are the functions that a quantity is made of in its own step, and all of earlier steps, which moved the factors
 * that it is made of.
 *
 * @returns what was derived and measured of the one that is furthest from it; null where there is none.
 */
export function missedSaturation(
  { scheme: { program }, terms }: DerivedSetting,
  quantity: string,
  step: number,
  { saturation }: Measurements,
  widths: readonly number[],
): string | null {
  const behind = new Set(inOrder([program.quantities[quantity] ?? program.alignments[quantity]!.product]))
  const missed = Object.entries(program.saturations).flatMap(([name, { of }]) =>
    Array.from({ length: step }, (_, i) => i + 1).flatMap((t) => {
      if (t === step && !behind.has(of)) return []
      const derived = terms(name, t)
      if (derived.kind === "zero" || derived.relation === "atMost" || derived.exponent.compare(0) <= 0) return []
      const reached = saturation(name, t)
      return reached[0]! < 1 ? [{ name, t, exponent: derived.exponent, reached }] : []
    }),
  )
  const [first, ...others] = missed
  if (first === undefined) return null
  const { name, t, exponent, reached } = others.reduce((x, y) => (y.reached[0]! < x.reached[0]! ? y : x), first)
  const [narrowest, widest] = [reached[0]!, reached.at(-1)!].map((square) => Math.sqrt(square).toPrecision(2))
  return (
    `finite widths: ${name} is to saturate as what it is given changes by n^(${exponent.toFraction()}) of its ` +
    `scale at t = ${t}, but measured it changes by ${narrowest} at n = ${widths[0]}, ${widest} at n = ${widths.at(-1)}`
  )
}
