/**
 * Claim: at rank r = n^ρ and multiplier n^s the largest stable rate is the derived function of ρ and s, for both
 * starts, sign updates and gradient descent; and at a rate free of r gradient descent keeps learning with α/√r and
 * stops with α/r ([rsLoRA]), while sign updates keep learning with α/r.
 */
import type { Fraction } from "fraction.js"
import { rankFigure } from "../../src/report/figures/rank.js"
import type { Section } from "../../src/report/section.js"
import type { SweepOptions } from "../../src/sweep/sweep.js"
import { exponentsAnswer, verdictsAnswer } from "../compare/answers.js"
import type { Budget } from "../compare/budget.js"
import { judgeMeasurements, type MeasuredClaim } from "../compare/claim.js"
import { claimsTable } from "../compare/claimTable.js"
import { claimFindings } from "../compare/findings.js"
import { measure, taskCount } from "../compare/measure.js"
import { rechecked } from "../compare/recheck.js"
import { FIRST_SEED } from "../compare/seeds.js"
import { type ThresholdFamily, thresholds, thresholdTasks } from "../compare/threshold.js"
import { fourthPowers } from "../compare/widths.js"
import type { Effort, Experiment } from "../experiment.js"
import {
  atRanks,
  boundsOf,
  byRank,
  FIXED_RANK,
  QUANTITY,
  type Ranked,
  type RankLaw,
  type RankScheme,
  type RankSize,
  rankSchemes,
  SEARCH,
  settingOf,
} from "./rankSchemes.js"
import { boundTable, fixedRateTable, lawFinding, lawTable, lines, points } from "./rankTables.js"

const fixed = { rank: 1, steps: 3 }

const SIZES: Readonly<Record<Effort["size"], RankSize>> = {
  quick: {
    ranks: ["0", "1/2"],
    updates: ["sign"],
    levels: ["features"],
    quantities: ["zA", "zB", "f"],
    budget: { ...fixed, widths: fourthPowers(3, 6), seeds: 16, firstSeed: FIRST_SEED.rankScaling },
    wider: fourthPowers(5, 8),
    probe: { ...fixed, widths: fourthPowers(3, 6), seeds: 16, firstSeed: FIRST_SEED.rankScaling + 500_000 },
    halvings: 3,
  },
  full: {
    ranks: ["0", "1/4", "1/2"],
    updates: ["sign", "sgd"],
    levels: ["features", "output"],
    budget: { ...fixed, widths: fourthPowers(3, 8), seeds: 64, firstSeed: FIRST_SEED.rankScaling },
    wider: fourthPowers(5, 10),
    probe: { ...fixed, widths: fourthPowers(3, 7), seeds: 32, firstSeed: FIRST_SEED.rankScaling + 500_000 },
    halvings: 6,
  },
}

/** The experiment at any size. */
export async function rankLaws(size: RankSize, options: SweepOptions): Promise<Section> {
  const schemes = rankSchemes(size.updates)
  const ranked = atRanks(schemes, size.ranks)
  const last = size.budget.steps
  const claims = await claimsAt(
    ranked.map((at) => ({ ...at, c: boundsOf(at, "features", last).forAll })),
    size,
    options,
    size.quantities,
  )
  const fixedRate = await claimsAt(
    ranked.map((at) => ({ ...at, c: boundsOf({ ...at, rho: "0" }, "features", last).forAll })),
    size,
    options,
    [QUANTITY.features],
  )
  const [at, families] = familiesOf(ranked, size)
  const found = await thresholds(families, { ...SEARCH, halvings: size.halvings }, options)
  const laws = at.map((family, i): RankLaw => {
    return { ...family, ...boundsOf(family, family.level, last), threshold: found[i]! }
  })
  return section({ schemes, laws, claims, fixedRate, size })
}

/** Ranks that grow, with each multiplier. */
export const rankScaling: Experiment = {
  id: "rank-scaling",
  title: "Rank and multiplier: how the largest stable rate depends on r = n^ρ and α",
  tasks: (effort) => {
    const size = sized(effort)
    const ranked = atRanks(rankSchemes(size.updates), size.ranks)
    const settings = [...ranked, ...ranked].map((at) => settingOf(at, "0"))
    const [, families] = familiesOf(ranked, size)
    return taskCount(settings, size.budget) + thresholdTasks(families, { ...SEARCH, halvings: size.halvings })
  },
  run: (effort, options) => rankLaws(sized(effort), options),
}

function sized({ size, seeds }: Effort): RankSize {
  const { budget, probe, ...rest } = SIZES[size]
  const more = (of: Budget) => ({ ...of, seeds: of.seeds * seeds })
  return { ...rest, budget: more(budget), probe: more(probe) }
}

/** What a threshold is looked for, and how it is measured. */
function familiesOf(ranked: readonly Ranked[], { levels, probe }: RankSize) {
  const budget = byRank(probe)
  const at = ranked.flatMap((of) => levels.map((level) => ({ ...of, level })))
  const families = at.map((of): ThresholdFamily => {
    return { at: (c) => settingOf(of, c), quantities: [QUANTITY[of.level]], budget: budget(of) }
  })
  return [at, families] as const
}

/** The claims at settings of several ranks, corrected for all of them. */
async function claimsAt(
  settings: readonly (Ranked & { readonly c: Fraction })[],
  { budget, wider }: RankSize,
  options: SweepOptions,
  quantities?: readonly string[],
): Promise<MeasuredClaim[]> {
  const all: MeasuredClaim[] = []
  const budgetAt = byRank(budget)
  for (const used of new Set(settings.map(budgetAt))) {
    const own = settings.filter((at) => budgetAt(at) === used)
    const here = own.map((at) => settingOf(at, at.c.toFraction()))
    const measurements = await measure(here, used, options)
    for (const [i, setting] of here.entries()) {
      const claims = judgeMeasurements([setting], used, [measurements[i]!], {
        families: settings.length,
        ...(quantities && { quantitiesOf: () => quantities }),
      })
      all.push(...(await rechecked(setting, claims, used, [wider], options)))
    }
  }
  return all
}

interface Found {
  readonly schemes: readonly RankScheme[]
  readonly laws: readonly RankLaw[]
  readonly claims: readonly MeasuredClaim[]
  readonly fixedRate: readonly MeasuredClaim[]
  readonly size: RankSize
}

function section({ schemes, laws, claims, fixedRate, size }: Found): Section {
  const { budget, probe, levels, updates } = size
  const thresholdFindings = laws.map((law) => lawFinding(law, size))
  return {
    id: rankScaling.id,
    title: rankScaling.title,
    answer: {
      question: "What do the rank and α, α/r, α/√r do to the largest rate?",
      text: `They move it as derived? ${verdictsAnswer("thresholds", thresholdFindings)} And the exponents at those rates? ${exponentsAnswer([...claims, ...fixedRate])}`,
    },
    claim:
      "With r = n^ρ and α = n^s the largest stable rate falls as derived in ρ and s ([μA] inside its domain; the bounds for all ρ are ours). At a rate free of r, α/√r keeps gradient descent learning as r grows and α/r does not ([rsLoRA]); under sign updates α/r does.",
    parts: [
      {
        kind: "text",
        text: `${updates.join(" and ")} updates, one sample, linear loss, readout exponent 1/2, ${budget.steps} steps, float64; r = n^ρ exactly, r = ${FIXED_RANK} at ρ = 0; widths ${budget.widths[0]} … ${budget.widths.at(-1)}, ${budget.seeds} seeds (thresholds: to ${probe.widths.at(-1)}, ${probe.seeds} seeds). A threshold is found by bisection over c from ${SEARCH.low.toFraction()} to ${SEARCH.high.toFraction()} by plain slopes alone; its interval spans where the intervals of the plain slopes, and of the fits with the derived other terms where these have an end, contain 0, interpolated between the c that were looked at.`,
      },
      { kind: "table", caption: "Derived largest rates, for all t.", table: boundTable(schemes) },
      ...levels.map((level) => ({
        kind: "figure" as const,
        name: `rank-thresholds-${level}`,
        caption: `Largest c that keeps ${level === "features" ? "Z_B" : "f − f₀"} bounded against the rank's exponent: derived (lines; where they differ, for all t and for the ${budget.steps} measured steps) and measured (points, 95 % intervals).`,
        spec: rankFigure(lines(schemes, size, level), points(laws, level)),
      })),
      { kind: "table", caption: "Derived and measured thresholds.", table: lawTable(laws) },
      {
        kind: "table",
        caption: `Z_B at t = ${budget.steps} at a rate free of r (the largest stable one of a fixed rank).`,
        table: fixedRateTable(schemes, fixedRate, budget.steps),
      },
    ],
    findings: [
      ...thresholdFindings,
      ...schemes.flatMap((of) => {
        const own = (all: readonly MeasuredClaim[]) => all.filter(({ setting }) => setting.definition === of.definition)
        const name = `${of.start}, ${of.update}, ${of.multiplier}`
        return [
          ...claimFindings(`${name}, at the largest stable rate`, own(claims)),
          ...claimFindings(`${name}, Z_B at a rate free of r`, own(fixedRate)),
        ]
      }),
    ],
    data: {
      "rank-thresholds": lawTable(laws),
      "rank-exponents": claimsTable(claims),
      "rank-fixed-rate": claimsTable(fixedRate),
    },
  }
}
