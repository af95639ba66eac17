import { z } from "zod"
import { InputError } from "../inputError.js"
import { allowedBy, valueAt } from "./issue.js"
import { MalformedFile } from "./malformed.js"
import { readJson } from "./readJson.js"

const Rank = z.number().int().positive().max(1_000_000)
const Layer = z.number().int().nonnegative().max(100_000)
const Names = z.union([z.string(), z.array(z.string())])

/** What of PEFT's `adapter_config.json` says how an adapter's tensors are to be read; other fields are kept unread. */
export const PeftConfig = z.looseObject({
  peft_type: z.string(),
  r: Rank.default(8),
  lora_alpha: z.number().default(8),
  use_rslora: z.boolean().nullish(),
  use_dora: z.boolean().nullish(),
  fan_in_fan_out: z.boolean().nullish(),
  rank_pattern: z.record(z.string(), Rank).nullish(),
  alpha_pattern: z.record(z.string(), z.number()).nullish(),
  init_lora_weights: z.union([z.boolean(), z.string()]).nullish(),
  target_modules: Names.nullish(),
  modules_to_save: Names.nullish(),
  target_parameters: z.array(z.string()).nullish(),
  layer_replication: z.array(z.tuple([Layer, Layer])).nullish(),
  base_model_name_or_path: z.string().nullish(),
  peft_version: z.string().nullish(),
})
export type PeftConfig = z.infer<typeof PeftConfig>

/** How fields that are refused are written. */
const EXAMPLES: Readonly<Record<string, string>> = {
  r: '"r": 8',
  lora_alpha: '"lora_alpha": 16',
  rank_pattern: '"rank_pattern": {"q_proj": 4}',
  alpha_pattern: '"alpha_pattern": {"q_proj": 8}',
  init_lora_weights: '"init_lora_weights": true',
  target_modules: '"target_modules": ["q_proj"]',
  modules_to_save: '"modules_to_save": ["lm_head"]',
  target_parameters: '"target_parameters": ["mlp.experts.down_proj"]',
  layer_replication: '"layer_replication": [[0, 16], [8, 24]]',
  use_rslora: '"use_rslora": true',
}

/** Reads an `adapter_config.json`. @throws MalformedFile for a field of another type, or an adapter that is no LoRA. */
export async function readPeftConfig(path: string): Promise<PeftConfig> {
  const given = await readJson(path, 10_000_000)
  const type = (given as { readonly peft_type?: unknown } | null)?.peft_type
  if (type !== "LORA")
    throw new MalformedFile(
      { file: path, byte: null, part: "peft_type" },
      type ?? null,
      "LORA, in a configuration that PEFT wrote",
      '"peft_type": "LORA"',
    )
  const config = PeftConfig.safeParse(given)
  if (!config.success) {
    const [issue] = config.error.issues
    const field = issue!.path
    throw new MalformedFile(
      { file: path, byte: null, part: field.join(".") || "config" },
      valueAt(given, issue!),
      allowedBy(issue!),
      EXAMPLES[String(field[0])] ?? EXAMPLES.r!,
    )
  }
  return config.data
}

/**
 * The multiplier of BA in one module: α/r, or α/√r with `use_rslora`, with the module's own r and α where a pattern
 * names it.
 *
 * A pattern's key fits as in PEFT: the whole name, or its end after a dot, as a regular expression.
 *
 * @throws InputError for a pattern that cannot be tried quickly.
 * @param module its name in the base model, as `model.layers.0.self_attn.q_proj`.
 */
export function peftScale(config: PeftConfig, module: string, rank: number): { alpha: number; scale: number } {
  const alpha = patternValue(config.alpha_pattern ?? {}, module) ?? config.lora_alpha
  return { alpha, scale: alpha / (config.use_rslora ? Math.sqrt(rank) : rank) }
}

/** The rank that the configuration gives a module. @throws InputError for a pattern that cannot be tried quickly. */
export function peftRank(config: PeftConfig, module: string): number {
  return patternValue(config.rank_pattern ?? {}, module) ?? config.r
}

/**
 * Whether a module's factors hold those of several experts, one after another: PEFT's `target_parameters` of a weight
 * with a matrix an expert has r rows of A for each.
 */
export function isOfExperts(config: PeftConfig, module: string, rank: number): boolean {
  const ranks = [config.r, ...Object.values(config.rank_pattern ?? {})]
  const own = module.replace(/(?:\.base_layer)+$/, "")
  const parents = (config.target_parameters ?? []).map((name) => name.replace(/\.?[^.]+$/, ""))
  return !ranks.includes(rank) && parents.some((name) => own === name || own.endsWith(`.${name}`))
}

function patternValue(pattern: Readonly<Record<string, number>>, module: string): number | undefined {
  const key = Object.keys(pattern).find((name) => fits(name, module))
  return key === undefined ? undefined : pattern[key]
}

/** Backtracking stays short with few repetitions, none of them of a group. */
const LONGEST_PATTERN = 200
const MOST_REPETITIONS = 2

function fits(key: string, module: string): boolean {
  if (module === key || module.endsWith(`.${key}`)) return true
  if (!/[\\^$*+?()[\]{}|]/.test(key)) return false
  const refuse = (why: string) =>
    new InputError({
      field: "rank_pattern or alpha_pattern",
      given: key.slice(0, LONGEST_PATTERN),
      allowed: `a name, or a regular expression with at most ${MOST_REPETITIONS} repetitions, none of a group${why}`,
      example: ".*\\.q_proj",
    })
  if (key.length > LONGEST_PATTERN || /\)[*+{]/.test(key) || (key.match(/[*+{]/g)?.length ?? 0) > MOST_REPETITIONS)
    throw refuse("")
  try {
    return new RegExp(`^(?:.*\\.)?(?:${key})$`).test(module)
  } catch (error) {
    throw refuse(` (${String(error)})`)
  }
}
