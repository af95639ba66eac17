/** What the quantities of a program are, by their names without the site. */
const WORDS: Readonly<Record<string, string>> = {
  zA: "Z_A = A Z, the features after A",
  b: "B, its entries",
  zB: "Z_B = B Z_A, the adapter's features",
  delta1: "δ¹, the part of ΔZ_B by A's step",
  delta2: "δ², the part of ΔZ_B by B's step",
  delta3: "δ³, the part of ΔZ_B by both steps",
  delta: "ΔZ_B, the change by a step",
  f: "the adapter's change of the output",
  scores: "the change of attention's scores",
  block: "the change of the block's output",
}

/** A quantity in words; of a site, with its name. */
export function quantityWords(name: string): string {
  const [, base = name, site] = /^([A-Za-z_]+[123]?)(.*)$/.exec(name) ?? []
  const [, factor] = /^delta_(.+)$/.exec(base) ?? []
  const words = WORDS[base] ?? (factor === undefined ? base : `the part of ΔZ_B by the step of ${factor} alone`)
  return site ? `${words}, at ${site.replace(/[[\]]/g, "")}` : words
}
