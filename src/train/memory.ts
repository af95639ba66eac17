import { isNeverFormed, type Node } from "../program/node.js"
import type { Scheme } from "../scheme/scheme.js"
import { entriesOf, readsWhole, type SpaceSizes } from "./numbers.js"
import { endsOf, type RunConfig, sizesOf } from "./run.js"
import { type ScheduledNode, schedule } from "./schedule.js"

/**
 * The bytes of numbers that a run holds at once: its leaves, and the most that a step adds to them, by following the
 * order of evaluation without numbers. Frozen matrices that are never formed are not counted.
 */
export function bytesOfRun(scheme: Scheme, config: RunConfig): number {
  const { program } = scheme
  const sizes = sizesOf(scheme, config)
  const frozen = program.frozen.map(({ node }) => node)
  const leaves = new Set<Node>([
    ...frozen.filter((node) => !isNeverFormed(node)),
    ...program.next.keys(),
    ...scheme.start.keys(),
  ])
  const entries = [...leaves].reduce((sum, node) => sum + entriesOf(node, sizes), 0)
  const given = new Set([...leaves, ...frozen])
  return 8 * (entries + peakEntries(schedule(endsOf(program), given), sizes))
}

/** The most entries that are held at once while the schedule is followed in float64, the given nodes' left out. */
export function peakEntries(steps: readonly ScheduledNode[], sizes: SpaceSizes): number {
  const entries = (nodes: readonly Node[]) => nodes.reduce((sum, node) => sum + entriesOf(node, sizes), 0)
  let [held, peak] = [0, 0]
  for (const { node, dying } of steps) {
    const after = held + entries([node]) - entries(dying)
    peak = Math.max(peak, readsWhole(node) ? held + entries([node]) : after)
    held = after
  }
  return peak
}
