import { type Finding, healthy, listed, names, notice, percent, sick, unknown } from "../finding.js"

export const neverTrained: Finding = {
  id: "never-trained",
  title: "Never trained",
  measures:
    "modules whose A or B is exactly zero at the last checkpoint, or the same to the bit at the first and the last",
  threshold: { source: "number format", text: "exactly zero, or exactly unchanged: no tolerance" },
  why: "With B (or A) zero the product is zero: the adapter does nothing. Both zero can never move, for each factor's gradient is a product with the other.",
  settle: "whether the adapter's parameters were given to the optimiser; a checkpoint after a few steps",
  examine: ({ modules, run }) => {
    const last = modules.map((module) => ({ ...module, end: module.points.at(-1)! }))
    const zero = last.filter(({ end }) => end.a.norm === 0 || end.b.norm === 0)
    if (run.checkpoints.length === 1 && run.checkpoints[0]!.step === 0)
      return unknown("the only checkpoint is the one at step 0; a later one would tell.")
    if (zero.length > 0) {
      const which = (["a", "b"] as const).filter((factor) => zero.some(({ end }) => end[factor].norm === 0))
      const said = which.map((factor) => factor.toUpperCase()).join(" and ")
      const never = which.length === 2 && zero.some(({ end }) => end.a.norm === 0 && end.b.norm === 0)
      return sick(
        `${said} ${which.length === 2 ? "are" : "is"} exactly zero in ${zero.length} of ${modules.length} modules (${listed(zero)})${never ? "; where both are, they can never move" : ""}.`,
        zero.length / modules.length,
        0,
        names(zero),
      )
    }
    const whole = last.filter(({ whole }) => whole !== null)
    if (whole.length === 0)
      return healthy(
        "Both factors are nonzero in every module. That each has moved since the start, one checkpoint cannot tell.",
        0,
        0,
      )
    const both = whole.filter(({ whole }) => whole!.a.unchanged === 1 && whole!.b.unchanged === 1)
    if (both.length > 0)
      return sick(
        `Nothing changed, to the bit, from ${run.checkpoints[0]!.label} to ${run.checkpoints.at(-1)!.label} in ${both.length} of ${modules.length} modules (${listed(both)}).`,
        both.length / modules.length,
        0,
        names(both),
      )
    for (const factor of ["a", "b"] as const) {
      const still = whole.filter((module) => module.whole![factor].unchanged === 1)
      if (still.length > 0)
        return notice(
          `${factor.toUpperCase()} is the same to the bit from ${run.checkpoints[0]!.label} to ${run.checkpoints.at(-1)!.label} in ${percent(still.length / modules.length)} of the modules: frozen on purpose (as LoRA-FA freezes A), or every update lost to rounding.`,
          still.length / modules.length,
          0,
          names(still),
        )
    }
    return healthy("Both factors are nonzero and have moved in every module.", 0, 0)
  },
}
