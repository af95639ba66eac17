/** What PEFT calls a scheme of the catalogue: the value of `init_lora_weights` as Python writes it. */
const INIT_LORA_WEIGHTS: ReadonlyMap<string, string> = new Map([
  ["init-a", "True"],
  ["lora-plus", "True"],
  ["lora-alpha", "True"],
  ["rslora", "True"],
  ["lora-fa", "True"],
  ["head", "True"],
  ["embedding", "True"],
  ["peft-gaussian", '"gaussian"'],
  ["peft-orthogonal", '"orthogonal"'],
  ["peft-pissa", '"pissa"'],
  ["peft-olora", '"olora"'],
  ["peft-corda", '"corda"'],
  ["peft-loftq", '"loftq"'],
  ["peft-eva", '"eva"'],
  ["peft-lora-ga", '"lora_ga"'],
])

/** The rows of Python that make an optimiser of the parameters `params` with the rate `lr`; by update rule. */
const OPTIMIZERS: ReadonlyMap<string, string> = new Map([
  ["adam", "torch.optim.AdamW(params, lr=LR, weight_decay=0.0)"],
  ["sgd", "torch.optim.SGD(params, lr=LR)"],
  ["momentum", "torch.optim.SGD(params, lr=LR, momentum=0.9)"],
  ["lion", "bitsandbytes.optim.Lion(params, lr=LR, weight_decay=0.0)"],
  ["muon-original", 'torch.optim.Muon(params, lr=LR, weight_decay=0.0, adjust_lr_fn="original")'],
  ["muon-match-rms-adamw", 'torch.optim.Muon(params, lr=LR, weight_decay=0.0, adjust_lr_fn="match_rms_adamw")'],
])

/** PEFT's value of `init_lora_weights` for a scheme; null where it has none. */
export function initLoraWeights(scheme: string): string | null {
  return INIT_LORA_WEIGHTS.get(scheme) ?? null
}

/** Python that makes the optimiser of an update rule; null where torch and bitsandbytes have none. */
export function pythonOptimizer(optimiser: string, rate: string): string | null {
  return OPTIMIZERS.get(optimiser)?.replace("LR", rate) ?? null
}
