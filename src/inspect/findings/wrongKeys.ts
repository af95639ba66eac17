import { type Finding, healthy, listed, names, sick, unknown } from "../finding.js"

/** What wrappers leave in names; a loader that looks for the bare name then finds nothing. */
const WRAPPERS: readonly (readonly [RegExp, string])[] = [
  [/(^|\.)_orig_mod\./, "torch.compile"],
  [/^module\./, "DataParallel"],
  [/(^|\.)_fsdp_wrapped_module\./, "FSDP"],
  [/(^|\.)base_model\.model\./, "a second PEFT wrapper"],
]

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
    if (missing.length > 0)
      return sick(
        `${missing.length} of ${modules.length} modules have no weight in ${base.path} (${listed(missing)}; it has ${base.names[0] ?? "no tensors"} …).`,
        missing.length,
        0,
        names(missing),
      )
    const shaped = modules.filter(
      ({ weight, input, output }) =>
        weight!.shape.reduce((p, n) => p * n, 1) !== input * output ||
        (weight!.shape[0] !== output && weight!.shape[0] !== input),
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
    return healthy(`All ${modules.length} modules have a weight of their shape.`, 0, 0)
  },
}
