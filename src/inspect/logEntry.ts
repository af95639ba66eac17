/** One logged step; null where the log does not say. */
export interface LogEntry {
  readonly step: number
  readonly loss: number | null
  readonly rate: number | null
  readonly gradientNorm: number | null
}

/** Names that one quantity has in logs, the commonest first. */
export const LOG_NAMES = {
  step: ["step", "global_step", "train/global_step", "_step", "trainer/global_step", "current_steps"],
  loss: ["loss", "train/loss", "train_loss", "training_loss", "loss/current", "loss/average"],
  rate: ["learning_rate", "lr", "train/learning_rate", "train/lr", "lr/unet", "lr-AdamW", "lr/d*lr/unet"],
  gradientNorm: ["grad_norm", "train/grad_norm", "gradient_norm"],
} as const
