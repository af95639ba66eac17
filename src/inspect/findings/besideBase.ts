import { type Finding, healthy, median, names, notice, productNormOf, shown, sick, unknown } from "../finding.js"

/** Rounding W + s·BA to bfloat16 changes W by up to this share. */
const BFLOAT16 = 2 ** -9

export const besideBase: Finding = {
  id: "beside-base",
  title: "Size beside the base model",
  measures: "‖s·BA‖ / ‖W‖ (Frobenius) in each module, at the last checkpoint",
  threshold: {
    source: "number format",
    text: "below 2^-9, merging into bfloat16 weights rounds most of it away; from 1 on the adapter outweighs the weight that it corrects: the theory keeps it O(1), and 1 is that bound with the constant left at 1",
  },
  why: "An adapter far below rounding has hardly learned, or is lost when it is merged; one above the weight itself has usually left the region where fine-tuning is a correction.",
  settle: "the loss with the adapter merged in float32 and in bfloat16",
  examine: ({ modules, base }) => {
    if (base === null) return unknown("give the base model with --base.")
    const known = modules.flatMap((module) =>
      module.base === null || module.base === 0 || module.scale.value === null
        ? []
        : [
            {
              module,
              share: (Math.abs(module.scale.value) * productNormOf(module.points.at(-1)!.spectrum)) / module.base,
            },
          ],
    )
    const packed = modules.flatMap(({ weight }) => (weight === null || weight.isRead ? [] : [weight.type]))
    if (known.length === 0)
      return unknown(
        packed.length > 0
          ? `the weights of the base model are quantised (${[...new Set(packed)].join(", ")}), and their values are not read: give the model in bfloat16, float16 or float32.`
          : "no module has both a weight in the base model and a known multiplier.",
      )
    const of = known.length === modules.length ? "(median)" : `(median of ${known.length} of ${modules.length} modules)`
    const middle = median(known.map(({ share }) => share))
    const large = known.filter(({ share }) => share >= 1)
    if (large.length > 0)
      return sick(
        `s·BA is at least as large as W in ${large.length} of ${known.length} modules.`,
        Math.max(...large.map(({ share }) => share)),
        1,
        names(large.map(({ module }) => module)),
      )
    const small = known.filter(({ share }) => share < BFLOAT16)
    if (small.length > known.length / 2)
      return notice(
        `s·BA is ${shown(middle)} of W ${of}: most of it would be rounded away in bfloat16.`,
        middle,
        BFLOAT16,
        names(small.map(({ module }) => module)),
      )
    return healthy(`s·BA is ${shown(middle)} of W ${of}.`, middle, 1)
  },
}
