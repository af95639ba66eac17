import { describe, expect, test } from "vitest"
import { nearest, plain } from "../../src/nearest.js"
import { SCHEME_ALIASES } from "../../src/scheme/aliases.js"
import { CATALOGUE, schemeNamed } from "../../src/scheme/catalogue.js"
import { optimiserNamed } from "../../src/scheme/optimiserNames.js"

describe("names that people know", () => {
  test.each([
    ["lora", "init-a"],
    ["LoRA", "init-a"],
    ["Init[B]", "init-b"],
    ["LoRA+", "lora-plus"],
    ["loraplus", "lora-plus"],
    ["rs_lora", "rslora"],
    ["LoRA-FA", "lora-fa"],
    ["pissa", "peft-pissa"],
    ["pissa_niter_16", "peft-pissa"],
    ["lora_ga", "peft-lora-ga"],
    ["olora", "peft-olora"],
    ["gaussian", "peft-gaussian"],
    ["DoRA", "dora"],
    ["use_dora", "dora-detached"],
    ["VeRA", "vera"],
    ["LoRA-XS", "lora-xs"],
    ["loraxs", "lora-xs"],
    ["LoRA-One", "lora-one"],
    ["MiLoRA", "milora"],
  ])("the scheme %s is %s", (alias, name) => {
    expect(schemeNamed(alias).name).toBe(name)
  })

  // `optim` of Hugging Face's trainer, class names of torch and bitsandbytes.
  test.each([
    ["adamw", "adam"],
    ["AdamW", "adam"],
    ["adamw_torch_fused", "adam"],
    ["adamw_bnb_8bit", "adam"],
    ["paged_adamw_32bit", "adam"],
    ["adamw8bit", "adam"],
    ["bitsandbytes.optim.Lion8bit", "lion"],
    ["torch.optim.SGD", "sgd"],
    ["SignSGD", "sign"],
    ["lion_8bit", "lion"],
    ["torch.optim.Muon", "muon-original"],
    ["torch.optim.Adafactor", "adafactor"],
    ["muon_raw", "muon"],
    ["muon-match_rms_adamw", "muon-match-rms-adamw"],
  ])("the update rule %s is %s", (alias, name) => {
    expect(optimiserNamed(alias).name).toBe(name)
  })

  test.each(["adagrad", "shampoo", "prodigy", ""])("%s is refused", (name) => {
    expect(() => optimiserNamed(name)).toThrow("allowed: adam, sign, sgd")
  })

  test("an adapter of another kind is refused with the reason", () => {
    expect(() => schemeNamed("AdaLoRA")).toThrow("its rank changes")
  })

  test("no two schemes share a spelling, and every alias is of one that exists", () => {
    const names = CATALOGUE.map(({ name }) => name)
    const spellings = new Set(names.flatMap((name) => [plain(name), plain(name.replace(/^peft-/, ""))]))
    const own = names.filter((name) => !name.startsWith("peft-")).map(plain)
    expect(spellings.size).toBe(own.length + 2 * (names.length - own.length))
    for (const [alias, name] of Object.entries(SCHEME_ALIASES)) {
      expect(names).toContain(name)
      expect(spellings).not.toContain(plain(alias))
    }
  })
})

test.each([
  ["rslor", "rslora"],
  ["peft-pisa", "peft-pissa"],
  ["intit-a", "init-a"],
  ["muon-inti-b", "muon-init-b"],
])("the nearest name of %s is %s", (given, name) => {
  expect(
    nearest(
      given,
      CATALOGUE.map((definition) => definition.name),
    ),
  ).toBe(name)
})

test("a name that is like none has no nearest", () => {
  expect(nearest("m", ["A", "B"])).toBeUndefined()
  expect(nearest("whatever", ["adam", "sgd"])).toBeUndefined()
})
