/** Uses the package's types as a stranger does; compiled in this project and in one that has the package installed. */
import {
  Affine,
  type CATALOGUE,
  type CheckOptions,
  check,
  type Derivation,
  derive,
  type Expected,
  InputError,
  judge,
  type parseCondition,
  type RunResult,
  run,
  type Scheme,
  type SchemeDefinition,
  scheme,
  type schemeNamed,
  slope,
  type Terms,
  termsOf,
  type WidthSample,
} from "lora-scaling"

/** True where the two types are one. */
type Same<X, Y> = (<T>() => T extends X ? 1 : 2) extends <T>() => T extends Y ? 1 : 2 ? true : false
const holds = <T extends true>(): T | undefined => undefined

const definition: SchemeDefinition = {
  name: "mine",
  title: "both factors start random",
  start: { A: { exponent: "a0 - 1/2" }, B: "zero" },
  rates: { A: "cA", B: "frozen" },
  optimiser: "sign",
}
const mine = scheme(definition, { a0: "0" })
holds<Same<typeof mine, Scheme>>()
const derivation = derive(mine)
holds<Same<typeof derivation, Derivation>>()
holds<Same<(typeof CATALOGUE)[number], SchemeDefinition>>()
holds<Same<ReturnType<typeof schemeNamed>, SchemeDefinition>>()

// Exponents are exact: neither a text nor a float stands for one.
holds<Same<ReturnType<typeof parseCondition>, Derivation["stable"]>>()
const exponent: Affine = Affine.constant("1/2")
// @ts-expect-error an affine form is no number
exponent + 1

// What a scheme may say is listed.
// @ts-expect-error no such optimiser
const misspelt: SchemeDefinition = { ...definition, optimiser: "adamw" }
// @ts-expect-error a start is zero or has an exponent as a text
const numeric: SchemeDefinition = { ...definition, start: { A: { exponent: 0.5 }, B: "zero" } }
// @ts-expect-error a scheme has rates
const without: SchemeDefinition = { name: "x", title: "x", start: definition.start }
// @ts-expect-error a field that there is not
const options: CheckOptions = { seed: 1 }

// A zero has no exponent; a bound is told from an equality.
export function exponentOf(terms: Terms): string {
  // @ts-expect-error not every quantity has an exponent
  terms.exponent
  return terms.kind === "zero" ? "-inf" : `${terms.relation} ${terms.exponent.toFraction()}`
}
exponentOf(termsOf(mine)("zB", 2))

// An expectation is zero, or a power with its relation.
// @ts-expect-error a power without its exponent
const power: Expected = { kind: "power", others: [], corrections: [], relation: "equal" }
export function verdictOn(samples: readonly WidthSample[]): "agrees" | "contradicts" | "inconclusive" {
  slope(samples)
  return judge({ kind: "zero" }, samples).verdict
}

// A run that leaves the finite numbers is an outcome, not an error, and a result is not written to.
export function endOf(result: RunResult): number | null {
  // @ts-expect-error results are read only
  result.outcome = { kind: "finished" }
  return result.outcome.kind === "finished" ? null : result.outcome.step
}
endOf(run(mine, { width: 16, rank: 2, steps: 1, seed: 1 }))
// @ts-expect-error a run needs its seed: there is no default that would repeat itself unseen
run(mine, { width: 16, rank: 2, steps: 1 })

const claims = check(definition, { workers: 0 })
holds<Same<Awaited<typeof claims>[number]["verdict"], "agrees" | "contradicts" | "inconclusive">>()
export const fieldOf = (error: unknown): string | null => (error instanceof InputError ? error.field : null)
export const unused = [misspelt, numeric, without, options, power]
