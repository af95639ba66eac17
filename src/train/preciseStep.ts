import type { Node } from "../program/node.js"
import type { Program } from "../program/program.js"
import { changeOf } from "../program/tensorNames.js"
import { LossScale, type ScaledGradients, scaledGradients } from "./lossScale.js"
import type { Matrix } from "./matrix.js"
import type { LeafValue, SpaceSizes } from "./numbers.js"
import { Numerics, type TensorRecord } from "./numerics.js"
import type { PrecisionConfig } from "./precisionConfig.js"
import { type EvaluateOptions, evaluate } from "./reference.js"
import type { Spare } from "./spare.js"

/** What a run in a precision records besides its history. */
export interface PrecisionRecord {
  /** By the tensor's name, in the order in which they were first computed. */
  readonly tensors: Readonly<Record<string, Readonly<TensorRecord>>>
  /** The steps that were not taken because a scaled gradient overflowed. */
  readonly skipped: readonly number[]
  /** The loss scale after the last step. */
  readonly lossScale: number
}

/** The training step of a program read in a precision: as `evaluate`, with loss scaling and a record. */
export class PreciseStep {
  private readonly program: Program
  private readonly numerics: Numerics
  private readonly lossScale: LossScale
  private readonly scaled: ScaledGradients | null
  private readonly skipped: number[] = []

  constructor(program: Program, config: PrecisionConfig, seed: number) {
    this.program = program
    this.lossScale = new LossScale(config.lossScale)
    this.scaled = config.lossScale === 1 ? null : scaledGradients(program)
    this.numerics = new Numerics(program, config, seed, this.scaled?.of ?? new Map())
  }

  /** Rounds the drawn value of a leaf in place. */
  draw(leaf: Node, value: Matrix): void {
    this.numerics.settle(leaf, value)
  }

  /** The tensor that became infinite or NaN first in the last step, other than in one that was not taken. */
  get overflowed(): string | null {
    return this.numerics.overflowed[0]?.tensor ?? null
  }

  get record(): PrecisionRecord {
    return { tensors: this.numerics.tensors, skipped: this.skipped, lossScale: this.lossScale.value }
  }

  /** The values of the nodes at step t, as {@link evaluate}. */
  evaluate(
    nodes: readonly Node[],
    leaves: ReadonlyMap<Node, LeafValue>,
    sizes: SpaceSizes,
    t: number,
    spare: Spare,
  ): Map<Node, Matrix> {
    const { numerics, lossScale, scaled } = this
    const options: EvaluateOptions = { arithmetic: numerics, spare }
    numerics.begin(t)
    if (scaled === null) return evaluate(nodes, leaves, sizes, t, options)
    const scale = { rows: 1, columns: 1, data: Float64Array.of(lossScale.value) }
    const gradients = [...scaled.of.values()]
    const backward = evaluate(
      [this.program.loss, ...gradients],
      new Map([...leaves, [scaled.scale, scale]]),
      sizes,
      t,
      options,
    )
    const { overflowed } = numerics
    const skips = lossScale.isDynamic && overflowed.length > 0 && overflowed.every(({ role }) => role === "gradients")
    if (skips) {
      this.skipped.push(t)
      numerics.begin(t)
    }
    const given = skips ? this.unchanged(leaves, spare) : this.unscaled(backward)
    lossScale.after(skips)
    return evaluate(nodes, new Map([...leaves, ...given]), sizes, t, options)
  }

  /** The next values of a step that is not taken: those before it, and no change. */
  private unchanged(leaves: ReadonlyMap<Node, LeafValue>, spare: Spare): [Node, Matrix][] {
    return [...this.program.next].flatMap(([leaf, next]): [Node, Matrix][] => {
      const value = leaves.get(leaf) as Matrix
      const change = changeOf(leaf, next)
      const none = { ...value, data: spare.take(value.data.length).fill(0) }
      return change === null
        ? [[next, value]]
        : [
            [next, value],
            [change, none],
          ]
    })
  }

  /** The program's gradients: the scaled ones divided by the scale, as part of the optimiser's arithmetic. */
  private unscaled(backward: ReadonlyMap<Node, Matrix>): [Node, Matrix][] {
    return [...this.scaled!.of].map(([own, scaled]) => {
      const value = backward.get(scaled)!
      for (let i = 0; i < value.data.length; i++) value.data[i]! /= this.lossScale.value
      this.numerics.settleUnscaled(own, value)
      return [own, value]
    })
  }
}
