/**
 * A program read in a precision: each tensor is rounded to the format of its role, and what rounding does is counted.
 */
import { InputError } from "../inputError.js"
import { inOrder, type Node } from "../program/node.js"
import type { Program } from "../program/program.js"
import { changeOf, tensorNames } from "../program/tensorNames.js"
import type { Matrix } from "./matrix.js"
import type { LeafValue } from "./numbers.js"
import { FORMATS, nearest, type PrecisionName, type Rounding, stochastic } from "./precision.js"
import type { PrecisionConfig, PrecisionRole } from "./precisionConfig.js"
import { uniforms } from "./random.js"
import type { Arithmetic } from "./reference.js"
import { readBy, untransposed } from "./schedule.js"

/** What rounding did to one tensor in a run. */
export interface TensorRecord {
  readonly format: PrecisionName
  /** How many entries were rounded, over all steps. */
  entries: number
  /** Finite before, beyond the format's largest after: infinite, NaN or saturated. */
  overflows: number
  /** Not zero before, zero after. */
  underflows: number
  /** Entries of a weight that a change other than zero left as they were. */
  lostUpdates: number
  /** The largest finite magnitude before rounding. */
  largest: number
}

/** What decides a tensor's format: its role, or for a norm that of sums. */
type FormatRole = PrecisionRole | "accumulator"

/** A tensor that became infinite or NaN. */
export interface OverflowEvent {
  readonly tensor: string
  readonly role: FormatRole
}

/** How a node is read: null leaves it in float64, uncounted (what is only watched is measured, not trained with). */
interface NodeReading {
  readonly name: string
  readonly role: FormatRole
  /** Whether it is read after the step: the numbers that the next step's forward pass meets. */
  readonly after: boolean
  /** Whether it is a weight plus its change, in which updates can be lost. */
  readonly isUpdate: boolean
}

/** The reading of a program in a precision, and its record. */
export class Numerics implements Arithmetic {
  /** What was counted, by the tensor's name. */
  readonly tensors: Record<string, TensorRecord> = {}
  private readonly config: PrecisionConfig
  private readonly seed: number
  private readonly nodes: ReadonlyMap<Node, NodeReading>
  private readonly counted = new Set<string>()
  private readonly infinite = new Set<Node>()
  private events: OverflowEvent[] = []
  private step = 0

  /**
   * @param gradients gradients of a scaled loss by the program's own, if there are any.
   * @param seed of stochastic rounding: each tensor at each step has a stream of its own.
   * @throws InputError if the configuration names a tensor that the program lacks.
   */
  constructor(program: Program, config: PrecisionConfig, seed: number, gradients: ReadonlyMap<Node, Node>) {
    this.config = config
    this.seed = seed
    this.nodes = readings(program, gradients)
    const names = new Set([...this.nodes.values()].map(({ name }) => name))
    const unknown = Object.keys(config.tensors ?? {}).find((name) => !names.has(name))
    if (unknown !== undefined)
      throw new InputError({ field: "tensor", given: unknown, allowed: [...names].join(", "), example: "zA=float16" })
  }

  /** Starts a step: t = 0 is the drawing of the leaves. */
  begin(step: number): void {
    this.step = step
    this.events = []
    this.infinite.clear()
  }

  /** The tensors that became infinite or NaN since the step began, in the order of evaluation. */
  get overflowed(): readonly OverflowEvent[] {
    return this.events
  }

  accumulator(node: Node): Rounding | null {
    const reading = this.nodes.get(node)
    if (reading === undefined || this.config.accumulator === "float64") return null
    return this.rounding(this.config.accumulator, `sums of ${reading.name} t=${this.timeOf(reading)}`)
  }

  settle(node: Node, value: Matrix, read: readonly LeafValue[] = []): void {
    const reading = this.nodes.get(node)
    if (reading === undefined) return
    const fromFinite = !readBy(node).some((operand) => this.infinite.has(untransposed(operand)))
    if (this.round(reading, value, fromFinite)) this.infinite.add(node)
    if (reading.isUpdate) this.countLost(reading.name, read as readonly Matrix[], value)
  }

  /** Rounds a gradient that was divided by the loss scale, as the optimiser meets it. */
  settleUnscaled(gradient: Node, value: Matrix): void {
    const name = `unscaled ${this.nodes.get(gradient)!.name}`
    this.round({ name, role: "state", after: false, isUpdate: false }, value, true)
  }

  /** Rounds in place and counts; whether an entry is not finite. */
  private round(reading: NodeReading, { data }: Matrix, fromFinite: boolean): boolean {
    const { name, role } = reading
    const format = FORMATS[this.config.tensors?.[name] ?? this.config[role]]
    const key = `${name} t=${this.timeOf(reading)}`
    const round = this.rounding(format.name, key)
    const saturates = this.config.overflow === "saturate"
    let [overflows, underflows, largest, isInfinite] = [0, 0, 0, false]
    for (let i = 0; i < data.length; i++) {
      const x = data[i]!
      let y = round(x)
      if (Math.abs(x) > largest && Number.isFinite(x)) largest = Math.abs(x)
      if (y === 0) {
        if (x !== 0) underflows++
      } else if (!(Math.abs(y) <= format.max)) {
        if (fromFinite) overflows++
        if (saturates && !Number.isNaN(x)) y = Math.sign(x) * format.max
        else isInfinite = true
      }
      data[i] = y
    }
    if (isInfinite && fromFinite) this.events.push({ tensor: name, role })
    if (this.counted.has(key)) return isInfinite
    this.counted.add(key)
    const record = this.recordOf(name, format.name)
    record.entries += data.length
    record.overflows += overflows
    record.underflows += underflows
    record.largest = Math.max(record.largest, largest)
    return isInfinite
  }

  private countLost(name: string, [before, change]: readonly Matrix[], after: Matrix): void {
    let lost = 0
    for (let i = 0; i < after.data.length; i++) if (after.data[i] === before!.data[i] && change!.data[i] !== 0) lost++
    this.tensors[name]!.lostUpdates += lost
  }

  /** The step whose forward pass meets the tensor: what is read after a step belongs to the next one. */
  private timeOf({ after }: NodeReading): number {
    return after ? this.step + 1 : this.step
  }

  private recordOf(name: string, format: PrecisionName): TensorRecord {
    this.tensors[name] ??= { format, entries: 0, overflows: 0, underflows: 0, lostUpdates: 0, largest: 0 }
    return this.tensors[name]
  }

  private rounding(name: PrecisionName, stream: string): Rounding {
    const format = FORMATS[name]
    if (this.config.rounding === "nearest" || name === "float64") return nearest(format)
    return stochastic(format, uniforms(this.seed, `rounding ${stream}`))
  }
}

/** The reading of every node that a training run computes, and of what is watched and is computed in the next step. */
function readings(program: Program, scaled: ReadonlyMap<Node, Node>): ReadonlyMap<Node, NodeReading> {
  const { name, isForward } = tensorNames(program, scaled)
  const result = new Map<Node, NodeReading>()
  const read = (node: Node, role: FormatRole, after = false, isUpdate = false) => {
    // A transpose holds what was rounded before.
    if (!result.has(node) && !node.is("transpose")) result.set(node, { name: name(node), role, after, isUpdate })
  }
  for (const leaf of [...program.next.keys(), ...program.starts.flatMap(({ A, B }) => [A, B])])
    read(leaf, leaf.is("leaf") && leaf.attributes.role === "state" ? "state" : "weights")
  const next = new Set(program.next.values())
  for (const [leaf, value] of program.next)
    read(value, result.get(leaf)!.role, true, result.get(leaf)!.role === "weights" && changeOf(leaf, value) !== null)
  for (const node of inOrder([program.loss])) read(node, "activations")
  const gradients = program.gradients.flatMap((tensors) => Object.values(tensors)).filter((node) => node !== null)
  for (const node of inOrder([...gradients, ...scaled.values()])) read(node, "gradients")
  for (const node of inOrder([...next])) read(node, updateRole(node))
  const afterwards = new Map<Node, boolean>()
  const factors = Object.values(program.alignments).flatMap(({ left, right }) => [left, right])
  for (const node of inOrder([...Object.values(program.quantities), ...factors])) {
    const after = next.has(node) || readBy(node).some((operand) => afterwards.get(operand) === true)
    afterwards.set(node, after)
    if (isForward(node)) read(node, "activations", after)
  }
  return result
}

/** The role of a tensor between the gradients and the next values: what is clipped is a gradient still. */
function updateRole(node: Node): FormatRole {
  if (node.is("norm")) return "accumulator"
  return node.is("clip") ? "gradients" : "state"
}
