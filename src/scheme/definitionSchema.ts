import { z } from "zod"
import { checked, count, documented } from "../checked.js"
import { InputError } from "../inputError.js"
import { ADAPTERS, type AdapterName } from "../program/adapters/forms.js"
import { OPTIMISERS, type OptimiserName } from "../program/optimiser.js"
import { EXTRAS, isPair, type Rates, type SchemeDefinition, tensorsOf } from "./definition.js"
import { optimiserNamed } from "./optimiserNames.js"

const exponent = z.union([z.string(), z.number()]).transform(String)
const EXPONENT = "a rational, a symbol, or sums and multiples of these"
const power = (what: string, example: string) => documented(exponent, `${what}: ${EXPONENT}`, example).exactOptional()
const positive = z.number().positive()
const names = <const T extends readonly [string, ...string[]]>(what: string, allowed: T) =>
  documented(z.enum(allowed), `${what}: ${allowed.join(", ")}`, allowed[0])

const START =
  '"zero", or { exponent, constant, along: gradient } for random entries of size constant · n^exponent; PEFT\'s Kaiming start of A has exponent -1/2'
const start = documented(
  z.union([
    z.literal("zero"),
    z.strictObject({
      exponent: documented(exponent, `the exponent of the entries' size: ${EXPONENT}`, "-1/2"),
      constant: documented(positive, "a number > 0", 1).exactOptional(),
      along: names("where the start lies", ["gradient"]).exactOptional(),
    }),
  ]),
  START,
  { exponent: "-1/2" },
)
const rate = (side: string) => documented(exponent, `the exponent of the rate of ${side}, or frozen: ${EXPONENT}`, "c")
/** A and B, and what only some adapters have: its place is checked with the adapter. */
const byTensor = <T extends z.ZodType>(of: (name: string) => T) =>
  z.strictObject({
    A: of("A"),
    B: of("B"),
    ...(Object.fromEntries(EXTRAS.map((name) => [name, of(name).exactOptional()])) as {
      [name in (typeof EXTRAS)[number]]: z.ZodExactOptional<T>
    }),
  })
const pair = byTensor(rate)
const optimiserNames = Object.keys(OPTIMISERS) as [OptimiserName, ...OptimiserName[]]
const ruleName = names("an update rule", optimiserNames)

/** One text for the branches of the union: a refusal speaks of all. */
const kind = <const T extends readonly [string, ...string[]]>(allowed: T) =>
  documented(z.enum(allowed), "the model: teacher-student, llama-block, bert-block", "llama-block")

const FIELDS = {
  name: documented(z.string().min(1), "the scheme's name", "mine"),
  title: documented(z.string(), "what the scheme is, in a line", "A random, B zero, a rate for each"),
  source: documented(z.string(), "where the scheme comes from", "arXiv 2402.12354").exactOptional(),
  adapter: names("the adapter", Object.keys(ADAPTERS) as [AdapterName, ...AdapterName[]]).exactOptional(),
  start: documented(z.strictObject({ A: start, B: start }), `{ A, B }, each ${START}`, {
    A: { exponent: "-1/2" },
    B: "zero",
  }),
  rates: documented(
    z.union([pair, z.array(pair), z.record(z.string(), pair)]),
    "{ A, B }, the exponents of the two rates, or such pairs, one an adapted layer: a list, or by the sites' names",
    { A: "c", B: "c" },
  ),
  rateConstants: documented(
    byTensor(() => positive),
    "{ A, B }: numbers > 0",
    {
      A: 1,
      B: 1,
    },
  ).exactOptional(),
  optimiser: documented(
    z.union([ruleName, byTensor(() => ruleName)]),
    `one update rule for both factors, or { A, B }, one for each: ${optimiserNames.join(", ")}`,
    "adam",
  ).exactOptional(),
  epsilon: power("the exponent of Adam's epsilon", "0"),
  epsilonConstant: documented(positive, "the constant of Adam's epsilon: a number > 0", 1e-8).exactOptional(),
  damping: power("the exponent of delta in an inverse of the other factor's matrix", "0"),
  clip: power("the exponent of the bound on the gradients' joint norm", "0"),
  weightDecay: documented(z.number().min(0), "decoupled weight decay: a number ≥ 0", 0.1).exactOptional(),
  shrinkage: documented(
    z.number().min(0).max(1),
    "the part of A that is taken away in each step: a number from 0 to 1",
    0.1,
  ).exactOptional(),
  multiplier: power("the exponent of the effective multiplier", "-rho"),
  rank: power("the exponent of the rank", "rho"),
  inputWidth: power("the exponent of the input width", "1"),
  readout: power("o of the readout's entries n^(-o)", "1/2"),
  subtractStart: documented(z.boolean(), "true or false", true).exactOptional(),
  loss: names("the loss", ["linear", "squared"]).exactOptional(),
  batch: count(1, "how many samples a batch has", 4).exactOptional(),
  share: power("e of the share n^(-e) of the tokens that an expert sees", "1/2"),
  input: power("the exponent of the input's entries", "0"),
  spaces: documented(
    z.strictObject({ input: names("the input", ["n", "nIn", "one"]), output: names("the output", ["n", "one"]) }),
    "{ input, output } of the adapter: nIn, n or one, and n or one",
    { input: "nIn", output: "n" },
  ).exactOptional(),
  domain: documented(z.string(), "a condition on the symbols", "k >= 0 and k <= 1/2").exactOptional(),
  caveats: documented(z.array(z.string()), "a list of texts", ["sigma is the spectrum's exponent"]).exactOptional(),
  example: documented(z.record(z.string(), exponent), "a value for each symbol", { c: "-1/2" }).exactOptional(),
  alignments: documented(
    z.array(z.strictObject({ between: z.tuple([z.string(), z.string()]), exponent })),
    "a list of { between: [part, part], exponent }",
    [{ between: ["Aᵀ", "Z"], exponent: "3/4" }],
  ).exactOptional(),
  network: documented(
    z.strictObject({
      layers: count(1, "how many layers", 2),
      activation: names("the activation", ["relu", "tanh"]),
      residual: documented(z.boolean(), "true or false", false),
    }),
    "{ layers, activation, residual }",
    { layers: 2, activation: "relu", residual: false },
  ).exactOptional(),
  model: documented(
    z.union([
      z.strictObject({
        kind: kind(["teacher-student"]),
        inputs: count(1, "the input dimension", 5).exactOptional(),
      }),
      z.strictObject({
        kind: kind(["llama-block", "bert-block"]),
        blocks: count(1, "how many blocks", 1).exactOptional(),
        heads: count(1, "how many heads", 2).exactOptional(),
        keyHeads: count(1, "how many heads of keys and values", 1).exactOptional(),
        rotary: documented(z.boolean(), "true or false", true).exactOptional(),
        sites: documented(z.array(z.string()).min(1), "a list of layers' names", ["q", "v"]).exactOptional(),
      }),
    ]),
    "{ kind: teacher-student, inputs }, or { kind, blocks, heads, keyHeads, rotary, sites } of llama-block or bert-block",
    { kind: "llama-block", sites: ["q", "v"] },
  ).exactOptional(),
} satisfies Readonly<Record<keyof SchemeDefinition, z.ZodType>>

/** The schema of a scheme as a user writes it. A field of {@link SchemeDefinition} that it lacks does not compile. */
export const SchemeSchema = documented(z.strictObject(FIELDS), "an object with name, title, start and rates", {
  name: "mine",
  title: "A random, B zero",
  start: { A: { exponent: "-1/2" }, B: "zero" },
  rates: { A: "c", B: "c" },
})

/** Fields by the names that others give them. */
const FIELD_ALIASES: ReadonlyMap<string, string> = new Map([["optimizer", "optimiser"]])

/**
 * A definition from outside, checked: numbers as exponents become texts, other names of fields and update rules the
 * usual ones; what such a name leaves out becomes a caveat.
 *
 * @throws InputError naming the field for a field, name or value that is not allowed, with the nearest one that is; for
 * two zero or two frozen factors, which never move; for two models.
 */
export function checkedDefinition(value: unknown): SchemeDefinition {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return checked(SchemeSchema, value, "scheme")
  const { name } = value as { name?: unknown }
  const prefix = typeof name === "string" ? `${name}.` : ""
  const definition: SchemeDefinition = checked(SchemeSchema, renamed(value, prefix), "scheme", prefix)
  requireTensors(definition)
  requireMoving(definition)
  requireOneModel(definition)
  return definition
}

/** The object with fields and the update rule under the names of this project, without fields that are undefined. */
function renamed(value: object, prefix: string): Record<string, unknown> {
  const given = Object.entries(value).filter(([, content]) => content !== undefined)
  const twice = given.find(([field]) => given.some(([other]) => FIELD_ALIASES.get(other) === field))
  if (twice !== undefined)
    throw new InputError({
      field: `${prefix}${twice[0]}`,
      given: twice[1],
      allowed: "one field in one of its spellings",
      example: twice[0],
    })
  const fields = Object.fromEntries(given.map(([field, content]) => [FIELD_ALIASES.get(field) ?? field, content]))
  const { optimiser, caveats } = fields
  const notes: string[] = []
  const named = (text: unknown, field: string) => {
    if (typeof text !== "string") return text
    const rule = optimiserNamed(text, field)
    notes.push(...rule.notes.filter((note) => !notes.includes(note)))
    return rule.name
  }
  if (typeof optimiser === "object" && optimiser !== null && !Array.isArray(optimiser))
    fields.optimiser = Object.fromEntries(
      Object.entries(optimiser).map(([side, rule]) => [side, named(rule, `${prefix}optimiser.${side}`)]),
    )
  else if (optimiser !== undefined) fields.optimiser = named(optimiser, `${prefix}optimiser`)
  if (notes.length > 0) fields.caveats = [...(Array.isArray(caveats) ? caveats : []), ...notes]
  return fields
}

/** @throws InputError for rates, their constants or rules of other tensors than the adapter's, or one without a rate. */
function requireTensors(definition: SchemeDefinition): void {
  const { name, adapter = "lora", rates, rateConstants = {}, optimiser } = definition
  const known: readonly string[] = tensorsOf(definition)
  const fields: [string, object][] = [
    ...((isPair(rates) ? [["rates", rates]] : Object.entries(rates).map(([site, own]) => [`rates.${site}`, own])) as [
      string,
      object,
    ][]),
    ["rateConstants", rateConstants],
    ["optimiser", typeof optimiser === "object" ? optimiser : {}],
  ]
  for (const [field, given] of fields) {
    const odd = Object.keys(given).find((tensor) => !known.includes(tensor))
    const missing = field.startsWith("rates") ? known.find((tensor) => !Object.hasOwn(given, tensor)) : undefined
    if (odd === undefined && missing === undefined) continue
    throw new InputError({
      field: `${name}.${field}.${odd ?? missing}`,
      given: odd === undefined ? "nothing" : (given as Record<string, unknown>)[odd],
      allowed: `what adapter ${adapter} trains: the fields are ${known.join(", ")}`,
      example: known.map((tensor) => `${tensor}: c`).join(", "),
    })
  }
}

function requireMoving(definition: SchemeDefinition): void {
  const { name, start, rates } = definition
  const extras = tensorsOf(definition).slice(2)
  if (start.A === "zero" && start.B === "zero")
    throw new InputError({
      field: `${name}.start`,
      given: "both factors zero",
      allowed: "at most one zero factor: with both at zero no gradient ever moves them",
      example: '{ A: { exponent: "-1/2" }, B: "zero" }',
    })
  const pairs = isPair(rates) ? [rates] : Object.values<Rates>(rates)
  const rest = (own: Rates) => [own.A, own.B, ...extras.map((tensor) => own[tensor])]
  if (pairs.every((own) => rest(own).every((rate) => rate === "frozen")))
    throw new InputError({
      field: `${name}.rates`,
      given: "both factors frozen",
      allowed: "at least one factor that is trained",
      example: '{ A: "frozen", B: "c" }',
    })
}

/** @throws InputError for two of `network`, `model` and `spaces`, each of which says what the adapters stand in. */
function requireOneModel({ name, network, model, spaces }: SchemeDefinition): void {
  const given = Object.entries({ network, model, spaces }).filter(([, value]) => value !== undefined)
  const [first, second] = given
  if (first === undefined || second === undefined) return
  throw new InputError({
    field: `${name}.${second[0]}`,
    given: second[1],
    allowed: `none beside ${first[0]}: each says what the adapters stand in`,
    example: "model: { kind: llama-block }",
  })
}
