import type { SetName } from "../messages.js"

/** What the statements say, short for a label, and in a sentence. */
export const SET_WORDS: Readonly<Record<SetName, { readonly short: string; readonly says: string }>> = {
  stable: { short: "stable", says: "Z_B, the adapter's features, stays O(1)" },
  internallyStable: { short: "internally stable", says: "Z_A, the features in between, stays O(1) too" },
  stableOutput: { short: "stable output", says: "the change of the model's output stays O(1)" },
  featureLearning: { short: "features learn", says: "a step changes Z_B by Θ(1)" },
  efficient: { short: "efficient", says: "stable, and A's and B's steps each change Z_B by Θ(1)" },
}
