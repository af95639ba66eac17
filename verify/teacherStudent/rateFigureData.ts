import { powerLabel } from "../../src/report/figures/axes.js"
import type { RatePoint, ReferenceLine } from "../../src/report/figures/rates.js"
import { boundOfRate } from "./boundOfRate.js"
import type { RateLaw } from "./teacherStudent.js"

const PANELS = {
  features: "feature level: largest rate with |Z_B| bounded",
  output: "output level: rate of least loss",
} as const

/** Points and reference lines of the rate figure at one readout. */
export function rateFigureData(laws: readonly RateLaw[], readout: number): [RatePoint[], ReferenceLine[]] {
  const own = laws.filter((law) => law.readout === readout)
  const points = own.flatMap(({ scheme, level, fit }) =>
    fit.widths.map(
      ({ censored, ...point }): RatePoint => ({ scheme, panel: PANELS[level], ...point, censored: censored > 0 }),
    ),
  )
  const lines = own.flatMap(({ scheme, level, fit: { widths } }): ReferenceLine[] => {
    const bound = boundOfRate({ readout, scheme, level })
    const [exponent, label] = [bound.valueOf(), powerLabel("n", bound.toFraction())]
    const first = widths[0]!
    return widths.map(({ width }) => ({
      scheme,
      panel: PANELS[level],
      label,
      width,
      rate: first.rate * (width / first.width) ** exponent,
    }))
  })
  return [points, lines]
}
