import type { TopLevelSpec } from "vega-lite"
import { advantageFigure } from "../../src/report/figures/advantage.js"
import { powerLabel } from "../../src/report/figures/axes.js"
import { coordinateFigure } from "../../src/report/figures/coordinates.js"
import { exponentFigure } from "../../src/report/figures/exponents.js"
import { layersFigure } from "../../src/report/figures/layers.js"
import { localSlopeFigure } from "../../src/report/figures/localSlopes.js"
import { lossFigure } from "../../src/report/figures/loss.js"
import { rankFigure } from "../../src/report/figures/rank.js"
import { ratePlaneFigure } from "../../src/report/figures/ratePlane.js"
import { optimalRateFigure } from "../../src/report/figures/rates.js"
import { trajectoryFigure } from "../../src/report/figures/trajectory.js"

const WIDTHS = [128, 256, 512, 1024, 2048]
const SCHEMES = [
  { scheme: "Init[A]", exponent: -1 / 2, law: "−1/2" },
  { scheme: "Init[B]", exponent: -1, law: "−1" },
]
const PANELS = ["feature level", "output level"]

const rates = optimalRateFigure(
  PANELS.flatMap((panel, p) =>
    SCHEMES.flatMap(({ scheme, exponent }, s) =>
      WIDTHS.map((width) => {
        const rate = (0.3 + 0.1 * s) * width ** (exponent + 0.1 * p)
        return { scheme, panel, width, rate, low: rate / 1.2, high: rate * 1.3, censored: s === 1 && width === 128 }
      }),
    ),
  ),
  // In the second panel both schemes have one slope, and share its label.
  PANELS.flatMap((panel, p) =>
    SCHEMES.flatMap(({ scheme }, s) => {
      const { exponent, law } = SCHEMES[p === 0 ? s : 0]!
      return WIDTHS.map((width) => ({
        scheme,
        panel,
        label: `n^(${law})`,
        width,
        rate: (0.3 + 0.1 * s) * width ** exponent,
      }))
    }),
  ),
)

const trajectory = trajectoryFigure(
  [128, 2048].flatMap((width) =>
    SCHEMES.flatMap(({ scheme, exponent }) =>
      Array.from({ length: 21 }, (_, i) => 5 * i).flatMap((step) => [
        { scheme, width, quantity: "|Z_A|" as const, step, value: (1 + step * 0.1) * width ** (0.5 + exponent / 2) },
        { scheme, width, quantity: "|Z_B|" as const, step, value: step / (20 + step) },
      ]),
    ),
  ),
)

const loss = lossFigure(
  SCHEMES.flatMap(({ scheme, exponent }) =>
    WIDTHS.flatMap((width) =>
      Array.from({ length: 13 }, (_, i) => 10 ** (-4 + i / 3)).map((rate) => {
        const distance = Math.log10(rate / (3 * width ** exponent))
        return { scheme, width, rate, loss: distance > 0.8 ? null : 1e-3 * 10 ** (distance ** 2) }
      }),
    ),
  ),
)

const exponents = exponentFigure(
  ["zA", "b", "zB", "delta1"].flatMap((quantity, q) =>
    [-1, -1 / 2, 0, 1 / 4].map((derived, i) => {
      const measured = derived + 0.03 * (i - q) * (i === q ? 0 : 1)
      const verdict = ["agrees", "inconclusive", "contradicts", "agrees"][(i + q) % 4]!
      return { quantity, derived, measured, low: measured - 0.08, high: measured + 0.05, verdict }
    }),
  ),
)

const coordinates = coordinateFigure(
  [
    { quantity: "zA", law: "1/2", exponent: 1 / 2 },
    { quantity: "b", law: "-1/2", exponent: -1 / 2 },
    { quantity: "zB", law: "0", exponent: 0 },
    { quantity: "alignment(zA)", law: "-1/8", exponent: -1 / 8 },
  ].flatMap(({ quantity, law, exponent }) =>
    WIDTHS.map((width) => {
      const derived = 0.7 * width ** exponent
      return { quantity, width, derived, value: derived * (1 + 3 / width), law: powerLabel("n", law) }
    }),
  ),
)

const advantage = advantageFigure(
  WIDTHS.flatMap((width) =>
    Array.from({ length: 10 }, (_, i) => 10 ** (-4 + i / 3)).map((rate) => {
      return { width, rate, ratio: 1.5 / (1 + (rate * width) / 2) }
    }),
  ),
)

const localSlopes = localSlopeFigure(
  ["init-a/c=-1/2", "init-b/c=-1"].flatMap((scheme, s) =>
    ["zA", "zB", "f"].flatMap((quantity, q) =>
      WIDTHS.map((width) => ({ scheme, quantity, width, deviation: (s - 0.5) * (q + 1) * width ** -0.5, error: 0.01 })),
    ),
  ),
  0.05,
)

const layers = layersFigure(
  [2, 3].flatMap((depth) =>
    ["Init[A]", "Init[B]"].flatMap((scheme, s) =>
      ["Z_A", "Z_B"].flatMap((quantity, q) =>
        Array.from({ length: depth }, (_, i) => {
          const [derived, measured] = [(1 - s) * (0.5 - q / 2), (1 - s) * (0.5 - q / 2) + 0.03 * i]
          return {
            layers: depth,
            scheme,
            quantity,
            layer: i + 1,
            derived,
            measured,
            low: measured - 0.1,
            high: measured + 0.06,
          }
        }),
      ),
    ),
  ),
)

const MULTIPLIERS = [
  { multiplier: "α", slope: -1 / 2 },
  { multiplier: "α/r", slope: 1 / 2 },
]
const rank = rankFigure(
  MULTIPLIERS.flatMap(({ multiplier, slope }) =>
    [0, 1 / 4, 1 / 2].map((rho) => ({
      panel: "Init[A], sign",
      multiplier,
      rho,
      c: slope * rho - 1 / 2,
      steps: "all t",
    })),
  ),
  MULTIPLIERS.flatMap(({ multiplier, slope }) =>
    [0, 1 / 4, 1 / 2].map((rho) => {
      const c = slope * rho - 0.48
      return { panel: "Init[A], sign", multiplier, rho, c, low: c - 0.06, high: c + 0.04 }
    }),
  ),
)

const ratePlane = ratePlaneFigure([
  [
    {
      title: "Init[A]: exponent of Z_B at t = 3",
      subtitle: "stable iff cB <= 0 and cA + cB <= -1",
      legend: "exponent",
      step: 1 / 2,
      cells: [-2, -3 / 2, -1, -1 / 2, 0].flatMap((cA) =>
        [-1, -1 / 2, 0, 1 / 2].map((cB) => ({
          cA,
          cB,
          value: cA === -2 && cB === -1 ? null : Math.max(cB, cA + cB + 1),
          differs: cA === 0 && cB === 0,
        })),
      ),
      edges: [
        { cA: -2, cB: 0, toA: -1, toB: 0 },
        { cA: -1, cB: 0, toA: 0, toB: -1 },
      ],
      label: { text: "stable", cA: -1.5, cB: -0.5 },
    },
  ],
])

/** One figure of each kind, from data that nothing changes. */
export const EXAMPLES: Readonly<Record<string, TopLevelSpec>> = {
  rates,
  trajectory,
  loss,
  exponents,
  coordinates,
  advantage,
  "local-slopes": localSlopes,
  layers,
  rank,
  "rate-plane": ratePlane,
}
