/** The worker that trains: width by width, so that the page sees the slopes come. */
import { z } from "zod"
import { termsOf } from "../../src/derive/terms.js"
import { scheme } from "../../src/scheme/scheme.js"
import type { RunResult } from "../../src/train/run.js"
import { type Budget, checkBudget } from "../../verify/compare/budget.js"
import { judgeMeasurements } from "../../verify/compare/claim.js"
import { claimsJson } from "../../verify/compare/claimTable.js"
import { measurementsOf } from "../../verify/compare/measurements.js"
import type { Setting } from "../../verify/compare/setting.js"
import { fourthPowers, powersOfTwo } from "../../verify/compare/widths.js"
import type { TrainAsked, TrainNews } from "../messages.js"
import { definitionOf } from "./definition.js"
import { OPEN } from "./engines.js"
import { refusalOf } from "./refusal.js"
import { scope } from "./scope.js"
import { symbolsOf } from "./symbols.js"

z.config({ jitless: true })

const tell = (news: TrainNews) => scope.postMessage(news)

scope.onmessage = ({ data }) => {
  train(data as TrainAsked).catch((error) => tell({ kind: "refused", refusal: refusalOf(error) }))
}

async function train(asked: TrainAsked): Promise<void> {
  const started = performance.now()
  const setting = settingOf(asked)
  const budget = budgetOf(asked, setting)
  const ready = scheme(setting.definition, setting.values)
  const engine = await OPEN[asked.engine](setting, ready, budget)
  const terms = termsOf(ready)
  const exponents = (quantity: string) =>
    Array.from({ length: budget.steps }, (_, i) => {
      const derived = terms(quantity, i + 1)
      return derived.kind === "zero" ? null : derived.exponent.valueOf()
    })
  tell({
    kind: "begun",
    widths: budget.widths,
    backend: engine.name,
    derived: Object.fromEntries(engine.quantities.map((name) => [name, exponents(name)])),
  })
  const seeds = Array.from({ length: budget.seeds }, (_, i) => budget.firstSeed + i)
  const runs = new Map<number, readonly RunResult[]>()
  for (const width of budget.widths) {
    const results = await engine.runs({ width, rank: budget.rank, steps: budget.steps }, seeds)
    runs.set(width, results)
    tell({ kind: "width", width, sizes: sizesOf(results, engine.quantities, budget.steps) })
  }
  const measured = measurementsOf(budget.widths, (width) => runs.get(width)!)
  const claims = judgeMeasurements([setting], budget, [measured], { quantitiesOf: () => engine.quantities })
  tell({ kind: "done", claims: claimsJson(claims).claims, milliseconds: performance.now() - started })
}

/** The scheme at its point, every symbol with its value. */
function settingOf(asked: TrainAsked): Setting {
  const definition = definitionOf(asked)
  const own = symbolsOf(definition, asked.point).filter(({ usual, exact }) => usual === null || !usual.equals(exact))
  return { definition, values: Object.fromEntries(own.map(({ name, value }) => [name, value])) }
}

/** The budget of a coordinate check over the widths asked for; fourth powers where the rank grows with the width. */
function budgetOf({ from, to, seeds, steps }: TrainAsked, setting: Setting): Budget {
  const usual = checkBudget(setting, { seeds, steps })
  const powers = powersOfTwo(from, to)
  const isGrowing = usual.rank === 1
  const fourth = fourthPowers(1, 16).filter((width) => width >= powers[0]! && width <= powers.at(-1)!)
  return { ...usual, widths: isGrowing ? fourth : powers }
}

/** Root mean squares over seeds. */
function sizesOf(runs: readonly RunResult[], quantities: readonly string[], steps: number) {
  const mean = (name: string, step: number) =>
    runs.reduce((sum, { history }) => sum + (history[step]?.meanSquares[name] ?? Number.NaN), 0) / runs.length
  return Object.fromEntries(
    quantities.map((name) => [name, Array.from({ length: steps }, (_, step) => Math.sqrt(mean(name, step)))]),
  )
}
