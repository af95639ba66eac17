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
import { optimalRateFigure, type RatePoint, type ReferenceLine } from "../../src/report/figures/rates.js"
import { sitesFigure } from "../../src/report/figures/sites.js"
import { trajectoryFigure } from "../../src/report/figures/trajectory.js"
import type { Opening } from "../../src/report/opening.js"

const WIDTHS = [128, 256, 512, 1024, 2048]
const SCHEMES = [
  { scheme: "Init[A]", exponent: -1 / 2, law: "−1/2" },
  { scheme: "Init[B]", exponent: -1, law: "−1" },
]
const PANELS = ["feature level", "output level"]

const RATES: readonly [RatePoint[], ReferenceLine[]] = [
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
]

const rates = optimalRateFigure(...RATES)

/** A first screen of made-up laws. */
export const OPENING_EXAMPLE: Opening = {
  question: "How fast must the rate fall as the model gets wider, and does the start matter?",
  answer:
    "It does: in the width n, the features stay bounded at rates up to **n^(−1/2)** with Init[A] (A random, B zero), but only **n^(−1)** with Init[B] (A zero, B random). Of 8 laws measured in training, 6 agree with what is derived; 2 depart from it, for reasons named below.",
  laws: [0.5, 1].flatMap((readout) =>
    SCHEMES.flatMap(({ scheme: subject, exponent, law }, s) =>
      (["features", "output"] as const).map((level, l) => ({
        subject,
        level,
        readout,
        derived: `n^(${law})`,
        proven: { theorem: s === 0 ? "init-a-stable" : "init-b-features", checkers: ["kernel"] },
        measured: { exponent: exponent + 0.02 * l, low: exponent - 0.06, high: exponent + 0.08 },
        verdict: readout === 1 || s !== l ? ("agrees" as const) : ("contradicts" as const),
      })),
    ),
  ),
  figure: {
    name: "rates",
    caption: "Rates against width, 95 % intervals; dashed: the derived slopes through each first point.",
    spec: optimalRateFigure(...RATES, { width: 235, height: 190 }),
  },
  practice:
    "LoRA as PEFT starts it is Init[A]. A rate of 2e-4 that is about the largest that trains at width 4096 becomes **1.41e-4** under Init[A], **1e-4** under Init[B] at width 8192. A rate far below that edge may stay as it is.\n\nIn these runs, at n = 2048, the best rate under Init[A] is 2.0 times that under Init[B].\n\nFor your width, rank and alpha:\n`lora-scaling transfer --lr 2e-4 --from-width 4096 --to-width 8192`",
}

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

const sites = sitesFigure(
  [
    { model: "Llama's block", names: ["q", "v", "down"] },
    { model: "BERT's block", names: ["query", "output"] },
  ].flatMap(({ model, names }) =>
    ["Init[A]", "Init[B]"].flatMap((scheme, s) =>
      ["Z_A", "Z_B"].flatMap((quantity, q) =>
        names.map((site, i) => {
          const derived = (1 - s) * (0.5 - q / 2)
          const measured = derived + 0.04 * i - 0.02
          return { model, scheme, quantity, site, derived, measured, low: measured - 0.1, high: measured + 0.06 }
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
  sites,
  rank,
  "rate-plane": ratePlane,
}
