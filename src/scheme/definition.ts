import { InputError } from "../inputError.js"
import { unknownName } from "../nearest.js"
import type { Extra } from "../program/adapters/form.js"
import { ADAPTERS, type AdapterName } from "../program/adapters/forms.js"
import type { Architecture } from "../program/models/stack.js"
import { BLOCK_SITES, type BlockKind, HEAD, type Transformer } from "../program/models/transformer.js"
import type { Objective } from "../program/objective.js"
import type { OptimiserName } from "../program/optimiser.js"

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
  const twice = sites.find((site, i) => sites.indexOf(site) < i)
  if (twice !== undefined)
    throw new InputError({
      field: `${field}.sites`,
      given: sites.join(", "),
      allowed: `each layer once: ${twice} has one adapter`,
      example: "sites: [q, v]",
    })
  return { kind, blocks, heads, keyHeads, feedForward: 4, rotary, sites }
}
