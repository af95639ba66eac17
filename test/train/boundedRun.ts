import type { Node } from "../../src/program/node.js"
import type { Scheme } from "../../src/scheme/scheme.js"
import { entriesOf, shapeOf } from "../../src/train/numbers.js"
import { drawn, endsOf, sizesOf } from "../../src/train/run.js"
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
