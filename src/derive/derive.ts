import { Affine } from "../exponent/affine.js"
import { Condition } from "../exponent/condition.js"
import { allowedPolyhedron } from "../exponent/partition.js"
import { Piecewise } from "../exponent/piecewise.js"
import { type Constraint, isFeasible, solveLinear } from "../exponent/system.js"
import { InputError } from "../inputError.js"
import { everySite } from "../program/model.js"
import type { Scheme } from "../scheme/scheme.js"
import { type Cell, explore, type Region, signNear } from "./cell.js"
import { isZeroForm } from "./graded.js"
import { throughTransient } from "./longTransient.js"
import { isOutgrown, OUTGROWN, tellsSites } from "./outgrown.js"
import { givenAlignment } from "./read.js"
import { MOST_STEPS, type Recursion, recursion, sizeAt } from "./recursion.js"
import type { Relation } from "./size.js"
import { ifKnown, Underivable, UnknownHere } from "./underivable.js"
import { openAtWalls } from "./walls.js"

/** The readings on which the truth of a claim depends; part of every statement. */
export interface Switches {
  /** Whether "stable" in "efficient" includes Z_A = O(1), as in [LoRA+], or not, as in [Init]. */
  readonly stableIncludesZA: boolean
  /** What "stable" in "efficient" bounds: the layer's features Z_B, or the output's change f − f₀. */
  readonly level: "features" | "output"
  /**
   * The step from which feature learning and efficiency are asked, by default the end of the transient: null if that
   * has no longest length. A step that is named is before the end of such a transient, so where there is one neither
   * holds.
   */
  readonly from: number | null
}

/** The exponents of one quantity at t = 1, 2, … and for all later t. */
export interface QuantitySteps {
  /** `steps[0]` is t = 1; outside {@link grows}, {@link falls} and `late` the last entry holds for all later t. */
  readonly steps: readonly Piecewise[]
  /** Null if it jumps from one of the {@link Derivation.regions} to another. */
  readonly limit: Piecewise | null
  /** The first t from which the limit holds, outside {@link Derivation.late}; null if nothing is outside. */
  readonly from: number | null
  readonly relation: Relation
  /** Where the exponent grows without end as t does. */
  readonly grows: Condition
  /** Where it falls without end. */
  readonly falls: Condition
}

/** The limit of an exponent in one region: a form, null for −∞ (exactly zero), or none because it moves without end. */
export type Limit = Affine | null | "grows" | "falls"

/** What a scheme's program says in exponents: quantities for all t, and the statements that follow. */
export interface Derivation {
  readonly scheme: Scheme
  readonly switches: Switches
  readonly quantities: Readonly<Record<string, QuantitySteps>>
  /** The phase diagram: in each polyhedron the limit of every quantity is one affine form. */
  readonly regions: readonly { readonly where: Condition; readonly limits: Readonly<Record<string, Limit>> }[]
  /** What was read, cell by cell: what the rest is made of, and what `why` traces. */
  readonly cells: readonly Region<Recursion>[]
  readonly assumptions: readonly string[]
  /** Where the limits hold from a later t than is said, ever later towards its edge. */
  readonly late: Condition
  /** Where neither a fixed point nor a growth was found, or nothing is known of an operation: no statement speaks of these symbols. */
  readonly undecided: Condition
  /** Why nothing is derived in parts of {@link undecided}, where an operation has no rule there. */
  readonly unknown: readonly string[]
  /**
   * Where of a deep model no more is said than that the features, at every site or with three symbols or more at some
   * site, and the output both outgrow Θ(1): statements about single sites, and about feature learning, do not speak of these
   * symbols.
   */
  readonly outgrown: Condition
  /** Z_B = O(1) for all t (of every adapter); like all statements within {@link Scheme.domain}. */
  readonly stable: Condition
  /** Z_A = O(1) too. */
  readonly internallyStable: Condition
  /** f − f₀ = O(1) for all t: the output level. */
  readonly stableOutput: Condition
  /**
   * Z_B = O(1) for all t at each of several sites, by their tags; none where {@link outgrown} leaves single sites open.
   */
  readonly stableSites: Readonly<Record<string, Condition>>
  /** ΔZ_B = Θ(1) for all t ≥ from, at every site; null where the program has no parts of it. */
  readonly featureLearning: Condition | null
  /**
   * Stable, with what each trained tensor alone adds to ΔZ_B Θ(1) for all t ≥ from, at every site: δ¹ and δ² of LoRA; null where
   * the program has no parts of ΔZ_B.
   */
  readonly efficient: Condition | null
  /** The largest stable exponent of the single rate, as the min of forms; null with two free rates or none. */
  readonly largestRate: { readonly features: readonly Affine[] | null; readonly output: readonly Affine[] | null }
}

/**
 * The scaling laws of a scheme, for all t and all values of its free symbols ([Init], definitions and Theorems 1, 2).
 *
 * @param switches how to read the definitions; see {@link Switches}.
 * @throws Underivable if the program has an operation without a rule, where nothing is known of all later t, or of too
 *   many regions.
 */
export function derive(scheme: Scheme, switches: Partial<Switches> = {}): Derivation {
  const { isDerivedBeyondBounds: isWhole = true, mostSteps = MOST_STEPS } = scheme.program.model
  const isCut = !isWhole && scheme.symbols.length > 0
  const { adapter, sites: adapted } = scheme.program.model
  const most = scheme.symbols.length > 1 ? MOST_SITES_WITH_NORMS.ofSeveralSymbols : MOST_SITES_WITH_NORMS.ofOneSymbol
  if (isCut && adapter?.readsWeights === true && adapted.length > most)
    throw new Underivable(
      scheme.definition.name,
      `the norms of weights at ${adapted.length} sites have too many parts for symbols; set all of ${scheme.symbols.join(", ")}${asWithSet(scheme, scheme.symbols)}, or adapt at most ${most} sites`,
    )
  const steps = isCut ? mostSteps : MOST_STEPS
  const read = (cell: Cell) =>
    ifKnown(() => (isCut && isOutgrown(scheme, cell, () => {}) ? OUTGROWN : recursion(scheme, cell, steps)))
  const found = explore(scheme.domain, scheme.symbols, read, isCut ? MOST_CELLS_OF_DEEP : MOST_CELLS)
  if (found === null)
    throw new Underivable(
      scheme.definition.name,
      `its symbols ${scheme.symbols.join(", ")} split into more than ${isCut ? MOST_CELLS_OF_DEEP : MOST_CELLS} regions; set one of them${asWithSet(scheme, scheme.symbols.slice(-1))}`,
    )
  const outgrown = found.filter(({ result }) => result === OUTGROWN).map(({ where }) => where)
  const unknown = found.flatMap(({ where, result }) => (result instanceof UnknownHere ? [{ where, why: result }] : []))
  const cells = found.flatMap(({ result, ...cell }) =>
    result === OUTGROWN || result instanceof UnknownHere ? [] : [{ ...cell, result }],
  )
  // A deep model's longer transients lie beyond its bounds, and take minutes to follow.
  const explored = openAtWalls(
    cells.flatMap((region) =>
      region.result === null && !isCut ? (throughTransient(scheme, region.where) ?? [region]) : [region],
    ),
  )
  const regions = explored.flatMap(({ result, ...region }) => (result === null ? [] : [{ ...region, result }]))
  if (regions.length === 0 && unknown.length > 0) throw unknown[0]!.why
  if (regions.length === 0)
    throw new Underivable(scheme.definition.name, "its exponents neither repeat nor grow in a way that is known")
  const open = [...unknown, ...explored.filter(({ result }) => result === null)].map(({ where }) => where)
  const undecided = Condition.any(open).merged()
  const late = Condition.any(regions.filter(({ result }) => result.limit !== null).map(({ where }) => where)).merged()
  const assumptions = [
    ...new Set([...regions.flatMap(({ result }) => result.assumptions), ...(scheme.program.residual ? [NO_FLIP] : [])]),
  ]
  requireUsed(scheme, assumptions)
  const names = Object.keys(scheme.program.quantities)
  const last = Math.max(switches.from ?? 1, ...regions.map(({ result }) => result.steps.length))
  const quantities = Object.fromEntries(names.map((name) => [name, quantitySteps(regions, name, last)]))
  const { parts } = scheme.program
  const deltas = parts.flatMap(({ change, own }) => [...new Set([...change, ...own])])
  const ownParts = parts.flatMap(({ own }) => own)
  const settled = deltas.map((name) => quantities[name]!.from)
  const from = switches.from ?? (settled.includes(null) ? null : Math.max(1, ...settled.map(Number)))
  const stableIncludesZA = switches.stableIncludesZA ?? false
  const learning = (region: Region<Recursion>, condition: (steps: readonly number[]) => Condition): Condition => {
    const isLate = region.result.limit !== null
    if (isLate && typeof switches.from === "number") return Condition.NEVER
    return condition(isLate || from === null ? [lastStep(region.result, last)] : stepsFrom(from, last))
  }

  const everywhere = (condition: (region: Region<Recursion>) => Condition) =>
    Condition.NEVER.or(
      ...regions.flatMap((region) => {
        const own = condition(region)
        return own.isNever ? [] : [Condition.all(region.where).and(own)]
      }),
    )
      .merged()
      .within(scheme.domain)
  const outside = [...outgrown, ...open]
  const bounded = (asked: readonly string[]) => {
    const allowed = ({ result }: Region<Recursion>) =>
      asked.flatMap((name) => allSteps(result, name, stepsFrom(1, lastStep(result, last)), "<="))
    const cells = regions.map((region) => ({ where: region.where, allowed: allowed(region) }))
    return allowedPolyhedron(cells, outside, scheme.domain) ?? everywhere((region) => Condition.all(allowed(region)))
  }
  const stable = bounded(everySite(scheme.program.model, "zB"))
  const internallyStable = stable.and(bounded(everySite(scheme.program.model, "zA")))
  const isWatched = parts.length > 0
  const allMove = () =>
    everywhere((region) =>
      learning(region, (steps) => {
        const asked = ownParts.flatMap((name) => allSteps(region.result, name, steps, "=="))
        return isFeasible([...region.where, ...asked]) ? Condition.all(asked) : Condition.NEVER
      }),
    )
  const { sites } = scheme.program.model
  const isOfSites = sites.length > 1 && !(isCut && !tellsSites(scheme))
  const level = switches.level ?? "features"
  const stableOutput = bounded(["f"])
  const asked = level === "output" ? stableOutput : stable
  const required = stableIncludesZA ? asked.and(internallyStable) : asked
  return {
    scheme,
    quantities,
    regions: phases(regions, names, last),
    cells: regions,
    late,
    undecided,
    unknown: [...new Set(unknown.map(({ why }) => why.reason))],
    outgrown: withoutEdge(Condition.any(outgrown).merged()),
    assumptions,
    switches: { stableIncludesZA, level, from },
    stable,
    internallyStable,
    stableOutput,
    stableSites: Object.fromEntries(isOfSites ? sites.map(({ tag }) => [tag, bounded([`zB${tag}`])]) : []),
    featureLearning: isWatched
      ? everywhere((region) =>
          learning(region, (steps) =>
            changes(
              region,
              parts.map(({ change }) => change),
              steps,
            ),
          ),
        )
      : null,
    efficient: isWatched ? required.and(allMove()).within(scheme.domain) : null,
    largestRate: { features: largestRate(scheme, stable), output: largestRate(scheme, stableOutput) },
  }
}

/** Adapters that divide by norms of weights, as DoRA, on more sites of a deep model take minutes a region. */
const MOST_SITES_WITH_NORMS = { ofOneSymbol: 4, ofSeveralSymbols: 3 }

/** Beyond this a phase diagram is no longer one to read, and takes minutes: residuals that double exponents do that. */
const MOST_CELLS = 300

/** As many where little is asked of each. */
const MOST_CELLS_OF_DEEP = 1000

/** How the command line sets symbols, with the scheme's own example where it has one. */
function asWithSet({ definition: { example = {} } }: Scheme, symbols: readonly string[]): string {
  return `, as with --set ${symbols.map((symbol) => `${symbol}=${example[symbol] ?? "-1/2"}`).join(" ")}`
}

/** What the max rule asks of a loss whose gradient follows the output. */
const NO_FLIP = "no step turns the residual's sign, so that no two steps undo each other"

/** @throws InputError for a given alignment of parts that no sum of the program has. */
function requireUsed({ definition, alignments }: Scheme, assumptions: readonly string[]): void {
  for (const { between } of alignments)
    if (!assumptions.some((text) => text.startsWith(givenAlignment(between))))
      throw new InputError({
        field: `${definition.name}.alignments`,
        given: between.join(", "),
        allowed: "two parts that the list of assumptions names as summed",
        example: "Aᵀ,Z=3/4",
      })
}

/** The set without those of its walls beyond which it does not go on: on them nothing has outgrown anything yet. */
function withoutEdge(set: Condition): Condition {
  const open = set.pieces.map((piece) =>
    piece.map((wall): Constraint => {
      const others = Condition.any(set.pieces.filter((other) => other !== piece))
      const isInside = Condition.all([...piece, { ...wall, relation: "==" }]).isWithin(others)
      return wall.relation === "==" || isInside ? wall : { ...wall, relation: "<" }
    }),
  )
  return Condition.any(open)
}

/** The exponent of a quantity at step t ≥ 1, beyond the listed ones the limit; see {@link QuantitySteps.steps}. */
export function atStep({ steps, limit }: QuantitySteps, t: number): Piecewise | null {
  return steps[t - 1] ?? limit
}

function stepsFrom(first: number, last: number): number[] {
  return Array.from({ length: last - first + 1 }, (_, i) => first + i)
}

/** The constraints that say that a quantity is O(1), or Θ(1), at the given steps and as it grows. */
function allSteps(
  result: Recursion,
  name: string,
  steps: readonly number[],
  relation: "<=" | "==",
): readonly Constraint[] {
  const forms = steps.flatMap((t) => sizeAt(result, name, t) ?? (relation === "==" ? [IMPOSSIBLE.form] : []))
  return [...new Set([...forms, result.growth[name]!])].map((form) => ({ form, relation }))
}

/** Where in a region the largest quantity of every group is Θ(1) at each of the given steps. */
function changes(
  { where, result }: Region<Recursion>,
  groups: readonly (readonly string[])[],
  steps: readonly number[],
): Condition {
  const reached = new Map<string, Condition>()
  for (const names of groups)
    for (const t of steps) {
      const pieces = names.flatMap((name): (readonly Constraint[])[] => {
        const form = sizeAt(result, name, t)
        if (form === null) return []
        return [[form, result.growth[name]!].map((each): Constraint => ({ form: each, relation: "==" }))]
      })
      // Of most steps the sizes are those of another one.
      const key = pieces.map((piece) => piece.map(({ form }) => form.key).join()).join(" or ")
      if (!reached.has(key)) reached.set(key, Condition.any(pieces))
    }
  const atMost = [...where, ...groups.flat().flatMap((name) => allSteps(result, name, steps, "<="))]
  // In most regions some group is nowhere Θ(1): that is quickly seen.
  const isSomewhere = [...reached.values()].every(({ pieces }) =>
    pieces.some((piece) => isFeasible([...atMost, ...piece])),
  )
  return isSomewhere ? Condition.all(atMost).and(...reached.values()) : Condition.NEVER
}

/** A constraint that no point satisfies. */
const IMPOSSIBLE: Constraint = { form: Affine.constant(1), relation: "==" }

function quantitySteps(regions: readonly Region<Recursion>[], name: string, last: number): QuantitySteps {
  const known = new Map<string, Piecewise>()
  const steps = Array.from({ length: last }, (_, i) => {
    // Once a quantity has settled its steps are the same.
    const key = regions.map(({ result }) => sizeAt(result, name, i + 1)?.key).join()
    const own = known.get(key) ?? pieces(regions, name, () => i + 1)!
    known.set(key, own)
    return own
  })
  const settled = regions.filter(({ result }) => isZeroForm(result.growth[name]!))
  const limit = settled.length === 0 ? steps.at(-1)! : pieces(settled, name, (result) => lastStep(result, last))
  const prompt = (settled.length === 0 ? regions : settled).filter(({ result }) => result.limit === null)
  const settles = (t: number) =>
    prompt.every(({ result }) => sizeAt(result, name, t)?.key === sizeAt(result, name, last)?.key)
  let from = prompt.length === 0 ? null : last
  while (from !== null && from > 1 && settles(from - 1)) from--
  const relations = regions.flatMap(({ result }) => result.steps.map(({ sizes }) => sizes[name]?.relation ?? "equal"))
  const moving = (sign: 1 | -1) =>
    Condition.NEVER.or(
      ...regions
        .filter(({ result }) => !isZeroForm(result.growth[name]!))
        .map(({ where, result }) =>
          Condition.all([...where, { form: result.growth[name]!.times(-sign), relation: "<" }]),
        ),
    ).merged()
  return {
    steps,
    limit,
    from,
    relation: relations.includes("atMost") ? "atMost" : "equal",
    grows: moving(1),
    falls: moving(-1),
  }
}

/** The step whose sizes are the limit's: a transient without a longest length is over at none that is listed. */
function lastStep({ limit }: Recursion, last: number): number {
  return limit === null ? last : last + 1
}

/** A quantity over all regions, each at a step of its own; null if it jumps. */
function pieces(
  regions: readonly Region<Recursion>[],
  name: string,
  step: (result: Recursion) => number,
): Piecewise | null {
  const found = regions.map(({ where, result }) => ({ where, form: sizeAt(result, name, step(result)) }))
  const finite = found.flatMap(({ where, form }) => (form === null ? [] : [{ where, form }]))
  if (finite.length === 0) return Piecewise.NEGATIVE_INFINITY
  if (finite.length < found.length) throw new Error(`${name} is exactly zero in some regions only`)
  return Piecewise.ofPieces(finite)
}

/** The regions with equal limits joined. */
function phases(regions: readonly Region<Recursion>[], names: readonly string[], last: number): Derivation["regions"] {
  const groups = new Map<string, { where: Condition[]; limits: Record<string, Limit> }>()
  for (const { where, point, result } of regions) {
    const limit = (name: string): Limit => {
      const growth = result.growth[name]!
      if (isZeroForm(growth)) return sizeAt(result, name, lastStep(result, last))
      return signNear(growth, point) > 0 ? "grows" : "falls"
    }
    const limits = Object.fromEntries(names.map((name) => [name, limit(name)]))
    const text = (limit: Limit) => (limit === null || typeof limit === "string" ? limit : limit.key)
    const key = Object.values(limits).map(text).join("; ")
    const seen = groups.get(key)
    const piece = Condition.all(where)
    groups.set(key, { where: [...(seen?.where ?? []), piece], limits })
  }
  return [...groups.values()].map(({ where, limits }) => ({ where: Condition.NEVER.or(...where).merged(), limits }))
}

/**
 * The bounds on the rate's symbol, the one that every rate with symbols has, in a condition of one piece; the rate may
 * reach their min.
 */
function largestRate({ rates }: Scheme, condition: Condition): Affine[] | null {
  const open = rates
    .flatMap((own) => Object.values(own))
    .flatMap((rate) => (rate === "frozen" || rate.isConstant ? [] : [rate.symbols]))
  const [symbol, ...others] = (open[0] ?? []).filter((name) => open.every((symbols) => symbols.includes(name)))
  const [piece] = condition.pieces
  if (symbol === undefined || others.length > 0 || piece === undefined || condition.pieces.length > 1) return null
  const bounds = piece
    .filter(({ form }) => form.coefficient(symbol).compare(0) > 0)
    .map(({ form }) => solveLinear(form, symbol))
  return bounds.length > 0 ? bounds : null
}
