import { groupsOf } from "../../table/groups.js"
import { type Finding, fact, median, percent, shown, unknown } from "../finding.js"
import type { MeasuredRun } from "../measureRun.js"
import { distanceFromStart, drawOf, isSaidNonzero, startOf } from "../starts.js"

/** How far both factors are from their start, in a sentence; empty where nothing says so. */
function sinceStart(measured: MeasuredRun): string {
  const said = (["a", "b"] as const).flatMap((factor) => {
    const known = measured.modules.flatMap((module) => distanceFromStart(measured, module, factor) ?? [])
    if (known.length === 0) return []
    const values = known.flatMap(({ value }) => value ?? [])
    const name = `‖${factor.toUpperCase()} − ${factor.toUpperCase()}₀‖`
    return values.length > known.length / 2
      ? [`${name} is ${shown(median(values))}`]
      : [`${name} is at most ${shown(Math.max(...known.map(({ value, atMost }) => value ?? atMost!)))}`]
  })
  return said.length === 0 ? "" : ` By the last checkpoint ${said.join(", ")} (median of the modules).`
}

export const start: Finding = {
  id: "start",
  title: "Which start this was",
  measures: "at step 0, which factor is zero; later, the size, kurtosis and singular values of each factor's entries",
  threshold: {
    source: "null distribution",
    text: "a factor is random where its root mean square lies within 10 % of a library's draw, its kurtosis within 0.6, and its singular values within 1.3 times the edges of Marchenko and Pastur; it has grown from zero where it lies below a quarter of every draw or three times outside the edges. Of 600 random factors 99 % or more are told to be random and none to have grown from zero; of 60 trained runs of each start, seen late, at most one is told wrong (test/inspect/starts.test.ts)",
  },
  why: "The start decides how large a learning rate is stable: Θ(n^-1/2) with A random and B zero, Θ(n^-1) the other way round.",
  settle: "a checkpoint saved before the first step",
  examine: (measured) => {
    const { modules, run } = measured
    const given = run.checkpoints.at(-1)!.config?.init_lora_weights
    const declared = typeof given === "string" ? ` The configuration says ${JSON.stringify(given.slice(0, 60))}.` : ""
    const starts = modules.map((module) => ({ module, ...startOf(measured, module) }))
    const groups = groupsOf(starts, ({ a, b }) => `${a} ${b}`)
    const [most, members] = [...groups].reduce((best, group) => (group[1].length > best[1].length ? group : best))
    const share = members.length / modules.length
    const { module, how } = members[0]!
    const rest =
      share === 1 ? "" : ` (${percent(share)} of the modules; ${modules.length - members.length} look otherwise)`
    const first = module.points[0]!
    const drawn = (which: string | null) => (which === null ? "" : `, drawn as ${which}`)
    const [a, b] = [drawOf(first.a, module.input, module.rank), drawOf(first.b, module.rank, module.rank)]
    const since = `${sinceStart(measured)}${declared}`
    switch (most) {
      case "random zero":
        return fact(`A random${drawn(a)}, B zero: Init[A]${rest}. Told from ${how}.${since}`, share)
      case "zero random":
        return fact(`A zero, B random${drawn(b)}: Init[B]${rest}. Told from ${how}.${since}`, share)
      case "random random":
        return fact(
          `Both factors random${drawn(a)}: Init[AB], or a start from the weights such as PiSSA${rest}. Told from ${how}.${since}`,
          share,
        )
      case "zero zero":
        return fact(`Both factors zero${rest}.${declared}`, share)
      default:
        return unknown(
          `${isSaidNonzero(measured) ? "by the configuration both factors start nonzero, and sizes alone do not tell from what" : "the factors have moved so far that neither looks like a draw or like one grown from zero"}; a checkpoint at step 0 would tell.${declared}`,
        )
    }
  },
}
