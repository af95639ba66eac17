import { type Finding, healthy, median, names, percent, productNormOf, shown, sick, unknown } from "../finding.js"

/** Storing a number in bfloat16 changes it by up to this share. */
const BFLOAT16 = 2 ** -8

/** What of BA its weaker half of directions holds, as a share of its norm. */
function weakHalf(spectrum: readonly number[]): number {
  return productNormOf(spectrum.slice(Math.ceil(spectrum.length / 2))) / productNormOf(spectrum)
}

/** How many directions hold 99 % of ‖BA‖². */
export function directionsHolding(spectrum: readonly number[], share = 0.99): number {
  const total = productNormOf(spectrum) ** 2
  let sum = 0
  let count = 0
  while (count < spectrum.length && sum < share * total) sum += spectrum[count++]! ** 2
  return count
}

export const rankUnused: Finding = {
  id: "rank-unused",
  title: "Rank unused",
  measures: "the norm of the weaker half of BA's singular values over ‖BA‖",
  threshold: {
    source: "number format",
    text: "2^-8: leaving the weaker half of the directions out changes BA by less than storing it in bfloat16 does",
  },
  why: "Half the rank would do the same: the rest costs memory, and with alpha / r it makes the multiplier smaller.",
  settle: "a run at half the rank with the same multiplier; or the loss with BA cut to its stronger half",
  examine: ({ modules }) => {
    const asked = modules
      .map((module) => ({ module, spectrum: module.points.at(-1)!.spectrum }))
      .filter(({ spectrum, module }) => module.rank > 1 && spectrum.length > 0 && spectrum[0]! > 0)
    if (asked.length === 0) return unknown("BA is zero, or its rank is 1, in every module.")
    const shares = asked.map(({ spectrum }) => weakHalf(spectrum))
    const held = `99 % of ‖BA‖² lie in ${shown(median(asked.map(({ spectrum }) => directionsHolding(spectrum))))} of ${shown(median(asked.map(({ module }) => module.rank)))} directions (median)`
    const low = asked.filter((_, i) => shares[i]! < BFLOAT16)
    if (low.length > 0)
      return sick(
        `In ${low.length} of ${modules.length} modules the weaker half of the directions holds at most ${percent(Math.max(...shares.filter((share) => share < BFLOAT16)))} of ‖BA‖; ${held}.`,
        median(shares.filter((share) => share < BFLOAT16)),
        BFLOAT16,
        names(low.map(({ module }) => module)),
      )
    return healthy(
      `The weaker half of the directions holds ${percent(median(shares))} of ‖BA‖ (median); ${held}.`,
      median(shares),
      BFLOAT16,
    )
  },
}
