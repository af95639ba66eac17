import { peftRank, peftScale } from "../../checkpoint/peftConfig.js"
import { groupsOf } from "../../table/groups.js"
import { type Finding, healthy, listed, names, notice, shown, sick, unknown } from "../finding.js"

export const scaling: Finding = {
  id: "scaling-mismatch",
  title: "Rank and multiplier do not fit",
  measures:
    "the multiplier s of s·BA in every module, and each module's rank against the one that the configuration names",
  threshold: {
    source: "theory",
    text: "equal: one rate serves all modules under Adam only where s·r is the same in all (alpha / r), which one alpha gives; any other multiplier or rank is told",
  },
  why: "Where the rank was changed and alpha kept, alpha / r changed with it: the same rate is then another step of s·BA, and for gradient descent another stable rate (alpha / √r keeps it).",
  settle: "the rank and alpha that were meant",
  examine: ({ modules, run }) => {
    const config = run.checkpoints.at(-1)!.config
    const other = config === null ? [] : modules.filter(({ name, rank }) => rank !== peftRank(config, name))
    if (other.length > 0) {
      const said = [...new Set(other.map(({ name }) => peftRank(config!, name)))]
      const { name, rank } = other[0]!
      return sick(
        `${other.length} of ${modules.length} modules have rank ${[...new Set(other.map(({ rank }) => rank))].join(", ")} in the file, and ${said.join(", ")} in the configuration (${listed(other)}): its loader would refuse them or scale them by ${shown(peftScale(config!, name, said[0]!).scale)}.`,
        rank,
        said[0]!,
        names(other),
      )
    }
    const known = modules.filter(({ scale }) => scale.value !== null)
    if (known.length === 0)
      return unknown("the files do not say alpha; adapter_config.json or the alpha tensors would.")
    const groups = groupsOf(
      known,
      ({ rank, scale }) =>
        `rank ${rank}, alpha ${scale.alpha === null ? "not given" : shown(scale.alpha)}, multiplier ${shown(scale.value!)}`,
    )
    const without = known.filter(({ scale }) => scale.value === 0)
    if (without.length > 0)
      return sick(
        `The multiplier is 0 in ${without.length} of ${modules.length} modules (${listed(without)}): they add nothing.`,
        0,
        0,
        names(without),
      )
    const multipliers = new Set(known.map(({ scale }) => scale.value))
    if (multipliers.size > 1) {
      const least = Math.min(...known.map(({ scale }) => scale.value!))
      const most = Math.max(...known.map(({ scale }) => scale.value!))
      return notice(
        `The multipliers differ by a factor of ${shown(most / least)}: ${[...groups].map(([group, members]) => `${group} in ${members.length} modules`).join("; ")}.`,
        most / least,
        1,
        names(known.filter(({ scale }) => scale.value !== known[0]!.scale.value)),
      )
    }
    const where =
      known.length === modules.length
        ? "in every module"
        : `in ${known.length} of ${modules.length} modules; of the others (${listed(modules.filter(({ scale }) => scale.value === null))}) the files say no alpha`
    return healthy(`${[...groups.keys()][0]} (${known[0]!.scale.source}) ${where}.`, 1, 1)
  },
}
