import { Fraction } from "fraction.js"
import type { Affine } from "../exponent/affine.js"
import type { Node } from "../program/node.js"
import { isZeroForm } from "./graded.js"
import type { Link, Term } from "./trace.js"

/** A step of a chain: its link's form = Σ times · (form of an earlier step) + added. */
export interface ChainStep {
  readonly link: Link
  readonly terms: readonly { readonly step: number; readonly times: Fraction }[]
  readonly added: Affine
  /** Whether the exponents of its operands cancel: the operation has no scale. */
  readonly isScaleFree: boolean
  readonly assumptions: readonly string[]
}

/**
 * A traced exponent as a list of steps from the start on, each after those that it is made of; the last is the
 * exponent.
 *
 * Operations that pass an exponent on as it is are left out, except those of the nodes that are named; and so is what
 * cancels.
 */
export function chainOf(last: Link, isNamed: (node: Node) => boolean): ChainStep[] {
  const steps: ChainStep[] = []
  const known = new Map<Link, number>()
  const stepOf = (link: Link): number => {
    const seen = known.get(link)
    if (seen !== undefined) return seen
    const sum = withoutCancelling(link)
    const resolved = sum.terms.map(({ of, times }) => ({ ...passed(of, isNamed), times }))
    const terms = resolved.map(({ link: of, times }) => ({ step: stepOf(of), times }))
    const assumptions = new Set([
      ...link.assumptions,
      ...sum.assumptions,
      ...resolved.flatMap((each) => each.assumptions),
    ])
    const isScaleFree = terms.length === 0 && !link.node.is("leaf")
    steps.push({ link, terms, added: sum.added, isScaleFree, assumptions: [...assumptions] })
    known.set(link, steps.length - 1)
    return steps.length - 1
  }
  const { link, assumptions } = passed(last, isNamed)
  stepOf(link)
  const end = steps.pop()!
  return [...steps, { ...end, assumptions: [...new Set([...end.assumptions, ...assumptions])] }]
}

/** A sum of exponents. */
interface Sum {
  readonly terms: readonly Term[]
  readonly added: Affine
  readonly assumptions: readonly string[]
}

/** The link below that changes the exponent, or gives a named tensor its own. */
function passed(
  link: Link,
  isNamed: (node: Node) => boolean,
): { readonly link: Link; readonly assumptions: readonly string[] } {
  const below = onlyTerm(link)
  if (below === null) return { link, assumptions: [] }
  const rest = passed(below, isNamed)
  if (isNamed(link.node) && rest.link.node !== link.node) return { link, assumptions: [] }
  return { link: rest.link, assumptions: [...link.assumptions, ...rest.assumptions] }
}

/** The link whose exponent this one passes on as it is; null if it does not. */
function onlyTerm({ terms: [term, ...others], added, what }: Link): Link | null {
  const isSame = term !== undefined && others.length === 0 && term.times.equals(1) && isZeroForm(added)
  return isSame && what === "part" ? term.of : null
}

/**
 * The link's sum, or, where the exponents that it subtracts cancel with the others once both are traced back, what is
 * left: a quotient of a tensor by its own size has no scale.
 */
function withoutCancelling(link: Link): Sum {
  const { terms, added } = link
  if (!terms.some(({ times }) => times.s < 0n) || link.what !== "part") return { terms, added, assumptions: [] }
  const assumptions: string[] = []
  const left = new Map(terms.map(({ of, times }) => [of, times]))
  let sum = added
  while (left.size > 0) {
    const highest = [...left.keys()].reduce((x, y) => (heightOf(y) > heightOf(x) ? y : x))
    if (highest.terms.length === 0) return { terms, added, assumptions: [] }
    const often = left.get(highest)!
    left.delete(highest)
    sum = sum.plus(highest.added.times(often))
    assumptions.push(...highest.assumptions)
    for (const { of, times } of highest.terms) {
      const now = (left.get(of) ?? new Fraction(0)).add(times.mul(often))
      if (now.n === 0n) left.delete(of)
      else left.set(of, now)
    }
  }
  return { terms: [], added: sum, assumptions }
}

const heights = new WeakMap<Link, number>()

/** How many operations lie between a link and the start at most. */
function heightOf(link: Link): number {
  const known = heights.get(link)
  if (known !== undefined) return known
  const height = 1 + Math.max(0, ...link.terms.map(({ of }) => heightOf(of)))
  heights.set(link, height)
  return height
}
