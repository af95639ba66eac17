import type { Node } from "../program/node.js"
import type { Scheme } from "../scheme/scheme.js"
import { endsOf, type RunConfig, sizesOf } from "./run.js"
import { peakEntries, schedule } from "./schedule.js"

/**
 * The bytes of numbers that a run holds at once: its leaves, and the most that a step adds to them, by following the
 * order of evaluation without numbers. Frozen n×n matrices are never formed and not counted.
 */
export function bytesOfRun(scheme: Scheme, config: RunConfig): number {
  const { program } = scheme
  const sizes = sizesOf(scheme, config)
  const frozen = program.layer.frozen.map(({ node }) => node).filter(({ shape }) => shape.join() !== "n,n")
  const leaves = new Set<Node>([...frozen, ...program.next.keys(), ...scheme.start.keys()])
  const entries = [...leaves].reduce((sum, { shape }) => sum + sizes[shape[0]] * sizes[shape[1]], 0)
  const given = new Set([...leaves, ...program.layer.frozen.map(({ node }) => node)])
  return 8 * (entries + peakEntries(schedule(endsOf(program), given), sizes))
}
