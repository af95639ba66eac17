import { initLoraWeights, pythonOptimizer } from "../scheme/peftOptions.js"

/** What a run with PEFT is made from. */
export interface PeftRun {
  readonly scheme: string
  readonly optimiser: string
  readonly rank: number
  readonly alpha: number
  /** What B A is multiplied by: PEFT has the first two, the third is α itself. */
  readonly convention: "alpha/r" | "alpha/sqrt(r)" | "alpha"
  readonly rate: number
  /** The rate of B over that of A; 1 is one rate. */
  readonly ratio: number
}

/** A number as Python reads it, short: 1.4e-4, 0.5. */
export function rateText(rate: number): string {
  const rounded = Number(rate.toPrecision(3))
  return rounded !== 0 && (rounded < 1e-2 || rounded >= 1e4)
    ? rounded.toExponential().replace("e+", "e")
    : String(rounded)
}

/** Python that makes PEFT's LoraConfig and the optimiser; what has no option of theirs is a comment. */
export function peftConfig({ scheme, optimiser, rank, alpha, convention, rate, ratio }: PeftRun): string {
  const start = initLoraWeights(scheme)
  // PEFT divides by r or √r: a multiplier that is α itself is r times that.
  const loraAlpha = convention === "alpha" ? alpha * rank : alpha
  const lr = rateText(rate)
  const single = pythonOptimizer(optimiser, lr)
  const made =
    ratio === 1
      ? single === null
        ? [`# no ${optimiser} in torch or bitsandbytes: one of your own, lr=${lr}`]
        : ["params = [p for p in model.parameters() if p.requires_grad]", `optimizer = ${single}`]
      : [
          "from peft.optimizers import create_loraplus_optimizer",
          `optimizer = create_loraplus_optimizer(model=model, optimizer_cls=torch.optim.AdamW, lr=${lr}, loraplus_lr_ratio=${rateText(ratio)})`,
          ...(optimiser === "adam" ? [] : [`# optimizer_cls: one that computes ${optimiser}`]),
        ]
  return [
    "from peft import LoraConfig",
    `config = LoraConfig(r=${rank}, lora_alpha=${rateText(loraAlpha)}, use_rslora=${convention === "alpha/sqrt(r)" ? "True" : "False"}, init_lora_weights=${start ?? "True"})`,
    ...(start === null
      ? [`# PEFT has no option for the start of ${scheme}: set lora_A and lora_B yourself after get_peft_model`]
      : []),
    ...made,
  ].join("\n")
}
