import { expect } from "vitest"
import type { Node } from "../../src/program/node.js"
import type { Scheme } from "../../src/scheme/scheme.js"
import { entriesOf, shapeOf } from "../../src/train/numbers.js"
import { drawn, endsOf, type RunResult, sizesOf } from "../../src/train/run.js"
import { type Bounded, evaluateBounded, gamma, given } from "./wasm/runningError.js"

/**
 * The root mean squares of a run as exact numbers with the radius within which float32 must lie; frozen n×n matrices
 * are drawn as a whole.
 *
 * @param quotient how often x / (√y + ε) is rounded.
 */
export function boundedRun(
  given_: Scheme,
  config: { readonly width: number; readonly rank: number; readonly steps: number; readonly seed: number },
  quotient: number,
) {
  const { program } = given_
  const sizes = sizesOf(given_, config)
  const as = (node: Node, data: Float64Array): [Node, Bounded] => [node, given(...shapeOf(node, sizes), data)]
  const zero = (node: Node) => as(node, new Float64Array(entriesOf(node, sizes)))
  const draw = (node: Node, deviation: Parameters<typeof drawn>[1]) =>
    as(node, drawn(node, deviation, sizes, config).data)
  const frozen = program.frozen.map(({ node, deviation }) => draw(node, deviation))
  let state = new Map<Node, Bounded>([...program.next.keys()].map(zero))
  for (const [leaf, deviation] of given_.start)
    state.set(...(deviation === "zero" ? zero(leaf) : draw(leaf, deviation)))
  return Array.from({ length: config.steps }, (_, i) => {
    const values = evaluateBounded(endsOf(program), new Map([...frozen, ...state]), sizes, i + 1, quotient)
    state = new Map([...state].map(([leaf, value]) => [leaf, values.get(program.next.get(leaf) ?? leaf) ?? value]))
    return Object.entries(program.quantities).map(([name, node]) => {
      const { value, radius } = values.get(node)!
      const rms = (x: Float64Array) => Math.sqrt(x.reduce((sum, v) => sum + v * v, 0) / x.length)
      const [size, error] = [rms(value), rms(radius)]
      return { name, size, radius: error + gamma(value.length + 6) * (size + error) }
    })
  })
}

/**
 * Expects every size of a run within its bound, and a run that ends early to end where the bounds say nothing.
 *
 * @returns how many sizes there are, and of how many the bound is within a hundredth.
 */
export function expectWithinRun(
  bounded: ReturnType<typeof boundedRun>,
  { history, outcome }: RunResult,
  title: string,
): { readonly narrow: number; readonly all: number } {
  let [narrow, all] = [0, 0]
  // At widths of two or three, a rare draw has no number: DoRA's norms, whose square is known to be positive at large n.
  if (outcome.kind === "diverged")
    expect(
      bounded[outcome.step - 1]!.some(({ radius }) => !Number.isFinite(radius)),
      `${title} ended at step ${outcome.step}`,
    ).toBe(true)
  for (const [i, { meanSquares }] of history.entries())
    for (const { name, size, radius } of bounded[i]!) {
      all++
      if (!Number.isFinite(radius)) continue
      const measured = Math.sqrt(meanSquares[name]!)
      expect(Math.abs(measured - size), `${title} ${name}@${i + 1}`).toBeLessThanOrEqual(radius)
      if (radius <= 0.01 * size) narrow++
    }
  return { narrow, all }
}
