import { InputError } from "../inputError.js"
import { groupsOf } from "../table/groups.js"
import { logDensity, logProbability, studentQuantile } from "./normal.js"
import { crossing, minimum } from "./search.js"
import type { Interval } from "./slope.js"

/** One observation y at x: exact (low = high), or only known to lie between; ∓Infinity where nothing bounds it. */
export interface Censored {
  readonly x: number
  readonly low: number
  readonly high: number
  /** Observations of one group share an intercept. */
  readonly group: string
  /** The standard error of an exact observation, as far as it is known; scatter comes on top of it. */
  readonly error?: number | undefined
}

/** A slope of censored observations. */
export interface CensoredFit {
  readonly exponent: number
  /** An end is infinite where censoring leaves the slope unbounded. */
  readonly interval: Interval
  /** The standard deviation of y about its group's line. */
  readonly scatter: number
  readonly observations: number
  readonly censored: number
  /** Whether the observations bound the slope on both sides. */
  readonly identified: boolean
}

/**
 * Scatter below this is not resolved: the likelihood costs LEAST_SCATTER / scatter, so it has a maximum without noise.
 */
const LEAST_SCATTER = 1e-6
/**
 * What a half-line counts: the Fisher information of a normal observation's sign at its median, relative to the
 * observation.
 */
const HALF_LINE = 2 / Math.PI
/** Slopes are looked for within this; an interval that reaches it is unbounded. */
const REACH = 20
/** A slope this close to where the search ends is not a maximum of the likelihood. */
const AT_REACH = 1e-3

/**
 * The slope of y = a_group + slope · x + scatter · ε, ε normal, by maximum likelihood from observations that are exact,
 * or censored to an interval or a half-line (Tobin 1958; Amemiya 1973; for intervals Burridge 1981).
 *
 * In a/scatter and 1/scatter the log-likelihood is concave at a given slope (Olsen 1978), so Newton's method finds its
 * one maximum; the interval is the profile likelihood's. Its threshold N ln(1 + t²/ν), with Student's t at ν = N − 1 −
 * groups degrees, is exact for exact observations, where the interval is that of least squares. A half-line adds 2/π to
 * N: no more does the side of a known point on which a normal observation falls tell of its mean.
 *
 * Few observations may lie nearer to a line than their known errors let them, by luck: the interval is never shorter
 * than those errors alone make it (as Röver, Knapp and Friede 2015 bound Knapp and Hartung's).
 *
 * @param errorDegrees the degrees of freedom of the known errors.
 * @returns null where fewer than three observations bear on the slope (in groups with two different x) or where all are
 * censored on one side.
 * @throws InputError for an interval that is empty.
 */
export function censoredSlope(
  observations: readonly Censored[],
  level = 0.95,
  errorDegrees: number | null = null,
): CensoredFit | null {
  const empty = observations.find(({ low, high }) => !(low <= high))
  if (empty !== undefined)
    throw new InputError({ field: "interval", given: [empty.low, empty.high], allowed: "low ≤ high", example: "1 2" })
  const used = informative(observations)
  const groups = [...new Set(used.map(({ group }) => group))]
  const weight = used.reduce((sum, { low, high }) => sum + (Number.isFinite(high - low) ? 1 : HALF_LINE), 0)
  const degrees = Math.floor(weight) - groups.length - 1
  const bounded = (end: "low" | "high") => used.some((observation) => Number.isFinite(observation[end]))
  if (degrees < 1 || !bounded("low") || !bounded("high")) return null
  const at = profiler(used, groups)
  const profile = (slope: number) => at(slope).likelihood
  const exponent = minimum((slope) => -profile(slope), -REACH, REACH, GOLDEN_STEPS)
  const best = at(exponent)
  const least = best.likelihood - (weight / 2) * Math.log1p(studentQuantile(level, degrees) ** 2 / degrees)
  const end = (outside: number) => {
    if (profile(outside) >= least) return outside < 0 ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY
    return crossing((slope) => profile(slope) - least, exponent, outside, PRECISION)
  }
  const half = errorDegrees === null ? 0 : studentQuantile(level, errorDegrees) * knownError(used)
  const interval = { low: Math.min(end(-REACH), exponent - half), high: Math.max(end(REACH), exponent + half), level }
  const censored = used.filter(({ low, high }) => low !== high).length
  const identified =
    Number.isFinite(interval.low) && Number.isFinite(interval.high) && Math.abs(exponent) < REACH - AT_REACH
  return { exponent, interval, scatter: best.scatter, observations: used.length, censored, identified }
}

/**
 * The standard error of a slope of least squares over the observations whose errors are known; 0 where they tell no
 * slope.
 */
function knownError(observations: readonly Censored[]): number {
  const known = observations.flatMap(({ error, ...rest }) => (error === undefined ? [] : [{ ...rest, error }]))
  let [spread, sum] = [0, 0]
  for (const own of groupsOf(known, ({ group }) => group).values()) {
    const centre = own.reduce((total, { x }) => total + x, 0) / own.length
    for (const { x, error } of own) {
      spread += (x - centre) ** 2
      sum += ((x - centre) * error) ** 2
    }
  }
  return spread === 0 ? 0 : Math.sqrt(sum) / spread
}

/** The bracket of a slope is narrowed to 1e-9 of itself, that of an interval's end to this. */
const [GOLDEN_STEPS, PRECISION] = [45, 1e-10]

/** Observations of groups in which x varies and something is bounded. */
function informative(observations: readonly Censored[]): Censored[] {
  const told = new Map<string, Set<number>>()
  for (const { group, x, low, high } of observations)
    if (Number.isFinite(low) || Number.isFinite(high)) told.set(group, (told.get(group) ?? new Set()).add(x))
  return observations.filter(({ group }) => (told.get(group)?.size ?? 0) > 1)
}

/** A term's value, gradient and curvature in (α, τ) = (a/scatter, 1/scatter). */
type Derivatives = readonly [value: number, a: number, t: number, aa: number, at: number, tt: number]

function derivatives(low: number, high: number, alpha: number, tau: number): Derivatives {
  if (low === high) {
    const z = tau * low - alpha
    return [Math.log(tau) + logDensity(z), z, 1 / tau - z * low, -1, low, -(low ** 2) - 1 / tau ** 2]
  }
  const [l, u] = [tau * low - alpha, tau * high - alpha]
  const value = logProbability(l, u)
  const hazard = (z: number) => (Number.isFinite(z) ? Math.exp(logDensity(z) - value) : 0)
  const [pl, pu] = [hazard(l), hazard(u)]
  const [yl, yu] = [pl === 0 ? 0 : low, pu === 0 ? 0 : high]
  const [ll, uu, lu] = [pl === 0 ? 0 : l * pl - pl ** 2, pu === 0 ? 0 : -u * pu - pu ** 2, pl * pu]
  return [
    value,
    pl - pu,
    pu * yu - pl * yl,
    ll + uu + 2 * lu,
    -(ll * yl + uu * yu + lu * (yl + yu)),
    ll * yl ** 2 + uu * yu ** 2 + 2 * lu * yl * yu,
  ]
}

/**
 * The largest log-likelihood at a slope over intercepts and scatter, by damped Newton steps. Each slope begins where
 * the one before ended: the likelihood has one maximum, and slopes are asked for close to each other.
 */
function profiler(observations: readonly Censored[], groups: readonly string[]) {
  const own = observations.map(({ group, ...rest }) => ({ ...rest, group: groups.indexOf(group) }))
  let known: { readonly intercepts: readonly number[]; readonly tau: number } | null = null
  return (slope: number): { likelihood: number; scatter: number } => {
    const rest = own.map(({ x, low, high, group }) => ({ low: low - slope * x, high: high - slope * x, group }))
    // Counted from a first intercept, so that α stays small where the scatter is.
    const starts = groups.map((_, g) => startOf(rest, g))
    const terms = rest.map(({ low, high, group }) => ({
      low: low - starts[group]!,
      high: high - starts[group]!,
      group,
    }))
    const first =
      known === null ? null : { tau: known.tau, alphas: known.intercepts.map((a, g) => (a - starts[g]!) * known!.tau) }
    const { value, tau, alphas } = maximum(terms, groups.length, first)
    known = { tau, intercepts: alphas.map((alpha, g) => alpha / tau + starts[g]!) }
    return { likelihood: value, scatter: 1 / tau }
  }
}

interface Term {
  readonly low: number
  readonly high: number
  readonly group: number
}

function maximum(
  terms: readonly Term[],
  count: number,
  first: { readonly tau: number; readonly alphas: readonly number[] } | null,
): { value: number; tau: number; alphas: readonly number[] } {
  const at = (alphas: readonly number[], tau: number) => {
    let value = -LEAST_SCATTER * tau
    let [t, tt] = [-LEAST_SCATTER, 0]
    const rows = alphas.map(() => ({ a: 0, aa: -RIDGE, at: 0 }))
    for (const { low, high, group } of terms) {
      const d = derivatives(low, high, alphas[group]!, tau)
      const row = rows[group]!
      value += d[0]
      row.a += d[1]
      t += d[2]
      row.aa += d[3]
      row.at += d[4]
      tt += d[5]
    }
    return { value, t, tt, rows }
  }
  let tau = 1
  let alphas: readonly number[] = Array<number>(count).fill(0)
  let here = at(alphas, tau)
  const there = first === null ? here : at(first.alphas, first.tau)
  if (there.value > here.value) {
    here = there
    tau = first!.tau
    alphas = first!.alphas
  }
  for (let i = 0; i < 100; i++) {
    // The Hessian is an arrow: intercepts meet only in τ, so they are eliminated first.
    const schur = here.rows.reduce((sum, { aa, at }) => sum - at ** 2 / aa, here.tt - RIDGE)
    const right = here.rows.reduce((sum, { a, aa, at }) => sum - (at * a) / aa, here.t)
    const dTau = -right / schur
    const dAlphas = here.rows.map(({ a, aa, at }) => -(a + at * dTau) / aa)
    const longest = Math.max(Math.abs(dTau) / tau, ...dAlphas.map((d) => Math.abs(d) / LONGEST_STEP))
    let step = longest > 1 ? 1 / longest : 1
    let next = here
    for (let k = 0; k < 40; k++, step /= 2) {
      const newTau = tau + step * dTau
      if (!(newTau > 0)) continue
      const moved = alphas.map((alpha, g) => alpha + step * dAlphas[g]!)
      const there = at(moved, newTau)
      if (there.value >= here.value) {
        tau = newTau
        alphas = moved
        next = there
        break
      }
    }
    const gain = next.value - here.value
    here = next
    if (gain < 1e-10) break
  }
  return { value: here.value, tau, alphas }
}

/** Keeps a Newton step finite where the likelihood is flat. */
const RIDGE = 1e-9
/** The farthest an intercept, in units of the scatter, moves in a step. */
const LONGEST_STEP = 1000

/** A first intercept of a group: the mean of the ends that are finite. */
function startOf(terms: readonly Term[], group: number): number {
  let [sum, count] = [0, 0]
  for (const term of terms) {
    if (term.group !== group) continue
    for (const end of [term.low, term.high]) {
      if (!Number.isFinite(end)) continue
      sum += end
      count++
    }
  }
  return count === 0 ? 0 : sum / count
}
