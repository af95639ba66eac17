import { z } from "zod"
import { checked, count, documented } from "../checked.js"
import { InputError } from "../inputError.js"
import { unknownName } from "../nearest.js"
import type { Extra } from "../program/adapters/form.js"
import { ADAPTERS, type AdapterName } from "../program/adapters/forms.js"
import type { Architecture } from "../program/models/stack.js"
import { BLOCK_SITES, type BlockKind, HEAD, type Transformer } from "../program/models/transformer.js"
import type { Objective } from "../program/objective.js"
import { OPTIMISERS, type OptimiserName } from "../program/optimiser.js"
import { optimiserNamed } from "./optimiserNames.js"

/**
 * A factor's start: zero, or independent Gaussian entries of standard deviation constant · n^exponent.
 *
 * Along the gradient, the rows of A are combinations of the batch's inputs and the columns of B multiples of the
 * gradient in the layer's output, with coordinates drawn so.
 */
export type Start = "zero" | { readonly exponent: string; readonly constant?: number; readonly along?: "gradient" }

/** Exponents of the learning rates, η = constant · n^exponent; "frozen" for a factor that is not trained. */
export interface Rates {
  readonly A: string
  readonly B: string
  /** VeRA's two diagonals. */
  readonly lambda_d?: string
  readonly lambda_b?: string
  /** LoRA-XS's r×r middle. */
  readonly R?: string
  /** DoRA's magnitude. */
  readonly m?: string
}

/** The trained tensors beside A and B that some adapter has. */
export const EXTRAS = ["lambda_d", "lambda_b", "R", "m"] as const

/** The update rule of each factor, and of an adapter's other trained tensors: Adam if left out. */
export interface Optimisers {
  readonly A: OptimiserName
  readonly B: OptimiserName
  readonly lambda_d?: OptimiserName
  readonly lambda_b?: OptimiserName
  readonly R?: OptimiserName
  readonly m?: OptimiserName
}

/** The spaces of a single adapted layer: a width n, an input width n^d of its own, or a single index. */
export interface Spaces {
  readonly input: "n" | "nIn" | "one"
  readonly output: "n" | "one"
}

/** The student of the paper's teacher-student experiment on inputs of a fixed dimension, by default 5. */
export interface TeacherStudent {
  readonly kind: "teacher-student"
  readonly inputs?: number
}

/** A transformer of adapted blocks; a batch's samples are the tokens of one sequence. */
export interface TransformerBlocks {
  readonly kind: BlockKind
  /** How many; default 1. */
  readonly blocks?: number
  /** Heads of the attention; default 2. */
  readonly heads?: number
  /** Heads of keys and values, a divisor of heads; default half of the heads in Llama's block, all in BERT's. */
  readonly keyHeads?: number
  /** Whether positions are rotary; default in Llama's block only. */
  readonly rotary?: boolean
  /** The layers with an adapter, by Llama's or BERT's names, and `lm_head`; default all of a block. */
  readonly sites?: readonly string[]
}

/**
 * How a sum over an index of size n^d grows beyond its terms: by n^(d · exponent), exponent in [1/2, 1].
 *
 * `between` names the two parts by their bases as the list of assumptions does: "Aᵀ", "Z", "A2ᵀ and W1", "the even
 * part".
 */
export interface Alignment {
  readonly between: readonly [string, string]
  readonly exponent: string
}

/** A fine-tuning scheme as a user writes it; exponents are texts of the command line's grammar. */
export interface SchemeDefinition {
  readonly name: string
  readonly title: string
  readonly source?: string
  /** What every adapter is; default "lora". */
  readonly adapter?: AdapterName
  readonly start: { readonly A: Start; readonly B: Start }
  /** The rates of every adapter, or one pair per adapted layer, in their order or by the site's name. */
  readonly rates: Rates | readonly Rates[] | Readonly<Record<string, Rates>>
  /** The constants of the rates; default 1. */
  readonly rateConstants?: { readonly [tensor in keyof Rates]: number }
  /** One update rule for both factors, or one for each; default "adam". */
  readonly optimiser?: OptimiserName | Optimisers
  /** Adam's ε as an exponent, ε = n^epsilon; by default it is negligible. */
  readonly epsilon?: string
  /** The constant of Adam's ε: by default 1 beside an exponent, and 1e-100 without one, which is nothing. */
  readonly epsilonConstant?: number
  /** δ = n^damping of rules that invert a matrix of the other factor; by default it is negligible. */
  readonly damping?: string
  /**
   * Exponent k of the bound n^k to which the joint norm of all gradients is clipped before the optimiser sees them
   * (max_grad_norm = 1 is "0"); by default they are not.
   */
  readonly clip?: string
  /** λ of decoupled weight decay on both factors; default 0. */
  readonly weightDecay?: number
  /** The part of A that Stable-LoRA takes away in each step; default 0. */
  readonly shrinkage?: number
  /** Exponent s of the effective multiplier α = n^s; default "s", which is 0 unless set or free. */
  readonly multiplier?: string
  /** Exponent ρ of the rank r = n^ρ; default "rho", which is 0 unless set or free. */
  readonly rank?: string
  /** Exponent d of the input width n^d of a single adapted layer; default "d", which is 1 unless set or free. */
  readonly inputWidth?: string
  /** Exponent o of the readout, whose entries are n^(−o); default "o", which is 1/2 unless set or free. */
  readonly readout?: string
  /** Whether B₀A₀ is taken from the frozen weights, so that training starts at no change; default false. */
  readonly subtractStart?: boolean
  /** Default "linear". */
  readonly loss?: Objective["loss"]
  /** How many samples a batch has, at every width; default 1. */
  readonly batch?: number
  /**
   * Exponent e of the share n^(−e) of a batch's tokens that the adapted layer sees, as an expert of a mixture does:
   * the loss is a mean over all; default "0".
   */
  readonly share?: string
  /** Exponent of the input's entries; default "0". */
  readonly input?: string
  /** The spaces of the adapter; default a hidden layer's. */
  readonly spaces?: Spaces
  /** What is assumed of the symbols, as a condition. */
  readonly domain?: string
  /** Assumptions of the derivation that fail for this scheme, or that only its user can check. */
  readonly caveats?: readonly string[]
  /** The point of the symbols at which the scheme is measured unless another is given. */
  readonly example?: Readonly<Record<string, string>>
  /** Alignments that the user knows better than the program says; only a derivation reads them. */
  readonly alignments?: readonly Alignment[]
  /** Frozen layers with an adapter each; by default one layer and a linear readout. */
  readonly network?: Architecture
  /** Another model in place of that one layer. */
  readonly model?: TeacherStudent | TransformerBlocks
}

/** Whether rates are one pair for all adapters. */
export function isPair(rates: SchemeDefinition["rates"]): rates is Rates {
  return typeof (rates as Partial<Rates>).A === "string"
}

/** The names of a scheme's trained tensors: A, B and what its adapter has beside them. */
export function tensorsOf({ adapter = "lora" }: Pick<SchemeDefinition, "adapter">): readonly (keyof Rates)[] {
  const extras: readonly Extra[] = ADAPTERS[adapter].extras
  return ["A", "B", ...EXTRAS.filter((name) => extras.some((extra) => extra.name === name))]
}

/** The update rule of each trained tensor. */
export function optimisersOf(
  definition: Pick<SchemeDefinition, "optimiser" | "adapter">,
): Readonly<Record<string, OptimiserName>> {
  const { optimiser = "adam" } = definition
  return Object.fromEntries(
    tensorsOf(definition).map((name) => [
      name,
      typeof optimiser === "string" ? optimiser : (optimiser[name] ?? "adam"),
    ]),
  )
}

/** The update rules as one text: "adam", or "adam on A, muon on B". */
export function optimiserText(definition: Pick<SchemeDefinition, "optimiser" | "adapter">): string {
  const rules = Object.entries(optimisersOf(definition))
  const [first] = rules
  return rules.every(([, rule]) => rule === first![1])
    ? first![1]
    : rules.map(([name, rule]) => `${rule} on ${name}`).join(", ")
}

/** A transformer with its defaults; @throws InputError for heads or layers that it cannot have. */
export function transformerOf(given: TransformerBlocks, field: string): Transformer {
  const { kind } = given
  const isLlama = kind === "llama-block"
  const { blocks = 1, heads = 2, rotary = isLlama, sites = BLOCK_SITES[kind] } = given
  const { keyHeads = isLlama ? Math.max(1, Math.floor(heads / 2)) : heads } = given
  if (heads % keyHeads !== 0)
    throw new InputError({
      field: `${field}.keyHeads`,
      given: keyHeads,
      allowed: `a divisor of the ${heads} heads`,
      example: "keyHeads: 1",
    })
  const known = [...BLOCK_SITES[kind], HEAD]
  for (const site of sites) if (!known.includes(site)) throw unknownName(`${field}.sites`, site, known)
  return { kind, blocks, heads, keyHeads, feedForward: 4, rotary, sites }
}

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
        kind: names("the model", ["teacher-student"]),
        inputs: count(1, "the input dimension", 5).exactOptional(),
      }),
      z.strictObject({
        kind: names("the model", ["llama-block", "bert-block"]),
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
 * two zero or two frozen factors, which never move.
 */
export function checkedDefinition(value: unknown): SchemeDefinition {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return checked(SchemeSchema, value, "scheme")
  const { name } = value as { name?: unknown }
  const prefix = typeof name === "string" ? `${name}.` : ""
  const definition: SchemeDefinition = checked(SchemeSchema, renamed(value, prefix), "scheme", prefix)
  requireTensors(definition)
  requireMoving(definition)
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
