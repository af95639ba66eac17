import { Affine } from "../../exponent/affine.js"
import type { Changed } from "../changed.js"
import { Node } from "../node.js"
import type { Attributes } from "../operation.js"
import type { Row } from "./row.js"

/** The change of f by a change of its argument, as an operation of both. */
const changed = <O extends "inverseRootChange" | "softmaxChange" | "logSumExpChange">(
  op: O,
  { before, change }: Changed,
  attributes: Attributes[O],
) => Node.of<O>(op, [change, before], attributes)

/** −½ y³ times an adjoint, for y = 1 / √(x + ε). */
const inverseRootSlope = (y: Node, adjoint: Node) =>
  adjoint.multiply(y).multiply(y).multiply(y).scale({ constant: -0.5, power: Affine.ZERO })

export const inverseRoot: Row<"inverseRoot"> = {
  gradient: (node, adjoint) => [inverseRootSlope(node, adjoint)],
  change: ({ attributes }, [x]) => ({
    after: x!.after.inverseRoot(attributes.epsilon),
    change: changed("inverseRootChange", x!, attributes),
  }),
}

/** What it was before is no argument of a loss: only the change is. So for all changes here. */
export const inverseRootChange: Row<"inverseRootChange"> = {
  gradient: ({ operands: [x, at], attributes: { epsilon } }, adjoint) => [
    inverseRootSlope(at!.plus(x!).inverseRoot(epsilon), adjoint),
    null,
  ],
  // f(a + x) − f(a), of which the second term stays where a does.
  change: ({ attributes }, [x, at]) => {
    const sum = {
      before: at!.before.plus(x!.before),
      after: at!.after.plus(x!.after),
      change: at!.change.plus(x!.change),
    }
    const [first, second] = [sum, at!].map((each) => changed("inverseRootChange", each, attributes))
    return {
      after: Node.of("inverseRootChange", [x!.after, at!.after], attributes),
      change: first!.plus(second!.scale({ constant: -1, power: Affine.ZERO })),
    }
  },
}

export const softmax: Row<"softmax"> = {
  gradient: ({ operands: [x], attributes }, adjoint) => [Node.of("softmaxSlope", [adjoint, x!], attributes)],
  change: ({ attributes }, [x]) => ({
    after: x!.after.softmax(attributes),
    change: changed("softmaxChange", x!, attributes),
  }),
}

/** Linear in its first argument, and only a gradient has it. */
export const softmaxSlope: Row<"softmaxSlope"> = { gradient: null, change: null }

export const softmaxChange: Row<"softmaxChange"> = {
  gradient: ({ operands: [x, at], attributes }, adjoint) => [
    Node.of("softmaxSlope", [adjoint, at!.plus(x!)], attributes),
    null,
  ],
  change: null,
}

export const logSumExp: Row<"logSumExp"> = {
  gradient: ({ operands: [x] }, adjoint) => [x!.softmax({ causal: false }).scaleColumns(adjoint)],
  change: (_, [x]) => ({ after: x!.after.logSumExp(), change: changed("logSumExpChange", x!, {}) }),
}

export const logSumExpChange: Row<"logSumExpChange"> = {
  gradient: ({ operands: [x, at] }, adjoint) => [at!.plus(x!).softmax({ causal: false }).scaleColumns(adjoint), null],
  change: null,
}
