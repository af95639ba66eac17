import { componentOf, isFlat, isPacked } from "../baseWeights.js"
import { type Finding, healthy, listed, names, sick, unknown } from "../finding.js"
import type { MeasuredModule } from "../measureRun.js"

/** What wrappers leave in names; a loader that looks for the bare name then finds nothing. */
const WRAPPERS: readonly (readonly [RegExp, string])[] = [
  [/(^|\.)_orig_mod\./, "torch.compile"],
  [/^module\./, "DataParallel"],
  [/(^|\.)_fsdp_wrapped_module\./, "FSDP"],
  [/(^|\.)base_model\.model\./, "a second PEFT wrapper"],
]

/** Why no name was found where adapter and base model name by different rules; null where they do not. */
function otherNames(modules: readonly MeasuredModule[], base: readonly string[]): string | null {
  const ofLlamaCpp = (names: readonly string[]) => names.some((name) => /^blk\.\d+\./.test(name))
  const [own, others] = [ofLlamaCpp(names(modules)), ofLlamaCpp(base)]
  if (own !== others)
    return `the ${own ? "adapter" : "base model"} has llama.cpp's names (blk.0. …), the other has not: give the base model in the adapter's format.`
  if (modules.some(({ name }) => isFlat(name)))
    return `no weight fits a name such as ${modules[0]!.name}, and programs name these models in several ways: give the model's file as the one that it was trained on.`
  return null
}

export const wrongKeys: Finding = {
  id: "wrong-keys",
  title: "Keys that will not load",
  measures:
    "each module's name among the base model's tensors, and output × input against the weight's shape; without a base model, prefixes that wrappers leave",
  threshold: { source: "number format", text: "each name is found, each shape equal" },
  why: "Loaders pass over a key that they do not know, with a warning at most: the module then runs without its adapter.",
  settle: "loading it, and the list of keys that were not expected",
  examine: ({ modules, base, run }) => {
    const wrapped = modules.flatMap((module) =>
      WRAPPERS.filter(([of]) => of.test(module.name)).map(([, by]) => ({ ...module, by })),
    )
    if (wrapped.length > 0)
      return sick(
        `${wrapped.length} of ${modules.length} names hold what ${wrapped[0]!.by} puts before them (${listed(wrapped)}).`,
        wrapped.length,
        0,
        names(wrapped),
      )
    if (base === null) {
      const named = run.checkpoints.at(-1)!.config?.base_model_name_or_path
      return unknown(
        `give the base model with --base${typeof named === "string" ? ` (the configuration names ${named.slice(0, 100)})` : ""}.`,
      )
    }
    const missing = modules.filter(({ weight }) => weight === null)
    const odd = missing.length === modules.length ? otherNames(modules, base.names) : null
    if (odd !== null) return unknown(odd)
    // A pipeline's text encoder has files of its own.
    const { format } = run.checkpoints.at(-1)!.adapter
    const partOf = ({ name }: MeasuredModule) => (format === "PEFT" ? "" : componentOf(name))
    const known = new Set(modules.flatMap((module) => (module.weight === null ? [] : [partOf(module)])))
    const wrong = known.size === 0 ? missing : missing.filter((module) => known.has(partOf(module)))
    if (wrong.length > 0)
      return sick(
        `${wrong.length} of ${modules.length} modules have no weight in ${base.path} (${listed(wrong)}; it has ${base.names[0] ?? "no tensors"} …).`,
        wrong.length,
        0,
        names(wrong),
      )
    const found = modules.filter(({ weight }) => weight !== null)
    const packed = found.filter(({ weight }) => isPacked(weight!.type))
    const shaped = found.filter(
      ({ weight, input, output }) =>
        !isPacked(weight!.type) &&
        (weight!.shape.reduce((p, n) => p * n, 1) !== input * output ||
          (weight!.shape[0] !== output && weight!.shape[0] !== input)),
    )
    if (shaped.length > 0) {
      const { name, output, input, weight } = shaped[0]!
      return sick(
        `${shaped.length} of ${modules.length} modules do not fit their weight: ${name} is ${output} × ${input}, the weight ${weight!.shape.join(" × ")}.`,
        shaped.length,
        0,
        names(shaped),
      )
    }
    const apart = [...new Set(missing.map(({ name }) => componentOf(name)))].join(", ")
    const said = [
      `All ${found.length} modules have a weight${packed.length === found.length ? "" : " of their shape"}`,
      packed.length === 0
        ? ""
        : `; of ${packed.length} it is packed (${packed[0]!.weight!.type}), which has another shape`,
      missing.length === 0 ? "" : `; ${missing.length} more, of ${apart}, are of another model and were not looked up`,
    ]
    return healthy(`${said.join("")}.`, 0, 0)
  },
}
