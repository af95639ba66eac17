/**
 * Claim: with two rates the stable (cA, cB) form a polygon and the efficient ones a ray on its edge cA + cB = −1
 * ([LoRA+]; the polygons are ours): what is measured at the points of a grid falls into the derived sets.
 */
import { Fraction } from "fraction.js"
import type { Condition } from "../../src/exponent/condition.js"
import { formatCondition } from "../../src/exponent/grammar.js"
import { corners, faces } from "../../src/exponent/polygon.js"
import { type PlaneEdge, type PlanePanel, ratePlaneFigure } from "../../src/report/figures/ratePlane.js"
import type { Judgement } from "../../src/report/judgement.js"
import type { Section, SectionFinding } from "../../src/report/section.js"
import type { ReportTable } from "../../src/report/table.js"
import type { SweepOptions } from "../../src/sweep/sweep.js"
import { taskCount } from "../compare/measure.js"
import { FIRST_SEED } from "../compare/seeds.js"
import { powersOfTwo } from "../compare/widths.js"
import type { Effort, Experiment } from "../experiment.js"
import {
  CLASSES,
  type Class,
  decidingAt,
  differs,
  grid,
  measuredPlane,
  PLANES,
  type Plane,
  type PlanePoint,
  type PlaneSize,
  QUANTITIES,
  verdictAt,
  WINDOW,
} from "./planePoints.js"

const fixed = { rank: 4, steps: 3, firstSeed: FIRST_SEED.ratePlane }

const SIZES: Readonly<Record<Effort["size"], PlaneSize>> = {
  quick: {
    step: new Fraction(1, 4),
    budget: { ...fixed, widths: powersOfTwo(6, 11), seeds: 8 },
    optimisers: ["sign"],
  },
  full: {
    step: new Fraction(1, 8),
    budget: { ...fixed, widths: powersOfTwo(7, 13), seeds: 8 },
    optimisers: ["sign", "adam"],
  },
}

/** The experiment at any size. */
export async function ratePlanes(size: PlaneSize, options: SweepOptions): Promise<Section> {
  const planes: Plane[] = []
  for (const optimiser of size.optimisers)
    for (const { name, definition } of PLANES)
      planes.push(await measuredPlane(name, { ...definition, optimiser }, size, options))
  return section(planes, size)
}

/** LoRA+'s two rates: the measured stable and efficient sets beside the derived ones. */
export const ratePlane: Experiment = {
  id: "rate-plane",
  title: "Two rates: the stable polygon and the efficient ray",
  tasks: (effort) => {
    const { step, budget, optimisers } = sized(effort)
    return optimisers.length * PLANES.length * taskCount(grid(step, PLANES[0]!.definition), budget)
  },
  run: (effort, options) => ratePlanes(sized(effort), options),
}

function sized({ size, seeds }: Effort): PlaneSize {
  const { budget, ...rest } = SIZES[size]
  return { ...rest, budget: { ...budget, seeds: budget.seeds * seeds } }
}

function section(planes: readonly Plane[], { step, budget, optimisers }: PlaneSize): Section {
  const { widths, seeds, steps } = budget
  const figures = optimisers.map((optimiser) => ({
    kind: "figure" as const,
    name: `rate-plane-${optimiser}`,
    caption: `Measured exponents over the exponents of the two rates (${optimiser}, t = ${steps}); black: the derived boundary and ray; orange crosses: points classified otherwise than derived.`,
    spec: ratePlaneFigure(
      planes.filter((plane) => plane.optimiser === optimiser).map((plane) => panels(plane, step.valueOf(), steps)),
    ),
  }))
  return {
    id: ratePlane.id,
    title: ratePlane.title,
    answer: { question: "Which pairs of rates are stable and efficient?", text: answerText(planes) },
    claim:
      "With rates n^cA and n^cB the stable points form a polygon and the efficient ones, where δ¹ and δ² are Θ(1), a ray on its edge ([LoRA+]: the point (−1, 0); the polygon and the ray are ours).",
    parts: [
      {
        kind: "text",
        text: `One sample, linear loss, ${steps} steps, rank ${budget.rank}, widths ${widths[0]} … ${widths.at(-1)}, ${seeds} seeds, float64; a grid of ${step.toFraction()}. A point counts as stable where the plain slopes of Z_B are at most ${step.div(2).toFraction()} at every step, as efficient where also those of δ¹ and δ² at t = ${steps} are within ${step.div(2).toFraction()} of 0. "For all t" is derived; measured are these steps.`,
      },
      ...figures,
      { kind: "table", caption: "Points classified as derived.", table: countTable(planes) },
      ...(planes.some(({ points }) => points.some(({ claims }) => claims.length > 0))
        ? [
            {
              kind: "table" as const,
              caption:
                "Points that plain slopes classify otherwise than derived, and what the fits with the derived other terms say.",
              table: oddTable(planes, step.valueOf(), steps),
            },
          ]
        : []),
    ],
    findings: planes.flatMap((plane) => CLASSES.map((kind) => finding(plane, kind, step.valueOf()))),
    data: { "rate-plane": pointTable(planes, steps) },
  }
}

function answerText(planes: readonly Plane[]): string {
  const sets = planes
    .filter(({ optimiser }) => optimiser === planes[0]!.optimiser)
    .map(({ name, derivation }) => {
      return `under ${name} the stable ones are \`${formatCondition(derivation.stable)}\`, the efficient ones \`${formatCondition(derivation.efficient!)}\``
    })
  const judged = planes.flatMap(({ points }) => CLASSES.flatMap((kind) => points.map((point) => differs(point, kind))))
  return `Derived: ${sets.join("; ")}. Measured: ${judged.filter((differs) => !differs).length} of ${judged.length} points of the grids fall where derived.`
}

function finding({ name, optimiser, derivation, points }: Plane, kind: Class, step: number): SectionFinding {
  const set = kind === "stable" ? derivation.stable : derivation.efficient!
  const odd = points.filter((point) => differs(point, kind))
  const verdicts = odd.map((point) => verdictAt(point, kind, step))
  const count = (verdict: Judgement) => verdicts.filter((other) => other === verdict).length
  const verdict = count("contradicts") > 0 ? "contradicts" : count("inconclusive") > 0 ? "inconclusive" : "agrees"
  const undecided = odd.filter((_, i) => verdicts[i] === "inconclusive")
  const at = ({ cA, cB }: PlanePoint) => `(${cA.toFraction()}, ${cB.toFraction()})`
  const rest =
    odd.length === 0
      ? ""
      : `; of the other ${odd.length}, intervals put ${count("agrees")} where derived, ${count("contradicts")} elsewhere and leave ${count("inconclusive")} open`
  const refuted = odd.filter((_, i) => verdicts[i] === "contradicts").map(at)
  const elsewhere = refuted.length === 0 ? "" : `: ${refuted.join(", ")}`
  return {
    claim: `${name}, ${optimiser}: ${kind} iff ${formatCondition(set)}; so classified are ${points.length - odd.length} of ${points.length} points${rest}${elsewhere}`,
    verdict,
    why:
      verdict === "inconclusive"
        ? undecided.map((point) => `${at(point)}: ${decidingAt(point, kind, step)}`).join("; ")
        : null,
  }
}

function panels({ name, derivation, points }: Plane, step: number, last: number): PlanePanel[] {
  const cells = (kind: Class, value: (point: PlanePoint) => number) =>
    points.map((point) => ({
      cA: point.cA.valueOf(),
      cB: point.cB.valueOf(),
      value: Number.isFinite(value(point)) ? value(point) : null,
      differs: differs(point, kind),
    }))
  return [
    {
      title: `${name}: exponent of Z_B at t = ${last}`,
      subtitle: `stable iff ${formatCondition(derivation.stable)}`,
      legend: "exponent",
      step,
      cells: cells("stable", ({ slopes }) => slopes.zB.at(-1)!),
      edges: edgesOf(derivation.stable),
      label: { text: "stable", ...middle(derivation.stable, step) },
    },
    {
      title: `${name}: max(|γ[δ¹]|, |γ[δ²]|) at t = ${last}`,
      subtitle: `efficient iff ${formatCondition(derivation.efficient!)}`,
      legend: "distance",
      step,
      cells: cells("efficient", ({ slopes }) =>
        Math.max(Math.abs(slopes.delta1.at(-1)!), Math.abs(slopes.delta2.at(-1)!)),
      ),
      edges: edgesOf(derivation.efficient!),
      label: { text: "efficient", ...middle(derivation.efficient!, step) },
    },
  ]
}

function edgesOf(set: Condition): PlaneEdge[] {
  return set.pieces.flatMap((piece) =>
    faces(piece, WINDOW).map(({ ends: [[cA, cB], [toA, toB]] }) => ({
      cA: cA.valueOf(),
      cB: cB.valueOf(),
      toA: toA.valueOf(),
      toB: toB.valueOf(),
    })),
  )
}

/** The grid's point nearest the mean of the corners of a set. */
function middle(set: Condition, step: number): { cA: number; cB: number } {
  const all = set.pieces.flatMap((piece) => corners(piece, WINDOW))
  const mean = (i: 0 | 1) => all.reduce((sum, corner) => sum + corner[i].valueOf(), 0) / all.length
  const [cA, cB] = [mean(0), mean(1)].map((value) => Math.round(value / step) * step)
  return { cA: cA!, cB: cB! }
}

function countTable(planes: readonly Plane[]): ReportTable {
  return {
    columns: ["scheme", "update", "set", "holds iff", "points in it", "classified as derived", "of"],
    rows: planes.flatMap(({ name, optimiser, derivation, points }) =>
      CLASSES.map((kind) => [
        name,
        optimiser,
        kind,
        formatCondition(kind === "stable" ? derivation.stable : derivation.efficient!),
        points.filter(({ derived }) => derived[kind]).length,
        points.filter((point) => !differs(point, kind)).length,
        points.length,
      ]),
    ),
  }
}

function oddTable(planes: readonly Plane[], step: number, last: number): ReportTable {
  const fitted = ({ claims }: PlanePoint, quantity: string) => {
    const claim = claims.find((other) => other.quantity === quantity && other.step === last)
    const fit = claim && (claim.measured.corrected ?? claim.measured.plain)
    if (!claim || !fit) return "−∞"
    const derived = claim.derived.kind === "zero" ? "−∞" : claim.derived.exponent.toFraction()
    return `${derived}: [${fit.interval.low.toFixed(2)}, ${fit.interval.high.toFixed(2)}]`
  }
  return {
    columns: ["scheme", "update", "cA", "cB", "set", "derived", "plain slopes", ...QUANTITIES, "intervals"],
    rows: planes.flatMap(({ name, optimiser, points }) =>
      points.flatMap((point) =>
        CLASSES.filter((kind) => differs(point, kind)).map((kind) => [
          name,
          optimiser,
          point.cA.toFraction(),
          point.cB.toFraction(),
          kind,
          point.derived[kind] ? "yes" : "no",
          point.measured[kind] ? "yes" : "no",
          ...QUANTITIES.map((quantity) => fitted(point, quantity)),
          verdictAt(point, kind, step),
        ]),
      ),
    ),
  }
}

function pointTable(planes: readonly Plane[], steps: number): ReportTable {
  const times = Array.from({ length: steps }, (_, i) => i)
  return {
    columns: [
      "scheme",
      "update",
      "cA",
      "cB",
      ...CLASSES.flatMap((kind) => [`${kind} derived`, `${kind} measured`]),
      ...QUANTITIES.flatMap((quantity) => times.map((t) => `slope of ${quantity} at t=${t + 1}`)),
    ],
    rows: planes.flatMap(({ name, optimiser, points }) =>
      points.map(({ cA, cB, derived, measured, slopes }) => [
        name,
        optimiser,
        cA.toFraction(),
        cB.toFraction(),
        ...CLASSES.flatMap((kind) => [derived[kind] ? "yes" : "no", measured[kind] ? "yes" : "no"]),
        ...QUANTITIES.flatMap((quantity) =>
          times.map((t) => slopes[quantity][t]!.toFixed(4).replace("-Infinity", "-inf")),
        ),
      ]),
    ),
  }
}
