import { readdirSync, readFileSync } from "node:fs"
import { z } from "zod"
import type { Certificate, RecurrenceJson, Term as RecurrenceTerm, TheoremJson } from "../../proofs/kernel.js"
import { derive } from "../derive/derive.js"
import { InputError } from "../inputError.js"
import { packageFile } from "../packageFile.js"
import { schemeNamed } from "../scheme/catalogue.js"
import { type Scheme, scheme } from "../scheme/scheme.js"
import { writeFileAtomic } from "../writeFileAtomic.js"
import { disagreements } from "./agreement.js"
import { type Claim, parseClaim } from "./claim.js"
import { decide } from "./prover.js"
import { recurrenceOf } from "./recurrence.js"

const FormJson = z.record(z.string(), z.string())
const ConstraintJson = z.object({ form: FormJson, relation: z.enum(["<=", "<", "=="]) })

const Term: z.ZodType<RecurrenceTerm> = z.lazy(() =>
  z.union([
    z.strictObject({ form: FormJson }),
    z.strictObject({ zero: z.literal(true) }),
    z.strictObject({ of: z.string() }),
    z.strictObject({ next: z.string() }),
    z.strictObject({ max: z.array(Term) }),
    z.strictObject({ sum: z.array(Term) }),
    z.strictObject({ unit: Term }),
  ]),
)
const Terms = z.record(z.string(), Term)

const Index = z.number().int().nonnegative()
const CertificateJson: z.ZodType<Certificate> = z.lazy(() =>
  z.union([
    z.strictObject({ split: FormJson, atMost: CertificateJson, above: CertificateJson }),
    z.strictObject({ absurd: z.array(z.string()) }),
    z.strictObject({
      facts: z.array(z.strictObject({ form: FormJson, strict: z.boolean(), multipliers: z.array(z.string()) })),
      steps: Index,
      verdict: z.union([
        z.strictObject({ holds: z.literal(true) }),
        z.strictObject({ fails: Index, step: Index }),
        z.strictObject({ grows: Index, period: Index, increments: z.record(z.string(), FormJson) }),
      ]),
    }),
  ]),
)

/** What a person writes of a theorem: its words, its formula in the grammar of `prove`, and what it is about. */
const TheoremStatement = z.object({
  name: z.string(),
  title: z.string(),
  source: z.string(),
  scheme: z.string(),
  /** Fields of the scheme's definition that differ. */
  change: z.object({ rates: z.object({ A: z.string(), B: z.string() }) }).optional(),
  set: z.record(z.string(), z.string()).optional(),
  free: z.array(z.string()).optional(),
  claim: z.string(),
  assumptions: z.array(z.string()),
})

/** A file of `proofs/theorems`: a statement, and what the project's prover adds to it for the checkers. */
export const TheoremFile = TheoremStatement.extend({
  formula: z.object({
    atoms: z.array(
      z.object({ quantity: z.string(), relation: z.enum(["<=", "=="]), bound: z.string(), from: z.number().int() }),
    ),
    direction: z.enum(["iff", "if", "only if"]),
    where: z.array(z.array(ConstraintJson)),
  }),
  recurrence: z.object({ start: Terms, step: Terms, quantities: Terms, domain: z.array(FormJson) }),
  certificate: CertificateJson,
})

export type TheoremStatement = z.infer<typeof TheoremStatement>

/** A theorem with everything that its checkers read. */
export interface Theorem extends TheoremJson {
  readonly statement: TheoremStatement
}

const folder = new URL("proofs/", packageFile())

/** The file of a theorem. */
export function theoremFile(name: string): URL {
  return new URL(`theorems/${name}.json`, folder)
}

/** The file of its SMT-LIB text. */
export function smtFile(name: string): URL {
  return new URL(`smt/${name}.smt2`, folder)
}

/** The names of all theorems. */
export function theoremNames(): string[] {
  return readdirSync(new URL("theorems/", folder))
    .filter((file) => file.endsWith(".json"))
    .map((file) => file.slice(0, -".json".length))
    .sort()
}

/** What a person wrote of a theorem. */
export function readStatement(name: string): TheoremStatement {
  return TheoremStatement.parse(JSON.parse(readFileSync(theoremFile(name), "utf8")))
}

/** A theorem with its certificate, by its name or from a file. @throws InputError for a file of another form. */
export function readTheorem(name: string): Theorem {
  const path = name.endsWith(".json") ? name : theoremFile(name)
  try {
    const file = TheoremFile.parse(JSON.parse(readFileSync(path, "utf8")))
    const { recurrence, formula, certificate } = file
    return { statement: TheoremStatement.parse(file), recurrence, claim: formula, certificate }
  } catch (error) {
    const given = `${name}: ${error instanceof z.ZodError ? z.prettifyError(error) : String(error)}`
    throw new InputError({
      field: "theorem",
      given,
      allowed: "a theorem with its certificate",
      example: "init-a-stable",
    })
  }
}

/** Writes a theorem with its certificate. */
export async function writeTheorem({ statement, recurrence, claim, certificate }: Theorem): Promise<void> {
  const { atoms, direction, where } = claim
  const file = { ...statement, formula: { atoms, direction, where }, recurrence, certificate }
  await writeFileAtomic(theoremFile(statement.name).pathname, `${JSON.stringify(file, null, 1)}\n`)
}

/** The scheme that a theorem is about. */
export function schemeOf({ scheme: name, change, set, free }: TheoremStatement): Scheme {
  return scheme({ ...schemeNamed(name), ...change }, set, free)
}

/** How many steps of a recurrence are compared with the engine's. */
const COMPARED_STEPS = 4

/**
 * The recurrence of a scheme, compared with what the engine derives from the scheme's program: a proof is about the
 * code that trains.
 *
 * @throws InputError for a scheme that `recurrenceOf` does not take, or whose program says otherwise.
 */
export function comparedRecurrence(own: Scheme): RecurrenceJson {
  const recurrence = recurrenceOf(own)
  const [first] = disagreements(recurrence, derive(own), COMPARED_STEPS)
  if (first === undefined) return recurrence
  throw new InputError({
    field: `${own.definition.name}, to be proven`,
    given: `a program that differs from the recursion, first in ${first}`,
    allowed: "a scheme whose program follows the recursion of one adapted layer under a linear loss",
    example: "--scheme init-a",
  })
}

/**
 * A theorem from its statement: recurrence, formula and certificate.
 *
 * @throws Error if the claim is false; InputError as {@link comparedRecurrence}.
 */
export function proven(statement: TheoremStatement): Theorem & { readonly claim: Claim } {
  const recurrence = comparedRecurrence(schemeOf(statement))
  const claim = parseClaim(statement.claim)
  const decision = decide(recurrence, claim)
  if (!decision.proven) throw new Error(`${statement.name} is false: ${JSON.stringify(decision.counterexample)}`)
  return { statement, recurrence, claim, certificate: decision.certificate }
}
