import { derive } from "../src/derive/derive.js"
import { formatCondition, formatMin } from "../src/exponent/grammar.js"
import type { LossPoint, RatePoint, ReferenceLine, TrajectoryPoint } from "../src/report/figures.js"
import type { ReportTable } from "../src/report/table.js"
import { CATALOGUE } from "../src/scheme/catalogue.js"
import { scheme } from "../src/scheme/scheme.js"
import type { CoverageCase } from "./coverage.js"
import { groupBy, type RateLaw, type SyntheticRun } from "./teacherStudent.js"
import type { Claim } from "./theorySetting.js"

/** What each scheme's program implies at the feature level. */
export function derivedTable(): ReportTable {
  return {
    columns: ["scheme", "stable", "internally stable", "feature learning", "efficient", "largest rate"],
    rows: CATALOGUE.map((definition) => {
      const { stable, internallyStable, featureLearning, efficient, largestRate } = derive(scheme(definition))
      const conditions = [stable, internallyStable, featureLearning, efficient].map((condition) =>
        condition === null ? "-" : formatCondition(condition),
      )
      return [definition.name, ...conditions, largestRate.features && formatMin(largestRate.features)]
    }),
  }
}

/** Every root mean square of the theory's setting. */
export function theoryValues(claims: readonly Claim[]): ReportTable {
  return {
    columns: ["setting", "quantity", "step", "width", "seeds", "value"],
    rows: claims.flatMap(({ id, quantity, step, widths, seeds, values }) =>
      widths.map((width, i) => [id.slice(0, id.lastIndexOf("/")), quantity, step, width, seeds, values[i]!]),
    ),
  }
}

/** Every interval of the coverage experiment. */
export function coverageTable(cases: readonly CoverageCase[]): ReportTable {
  return {
    columns: ["case", "derived", "next", "low", "high", "covered", "plain low", "plain high", "plain covered"],
    rows: cases.map(({ id, derived, next, interval, covered, plainInterval, plainCovered }) => {
      return [id, derived, next, ...interval, String(covered), ...plainInterval, String(plainCovered)]
    }),
  }
}

/** The exponents of the rates: a row per readout, scheme and level. */
export function rateLawTable(laws: readonly RateLaw[]): ReportTable {
  return {
    columns: ["readout o", "scheme", "level", "exponent", "95 % low", "95 % high", "widths used"],
    rows: laws.map(({ readout, scheme, level, fit: { slope, widths } }) => [
      readout,
      scheme,
      level,
      slope?.exponent.toFixed(3) ?? null,
      slope?.interval.low.toFixed(3) ?? null,
      slope?.interval.high.toFixed(3) ?? null,
      widths.filter(({ censored }) => censored === 0).length,
    ]),
  }
}

/** Each rate at each width with its interval. */
export function ratesPerWidth(laws: readonly RateLaw[]): ReportTable {
  return {
    columns: ["readout", "scheme", "level", "width", "rate", "low", "high", "censored seeds"],
    rows: laws.flatMap(({ readout, scheme, level, fit }) =>
      fit.widths.map(({ width, rate, low, high, censored }) => [
        readout,
        scheme,
        level,
        width,
        rate,
        low,
        high,
        censored,
      ]),
    ),
  }
}

/** Every run of the teacher-student experiment. */
export function runTable(runs: readonly SyntheticRun[]): ReportTable {
  return {
    columns: [
      "readout",
      "scheme",
      "width",
      "seed",
      "rate",
      "backend",
      "outcome",
      "step",
      "loss",
      "zA",
      "zB",
      "outputChange",
    ],
    rows: runs.map(({ scheme, config, result: { backend, outcome, finalLoss, largest } }) => [
      config.readout,
      scheme,
      config.width,
      config.seed,
      config.rates.A,
      backend,
      outcome.kind,
      outcome.kind === "diverged" ? outcome.step : config.steps,
      finalLoss,
      largest.zA,
      largest.zB,
      largest.outputChange,
    ]),
  }
}

/** The coordinates through training, at the narrowest and widest width. */
export function historyTable(runs: readonly SyntheticRun[]): ReportTable {
  const extremes = extremeWidths(runs)
  return {
    columns: ["readout", "scheme", "width", "seed", "rate", "step", "loss", "zA", "zB", "outputChange"],
    rows: runs
      .filter(({ config }) => extremes.includes(config.width))
      .flatMap(({ scheme, config, result }) =>
        result.history.map((record) => [
          config.readout,
          scheme,
          config.width,
          config.seed,
          config.rates.A,
          ...[record.step, record.loss, record.zA, record.zB, record.outputChange],
        ]),
      ),
  }
}

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
    const [exponent, label] = scheme === "Init[A]" ? [-1 / 2, "n^(−1/2)"] : [-1, "n^(−1)"]
    const first = widths[0]!
    return widths.map(({ width }) => ({
      panel: PANELS[level],
      label,
      width,
      rate: first.rate * (width / first.width) ** exponent,
    }))
  })
  return [points, lines]
}

/** |Z_A| and |Z_B| through training at the grid's rate nearest to each scheme's best, first seed. */
export function trajectoryData(
  runs: readonly SyntheticRun[],
  laws: readonly RateLaw[],
  readout: number,
): TrajectoryPoint[] {
  const extremes = extremeWidths(runs)
  return laws
    .filter((law) => law.readout === readout && law.level === "output")
    .flatMap(({ scheme, fit }) =>
      fit.widths
        .filter(({ width }) => extremes.includes(width))
        .flatMap(({ width, rate }) => {
          const candidates = runs.filter(
            ({ scheme: s, config: c }) => s === scheme && c.readout === readout && c.width === width,
          )
          const distance = (run: SyntheticRun) => Math.abs(Math.log(run.config.rates.A / rate))
          const best = candidates.reduce((x, y) => (distance(y) < distance(x) ? y : x))
          return best.result.history.flatMap(({ step, zA, zB }): TrajectoryPoint[] => [
            { scheme, width, quantity: "|Z_A|", step, value: zA },
            { scheme, width, quantity: "|Z_B|", step, value: zB },
          ])
        }),
    )
}

/** The geometric mean over seeds of the final loss at each rate; null where a seed diverged. */
export function lossData(runs: readonly SyntheticRun[], readout: number): LossPoint[] {
  const own = runs.filter(({ config }) => config.readout === readout)
  return groupBy(own, ({ scheme, config }) => `${scheme} ${config.width} ${config.rates.A}`).map((group): LossPoint => {
    const { scheme, config } = group[0]!
    const losses = group.map(({ result }) => (result.outcome.kind === "diverged" ? Number.NaN : result.finalLoss))
    const mean = Math.exp(losses.reduce((sum, loss) => sum + Math.log(loss), 0) / losses.length)
    return { scheme, width: config.width, rate: config.rates.A, loss: Number.isFinite(mean) ? mean : null }
  })
}

function extremeWidths(runs: readonly SyntheticRun[]): number[] {
  const widths = runs.map(({ config }) => config.width)
  return [Math.min(...widths), Math.max(...widths)]
}
