/** How the files that people have name the two factors of a module. */

/** What a tensor is to its module. A is the factor that meets the input, B the one that makes the output. */
export type KeyRole = "a" | "b" | "alpha" | "magnitude"

/** A tensor's name, read. */
export interface Key {
  readonly module: string
  readonly role: KeyRole
  /** Whether the factor lies turned: llama.cpp's A of an embedding has a row a token, where PEFT's has a column. */
  readonly turned: boolean
}

interface Pattern {
  readonly of: RegExp
  readonly role: KeyRole
  readonly turned?: boolean
}

/** One row a way of naming; the first that fits says. A name in brackets is the module. */
const PATTERNS: readonly Pattern[] = [
  { of: /^(.+)\.lora_A(?:\.[^.]+)?\.weight$/, role: "a" },
  { of: /^(.+)\.lora_B(?:\.[^.]+)?\.weight$/, role: "b" },
  { of: /^(.+)\.lora_embedding_A(?:\.[^.]+)?$/, role: "a" },
  { of: /^(.+)\.lora_embedding_B(?:\.[^.]+)?$/, role: "b" },
  { of: /^(.+)\.lora_magnitude_vector(?:\.[^.]+)?(?:\.weight)?$/, role: "magnitude" },
  { of: /^(.+)\.lora_down\.weight$/, role: "a" },
  { of: /^(.+)\.lora_up\.weight$/, role: "b" },
  { of: /^(.+)\.dora_scale$/, role: "magnitude" },
  { of: /^(.+)\.lora\.down\.weight$/, role: "a" },
  { of: /^(.+)\.lora\.up\.weight$/, role: "b" },
  { of: /^(.+_lora\d*)\.down\.weight$/, role: "a" },
  { of: /^(.+_lora\d*)\.up\.weight$/, role: "b" },
  { of: /^(.+)\.lora_linear_layer\.down\.weight$/, role: "a" },
  { of: /^(.+)\.lora_linear_layer\.up\.weight$/, role: "b" },
  { of: /^(token_embd)\.weight\.lora_a$/, role: "a", turned: true },
  { of: /^(.+)\.weight\.lora_a$/, role: "a" },
  { of: /^(.+)\.weight\.lora_b$/, role: "b" },
  { of: /^(.+)\.alpha$/, role: "alpha" },
]

/** Names of adapters of other kinds, which no product BA describes. */
const OTHERS: readonly (readonly [RegExp, string])[] = [
  [/\.hada_w[12]_[ab]$|\.hada_t[12]$/, "LoHa"],
  [/\.lokr_w[12](_[ab])?$|\.lokr_t2$/, "LoKr"],
  [/\.lora_mid\.weight$/, "a Tucker convolution (lora_mid)"],
  [/\.oft_blocks$|\.oft_[rR](\.|$)/, "OFT"],
  [/\.ia3_l(\.|$)/, "IA3"],
  [/\.vera_lambda_[bd](\.|$)/, "VeRA"],
  [/\.lora_E(\.|$)/, "AdaLoRA"],
  [/\.lora_diag(\.|$)/, "KaSA"],
]

/** The tensor's module and role, or null where it is no part of a LoRA adapter. */
export function keyOf(name: string): Key | null {
  for (const { of, role, turned = false } of PATTERNS) {
    const module = of.exec(name)?.[1]
    if (module !== undefined) return { module: bare(module), role, turned }
  }
  return null
}

/** The kind of adapter that a tensor of this name belongs to, if it is another kind than LoRA. */
export function otherKind(name: string): string | null {
  return OTHERS.find(([of]) => of.test(name))?.[1] ?? null
}

/** The module's name in the base model: PEFT puts `base_model.model.` before it. */
function bare(module: string): string {
  return module.startsWith("base_model.model.") ? module.slice("base_model.model.".length) : module
}
