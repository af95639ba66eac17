import { InputError } from "../inputError.js"
import { type Key, type KeyRole, keyOf, otherKind } from "./adapterKeys.js"
import { configWithin, type PartConfig } from "./diffusersMetadata.js"
import { MalformedFile } from "./malformed.js"
import type { NumberType } from "./numberTypes.js"
import { isOfExperts, type PeftConfig, peftScale } from "./peftConfig.js"
import type { StoredTensor, TensorFile } from "./tensorFile.js"

/** The multiplier of BA, and what says so. */
export interface Scale {
  /** null where the files do not say. */
  readonly value: number | null
  readonly alpha: number | null
  readonly source: string
}

/** One adapted module: W + s·B·A, with A r × input (input × r where it lies turned) and B output × r, row-major. */
export interface AdapterModule {
  /** Its name in the base model. */
  readonly name: string
  readonly rank: number
  /** Columns of A: of a convolution, input channels times the kernel's size. */
  readonly input: number
  /** Rows of B. */
  readonly output: number
  readonly scale: Scale
  readonly a: StoredTensor
  readonly b: StoredTensor
  readonly isATurned: boolean
  /** DoRA's magnitudes: W + s·BA is normalised and multiplied by them; null in plain LoRA. */
  readonly magnitude: StoredTensor | null
}

/** A LoRA adapter's modules in the file's order, read as far as its header. */
export interface Adapter {
  readonly format: "PEFT" | "kohya" | "diffusers" | "GGUF"
  readonly modules: readonly AdapterModule[]
  /** Tensors that are no part of an adapter, as a trained classifier. */
  readonly others: readonly string[]
  /** Modules whose factors hold those of several experts: they are not read. */
  readonly ofExperts: readonly string[]
  /** The type that the factors are stored in; several where they differ. */
  readonly types: readonly NumberType[]
}

/** The largest rank: matrices r × r are held and decomposed. */
const MOST_RANK = 2048

/** The most modules of an adapter. */
const MOST_MODULES = 100_000

/**
 * The adapter in a file of tensors: by PEFT, kohya's scripts, diffusers or llama.cpp.
 *
 * @param config PEFT's configuration, where it lies beside the file.
 * @throws MalformedFile for a factor without its partner, or shapes that do not multiply; InputError for a file without
 * LoRA factors, or an adapter of another kind, by its name.
 */
export async function adapterIn(file: TensorFile, config: PeftConfig | null): Promise<Adapter> {
  const found = new Map<string, Partial<Record<KeyRole, StoredTensor>> & { turned?: boolean }>()
  const others: string[] = []
  for (const tensor of file.tensors.values()) {
    const kind = otherKind(tensor.name)
    if (kind !== null)
      throw new InputError({
        field: file.path,
        given: tensor.name,
        allowed: `a LoRA adapter; this one is ${kind}`,
        example: "x.lora_A.weight",
      })
    const key: Key | null = keyOf(tensor.name)
    if (key === null) {
      others.push(tensor.name)
      continue
    }
    const own = found.get(key.module) ?? {}
    if (own[key.role] !== undefined)
      throw refuse(tensor, "name", `a second ${key.role} of ${key.module}`, "one of each in a module")
    own[key.role] = tensor
    if (key.turned) own.turned = true
    found.set(key.module, own)
  }
  const modules: AdapterModule[] = []
  const ofExperts: string[] = []
  const format = formatOf(file)
  const configOf = config === null ? configWithin(file) : (module: string): PartConfig => ({ config, module })
  for (const [name, { a, b, alpha, magnitude, turned = false }] of found) {
    if (a === undefined && b === undefined) {
      others.push(...[alpha, magnitude].flatMap((tensor) => (tensor === undefined ? [] : [tensor.name])))
      continue
    }
    if (a === undefined || b === undefined)
      throw refuse((a ?? b)!, "name", `${name} has only ${a === undefined ? "B" : "A"}`, "both factors of a module")
    if (format === "GGUF" ? a.shape.length === 3 : config !== null && isOfExperts(config, name, a.shape[0] ?? 0)) {
      ofExperts.push(name)
      continue
    }
    const rank = rankOf(a, b, turned)
    const own = {
      name,
      rank,
      input: a.length / rank,
      output: b.length / rank,
      a,
      b,
      isATurned: turned,
      magnitude: magnitude ?? null,
    }
    modules.push({ ...own, scale: await scaleOf(file, configOf(name), own, alpha) })
  }
  if (modules.length === 0 && ofExperts.length > 0)
    throw new InputError({
      field: file.path,
      given: `${ofExperts.length} modules with the factors of several experts in one, as ${ofExperts[0]}`,
      allowed: "an adapter with modules of one weight each beside them",
      example: "q_proj.lora_A.weight and q_proj.lora_B.weight",
    })
  if (modules.length === 0 || modules.length > MOST_MODULES)
    throw new InputError({
      field: file.path,
      given: `${modules.length} modules with LoRA factors among ${file.tensors.size} tensors${others[0] === undefined ? "" : `, as ${others[0].slice(0, 120)}`}`,
      allowed: `an adapter with 1 to ${MOST_MODULES} modules`,
      example: "q_proj.lora_A.weight and q_proj.lora_B.weight",
    })
  const types = [...new Set(modules.flatMap(({ a, b }) => [a.type, b.type]))]
  return { format, modules, others, ofExperts, types }
}

function formatOf(file: TensorFile): Adapter["format"] {
  if (file.format === "gguf") return "GGUF"
  const has = (part: RegExp) => [...file.tensors.keys()].some((name) => part.test(name))
  if (has(/^lora_(unet|te\d?|transformer)_.*\.lora_(down|up)\.weight$/)) return "kohya"
  if (has(/\.lora_[AB](\.[^.]+)?\.weight$/) && has(/^base_model\./)) return "PEFT"
  if (has(/lora_(down|up)\.weight$/)) return "kohya"
  return has(/^(unet|text_encoder\w*|transformer)\.|processor|\.lora\./) ? "diffusers" : "PEFT"
}

/**
 * The index that A and B share: A is r × input (with a kernel's sizes behind), or turned, B output × r (with ones
 * behind).
 */
function rankOf(a: StoredTensor, b: StoredTensor, turned: boolean): number {
  const rank = a.shape[turned ? 1 : 0] ?? 0
  const trailing = b.shape.slice(2)
  if (a.shape.length < 2 || a.length === 0 || rank > MOST_RANK)
    throw refuse(
      a,
      "shape",
      a.shape,
      `${turned ? "input × r" : "r × input"}, neither of them 0, r at most ${MOST_RANK}`,
    )
  if (b.shape.length < 2 || b.shape[1] !== rank || b.length === 0 || trailing.some((size) => size !== 1))
    throw refuse(b, "shape", b.shape, `output × ${rank}, as A is ${a.shape.join(" × ")}`)
  return rank
}

async function scaleOf(
  file: TensorFile,
  own: PartConfig | null,
  { rank }: { readonly rank: number },
  stored: StoredTensor | undefined,
): Promise<Scale> {
  if (stored !== undefined) {
    if (stored.length !== 1) throw refuse(stored, "shape", stored.shape, "one number")
    const alpha = (await stored.read())[0]!
    if (!Number.isFinite(alpha)) throw refuse(stored, "value", String(alpha), "a finite number")
    return { value: alpha / rank, alpha, source: "alpha of the module / rank" }
  }
  if (own !== null) {
    const { alpha, scale } = peftScale(own.config, own.module, rank)
    return { value: scale, alpha, source: own.config.use_rslora ? "lora_alpha / sqrt(rank)" : "lora_alpha / rank" }
  }
  const alpha = file.metadata.get("adapter.lora.alpha")
  // llama.cpp takes no alpha, or 0, as "no scale".
  if (file.format === "gguf" && (alpha === undefined || typeof alpha === "number"))
    return alpha === undefined || alpha === 0
      ? { value: 1, alpha: null, source: "adapter.lora.alpha is absent or 0: not scaled" }
      : { value: alpha / rank, alpha, source: "adapter.lora.alpha / rank" }
  const whole = Number(file.metadata.get("ss_network_alpha") ?? Number.NaN)
  if (Number.isFinite(whole)) return { value: whole / rank, alpha: whole, source: "ss_network_alpha / rank" }
  return { value: null, alpha: null, source: "the files say no alpha" }
}

function refuse({ file, byte, name }: StoredTensor, part: string, given: unknown, allowed: string): MalformedFile {
  return new MalformedFile(
    { file, byte, part: `${part} of ${JSON.stringify(name)}` },
    given,
    allowed,
    "x.lora_A.weight [8,384], x.lora_B.weight [384,8]",
  )
}
