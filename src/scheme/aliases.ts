/**
 * Names that people use for schemes of the catalogue; case and punctuation do not matter, nor does a missing `peft-`.
 */
export const SCHEME_ALIASES: Readonly<Record<string, string>> = {
  lora: "init-a",
  "peft-default": "init-a",
  qlora: "init-a",
  "lora+": "lora-plus",
  "use-rslora": "rslora",
  "lora-embedding": "embedding",
  "embed-tokens": "embedding",
  wte: "embedding",
  "lm-head": "head",
  classifier: "head",
  "use-dora": "dora-detached",
  "lora-rite": "lora-rite-init-a",
  "scaled-adamw": "scaled-adam-init-a",
  "scaled-gd": "scaled-sgd-init-a",
}

/** Adapters that are known and not in the catalogue, with the reason. */
export const NOT_DERIVED: Readonly<Record<string, string>> = {
  adalora: "AdaLoRA trains three factors, and its rank changes",
  loha: "LoHa is an entrywise product of two adapters",
  lokr: "LoKr is a Kronecker product",
  oft: "OFT multiplies by an orthogonal matrix",
  boft: "BOFT multiplies by orthogonal matrices",
  ia3: "IA3 trains vectors that multiply activations",
}
