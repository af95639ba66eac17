import { type Finding, healthy, median, names, notice, shown, unknown } from "../finding.js"
import type { MeasuredModule } from "../measureRun.js"
import { startOf } from "../starts.js"

/**
 * Of the change of the product, the part by one factor over the part by the other, as operators, summed over the
 * intervals.
 */
function shareOf({ intervals }: MeasuredModule, factor: "a" | "b"): number {
  const part = (which: "byA" | "byB") =>
    intervals.reduce((sum, { operators }) => sum + operators[which] + operators.byBoth, 0)
  return factor === "a" ? part("byA") / part("byB") : part("byB") / part("byA")
}

export const undertrained: Finding = {
  id: "undertrained-factor",
  title: "One factor hardly takes part",
  measures:
    "Δ(BA) = BΔA + ΔBA + ΔBΔA between checkpoints, largest singular values: the terms with the change of the factor that started nonzero, over those with the change of the other",
  threshold: {
    source: "theory",
    text: "n^(-1/2), n the width of the input: halfway, as an exponent, between a factor that takes part (Θ(1)) and Init[B]'s B at its largest stable rate (Θ(1/n)); constants are not known, so it is an order of size",
  },
  why: "A factor whose share vanishes with width is as good as frozen at its start: for Init[B] at a stable rate that is B. Efficient learning needs both terms of the same order (LoRA+ gives the lagging factor a larger rate, Init[A] the other start).",
  settle:
    "the same run at two or three widths: the share of a lagging factor falls like 1/n; or a larger rate for that factor alone",
  examine: (measured) => {
    const { modules, run } = measured
    if (run.checkpoints.length < 2) return unknown("it takes two checkpoints to see what moved.")
    const known = modules.flatMap((module) => {
      const start = startOf(measured, module)
      return (["a", "b"] as const).flatMap((factor) => {
        const share = shareOf(module, factor)
        const asked =
          module.points[0]![factor].norm > 0 && start[factor] !== "zero" && (module.whole?.[factor].unchanged ?? 1) < 1
        return asked && Number.isFinite(share) ? [{ module, factor, share, limit: module.input ** -0.5 }] : []
      })
    })
    if (known.length === 0)
      return unknown("no factor that was nonzero at the first checkpoint has moved while the other did.")
    for (const factor of ["a", "b"] as const) {
      const own = known.filter((one) => one.factor === factor)
      const low = own.filter(({ share, limit }) => share < limit)
      // A property of the run: most modules, not one.
      if (own.length > 0 && low.length > own.length / 2) {
        const share = median(low.map(({ share }) => share))
        const other = factor === "a" ? "b" : "a"
        const grown = low.every(({ module }) => startOf(measured, module)[other] === "zero")
        const reading = !grown
          ? ""
          : factor === "b"
            ? " So the theory predicts of A zero and B random (Init[B]) at every stable rate: a share of Θ(1/n)."
            : " With A random and B zero (Init[A]) a larger rate is stable, up to Θ(n^-1/2), at which A takes part."
        return notice(
          `${factor.toUpperCase()}, nonzero at the first checkpoint, hardly takes part: its change makes ${shown(share)} of what the other factor's change makes of Δ(BA) (median of ${low.length} modules).${reading}`,
          share,
          median(low.map(({ limit }) => limit)),
          names(low.map(({ module }) => module)),
        )
      }
    }
    const lesser = median(known.map(({ share }) => Math.min(share, 1 / share)))
    return healthy(
      `The change of each factor counts: the lesser makes ${shown(lesser)} of what the other makes (median).`,
      lesser,
      median(known.map(({ limit }) => limit)),
    )
  },
}
