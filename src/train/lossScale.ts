import { SINGLE } from "../program/dimension.js"
import { gradient } from "../program/gradient.js"
import { inOrder, Node } from "../program/node.js"
import type { Program } from "../program/program.js"
import type { PrecisionConfig } from "./precisionConfig.js"

/** The gradients of a program's loss times a scale: the same loss, read once more in reverse mode. */
export interface ScaledGradients {
  /** The leaf that holds the scale. */
  readonly scale: Node
  /** From each gradient of the program to that of the scaled loss. */
  readonly of: ReadonlyMap<Node, Node>
}

/** The scaled gradients of all factors that the loss depends on. */
export function scaledGradients(program: Program): ScaledGradients {
  const scale = Node.leaf("lossScale", "frozen", [SINGLE, SINGLE])
  const trained = new Map(
    inOrder([program.loss]).flatMap((node) =>
      node.is("leaf") && node.attributes.role === "trained" ? [[node.attributes.name, node as Node] as const] : [],
    ),
  )
  const pairs = program.gradients.flatMap((gradients, i) =>
    Object.entries(gradients).flatMap(([tensor, own]) => {
      const name = `${tensor}${program.model.sites[i]!.tag}`
      // Where the start is subtracted, what is added to it is trained.
      const leaf = trained.get(`moved ${name}`) ?? trained.get(name)
      return own === null || leaf === undefined ? [] : [{ own, leaf }]
    }),
  )
  const scaled = gradient(
    program.loss.times(scale),
    pairs.map(({ leaf }) => leaf),
  )
  return { scale, of: new Map(pairs.map(({ own }, i) => [own, scaled[i]!])) }
}

/** The loss scale through a run: constant, or halved on overflow and doubled after good steps in a row. */
export class LossScale {
  value: number
  private good = 0
  private readonly growthEvery: number

  constructor(config: PrecisionConfig["lossScale"]) {
    this.value = typeof config === "number" ? config : config.initial
    this.growthEvery = typeof config === "number" ? Number.POSITIVE_INFINITY : config.growthEvery
  }

  get isDynamic(): boolean {
    return this.growthEvery < Number.POSITIVE_INFINITY
  }

  /** After a step whose gradients overflowed, which is not taken, or one that was. */
  after(overflowed: boolean): void {
    if (!this.isDynamic) return
    this.good = overflowed ? 0 : this.good + 1
    if (overflowed) this.value /= 2
    else if (this.good % this.growthEvery === 0) this.value *= 2
  }
}
