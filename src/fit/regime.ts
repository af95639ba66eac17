import type { Bracket } from "./bracket.js"

/** Where a rate stands to the largest rate that trains stably at its own width. */
export type RegimeKind = "unknown" | "far below" | "near" | "beyond"

/** This far below a rate that held, the bound is not what decides: one step of a grid of two rates a decade. */
export const FAR = 3

/**
 * The regime of a rate, from the edge seen at its width: beyond the first rate that failed, far below one that held, or
 * near.
 *
 * A derived bound is an exponent without its constant, so without an edge the regime is unknown.
 */
export function regimeOf(rate: number, edge: Bracket | null): RegimeKind {
  if (edge === null || (edge.low === 0 && edge.high === Number.POSITIVE_INFINITY)) return "unknown"
  if (rate >= edge.high) return "beyond"
  if (FAR * rate <= edge.low) return "far below"
  // A rate that has only been seen to hold says nothing of how much higher would hold too.
  return Number.isFinite(edge.high) ? "near" : "unknown"
}
