/** What a measurement says of a claim. */
export type Judgement = "agrees" | "contradicts" | "inconclusive"
