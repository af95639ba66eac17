/** A planned step at one width: its tensors' places in a kernel's memory, and how it is done there. */
import { leafName, type Node } from "../../program/node.js"
import type { Coefficient } from "../../program/operation.js"
import type { Matrix } from "../matrix.js"
import { coefficientValue, entriesOf, NUMBERS, type SpaceSizes, shapeOf, sizeOf } from "../numbers.js"
import { streamState } from "../random.js"
import { untransposed } from "../schedule.js"
import { Spare } from "../spare.js"
import { vectorModule } from "../wasm/kernelModule.js"
import { GaussianVectors, gaussianBytes, type MostAsked, type VectorKernels } from "./gaussianVectors.js"
import { longOf, type Part, type Plan, readsOf, type Work } from "./plan.js"

/** Before it lie the kernel's constants. */
const START = 512
const PAGE = 2 ** 16
/** Fours of numbers are written at once, and vectors should not share a line. */
const ALIGNMENT = 64

/** A step's tensors at one width, for one seed after the other. */
export class Instance {
  private readonly plan: Plan
  private readonly sizes: SpaceSizes
  private readonly memory: Float64Array
  private readonly buffer: SharedArrayBuffer
  private readonly kernels: VectorKernels
  private readonly loops: ((...parameters: number[]) => void)[]
  private readonly at = new Map<Node, number>()
  private readonly squaresAt = new Map<Node, number>()
  private readonly numbersAt: number
  /** The numbers of each step so far, and the deviations of what is drawn: those of every seed. */
  private readonly numbers: Float64Array[] = []
  private readonly drawn = new Map<Node, number>()
  private readonly scratch: number
  private readonly matrices = new Map<Node, GaussianVectors>()
  private readonly spare = new Spare()
  /** Whether values and next values have changed places, and where they lie then. */
  private turned = false
  private readonly exchanged = new Map<Node, number>()
  private readonly parameters = [new Map<Work, readonly number[]>(), new Map<Work, readonly number[]>()] as const
  private readonly views = [new Map<Node, Float64Array>(), new Map<Node, Float64Array>()] as const

  constructor(
    plan: Plan,
    {
      leaves,
      next,
      squares,
      deviations,
      sizes,
      steps,
    }: {
      readonly leaves: Iterable<Node>
      readonly next: ReadonlyMap<Node, Node>
      readonly squares: readonly Node[]
      /** Of the matrices that are never formed. */
      readonly deviations: ReadonlyMap<Node, Coefficient>
      readonly sizes: SpaceSizes
      readonly steps: number
    },
  ) {
    this.plan = plan
    this.sizes = sizes
    let end = START
    const take = (bytes: number) => {
      const from = end
      end += Math.ceil((bytes + ALIGNMENT) / ALIGNMENT) * ALIGNMENT
      return from
    }
    const bytesOf = (node: Node) => 8 * entriesOf(node, sizes)
    for (const leaf of leaves) if (plan.slots.has(leaf)) this.at.set(leaf, take(bytesOf(leaf)))
    this.placeOthers(bytesOf, take)
    for (const [leaf, value] of next) {
      const base = baseOf(value)
      this.exchanged.set(base, this.at.get(leaf)!)
      this.exchanged.set(leaf, this.at.get(base)!)
    }
    for (const node of squares) if (longOf(node) !== null) this.squaresAt.set(baseOf(node), take(8))
    this.numbersAt = take(8 * plan.numbers.length)
    const asks = plan.work.flatMap((work) => (work.kind === "ask" ? [work] : []))
    const columnsOf = ({ of }: (typeof asks)[number]) => plan.slots.get(of)!.count
    const most = new Map<Node, MostAsked>()
    for (const ask of asks) {
      const { matrix, transposed } = ask
      const known = most.get(matrix) ?? { times: 0, transposeTimes: 0 }
      const side = transposed ? "transposeTimes" : "times"
      const length = shapeOf(matrix, sizes)[transposed ? 0 : 1]
      most.set(matrix, { ...known, [side]: Math.min(length, known[side] + steps * columnsOf(ask)) })
    }
    const bases = new Map(
      [...most].map(([matrix, own]) => [matrix, take(gaussianBytes(...shapeOf(matrix, sizes), own))]),
    )
    const largest = (numbers: Iterable<number>) => Math.max(0, ...numbers)
    const rests = take(largest([...this.at.keys()].map(bytesOf)))
    const products = [...most.values()].map(({ times, transposeTimes }) => times + transposeTimes)
    const factors = take(16 * largest(products) * largest([2, ...asks.map(columnsOf)]))
    this.scratch = rests
    const memory = roomOf(end)
    this.buffer = memory.buffer
    const instantiate = (module: WebAssembly.Module) => new WebAssembly.Instance(module, { env: { memory } }).exports
    this.kernels = instantiate(vectorModule()) as unknown as VectorKernels
    const loops = instantiate(plan.module) as Record<string, (...parameters: number[]) => void>
    this.loops = Object.keys(loops).map((_, i) => loops[i]!)
    this.memory = new Float64Array(this.buffer)
    const room = { kernels: this.kernels, memory: this.memory, rests, factors }
    for (const [matrix, own] of most) {
      const stream = `${leafName(matrix)} n=${sizes.n}`
      const deviation = coefficientValue(deviations.get(matrix)!, sizes.n, 0)
      const placed = { stream, deviation, most: own, at: bases.get(matrix)! }
      this.matrices.set(matrix, new GaussianVectors(shapeOf(matrix, sizes), placed, room))
    }
  }

  /** Gives each tensor a place, which others take when nothing reads it any more. */
  private placeOthers(bytesOf: (node: Node) => number, take: (bytes: number) => number): void {
    const { slots, lastUse, work } = this.plan
    const free = new Map<number, number[]>()
    const ending = new Map<number, Node[]>()
    for (const [node, at] of lastUse) ending.set(at, [...(ending.get(at) ?? []), node])
    const place = (node: Node) => {
      if (this.at.has(node) || !slots.has(node)) return
      const bytes = bytesOf(node)
      this.at.set(node, (lastUse.has(node) ? free.get(bytes)?.pop() : undefined) ?? take(bytes))
    }
    work.forEach((piece, at) => {
      if (piece.kind === "loop") for (const part of piece.reads) if (part.kind === "vector") place(part.of)
      if (piece.kind !== "loop") place(piece.node)
      for (const node of ending.get(at) ?? []) {
        const bytes = bytesOf(node)
        const own = this.at.get(node)
        if (own !== undefined) free.set(bytes, [...(free.get(bytes) ?? []), own])
      }
    })
  }

  /** Begins another seed's run: matrices that are never formed are drawn anew, and nothing has changed places. */
  begin(seed: number): void {
    this.turned = false
    for (const matrix of this.matrices.values()) matrix.begin(seed)
  }

  /** Draws a leaf as `drawn` does, or fills it with zeros. */
  start(leaf: Node, deviation: Coefficient | "zero", seed: number): void {
    if (!this.at.has(leaf)) return
    const { kernels, sizes, scratch } = this
    const [rows, columns] = shapeOf(leaf, sizes)
    const own = this.view(leaf)
    if (deviation === "zero") {
      own.fill(0)
      return
    }
    const state = streamState(seed, `${leafName(leaf)} n=${sizes.n}`)
    const isTurned = liesByColumns(leaf, sizes)
    const to = isTurned ? scratch : own.byteOffset
    const known = this.drawn.get(leaf) ?? coefficientValue(deviation, sizes.n, 0)
    this.drawn.set(leaf, known)
    kernels.normals(...state, to, own.length, known)
    if (isTurned) transpose(new Float64Array(this.buffer, scratch, own.length), own, rows, columns)
  }

  /** Does step t. */
  step(t: number): void {
    const { plan, sizes } = this
    this.numbers[t] ??= Float64Array.from(plan.numbers, (value) => value(sizes, t))
    this.memory.set(this.numbers[t], this.numbersAt / 8)
    for (const work of plan.work) {
      if (t > 1 && plan.once.has(work)) continue
      if (work.kind === "loop") this.loops[work.loop]!(...this.parametersOf(work))
      else if (work.kind === "whole") this.whole(work.node, t)
      else {
        const matrix = this.matrices.get(work.matrix)!
        const { count } = plan.slots.get(work.of)!
        const [x, result] = [this.view(work.of).byteOffset, this.view(work.node).byteOffset]
        if (work.transposed) matrix.transposeTimes(x, count, result)
        else matrix.times(x, count, result)
      }
    }
  }

  /** Makes the next values those of the step that follows. */
  turn(): void {
    this.turned = !this.turned
  }

  /** A tensor's numbers as they lie: row by row where both sides are short. */
  view(node: Node): Float64Array {
    const views = this.views[this.turned ? 1 : 0]
    const base = baseOf(node)
    const known = views.get(base)
    if (known !== undefined) return known
    const made = new Float64Array(this.buffer, this.place(base), entriesOf(base, this.sizes))
    views.set(base, made)
    return made
  }

  /** The mean of a tensor's squared entries: of a long one, whose squares a loop has summed. */
  meanSquare(node: Node): number {
    if (node.isZero) return 0
    const base = baseOf(node)
    const at = this.squaresAt.get(base)
    if (at !== undefined) return this.memory[at / 8]! / entriesOf(base, this.sizes)
    const own = this.view(base)
    return own.reduce((sum, x) => sum + x * x, 0) / own.length
  }

  private place(base: Node): number {
    const own = this.at.get(base)
    if (own === undefined) throw new Error(`${base.op} lies nowhere`)
    if (!this.turned) return own
    return this.exchanged.get(base) ?? own
  }

  private parametersOf(work: Work & { readonly kind: "loop" }): readonly number[] {
    const known = this.parameters[this.turned ? 1 : 0]
    const found = known.get(work)
    if (found !== undefined) return found
    const bytes = 8 * sizeOf(work.along, this.sizes)
    const of = (part: Part) =>
      part.kind === "numbers"
        ? this.numbersAt
        : part.kind === "squares"
          ? this.squaresAt.get(part.of)!
          : this.place(part.of) + (longOf(part.of) === null ? 0 : bytes * part.place)
    const made = [bytes, ...work.reads.map(of)]
    known.set(work, made)
    return made
  }

  /** An operation by the reference interpreter's numbers. */
  private whole(node: Node, t: number): void {
    const { sizes, spare } = this
    const result = this.view(node)
    const reads = readsOf(node)
    const operation = NUMBERS[node.op]
    if (operation.reads === "entries") {
      ;(operation.into as (...rest: unknown[]) => void)(
        result,
        node,
        reads.map((read) => this.view(read)),
        { sizes, t },
      )
      return
    }
    if ((node.is("rowPart") || node.is("placeRows")) && longOf(node) === node.shape[0]) {
      this.copyPart(node)
      return
    }
    // Of a transpose the numbers lie as those of its operand, its shape is its own.
    const operands = node.is("matmul") ? reads : node.operands
    const matrices = operands.map((read): Matrix => {
      const [rows, columns] = shapeOf(read, sizes)
      const data = this.view(read)
      // A norm does not ask where entries lie.
      if (!liesByColumns(read, sizes) || node.is("norm")) return { rows, columns, data }
      const byRows = spare.take(data.length)
      transpose(data, byRows, columns, rows)
      return { rows, columns, data: byRows }
    })
    const making = { sizes, t, spare, accumulate: null }
    const made = (operation.value as (...rest: unknown[]) => Matrix)(node, matrices, making)
    if (liesByColumns(node, sizes)) transpose(made.data, result, made.rows, made.columns)
    else result.set(made.data)
    spare.give(made.data)
    for (const { data } of matrices) if (data.buffer !== this.buffer) spare.give(data)
  }

  /** A part of a tensor's rows, or the tensor as a part of those of a longer one, column by column. */
  private copyPart(node: Node<"rowPart"> | Node<"placeRows">): void {
    const [of] = node.operands as [Node]
    const [result, from] = [this.view(node), this.view(of)]
    const [[rows, columns], [length]] = [shapeOf(node, this.sizes), shapeOf(of, this.sizes)]
    const isPart = node.is("rowPart")
    const first = node.attributes.index * Math.floor((isPart ? length : rows) / node.attributes.of)
    if (!isPart) result.fill(0)
    for (let j = 0; j < columns; j++)
      if (isPart) result.set(from.subarray(j * length + first, j * length + first + rows), j * rows)
      else result.set(from.subarray(j * length, (j + 1) * length), j * rows + first)
  }
}

/** Whether a tensor's columns lie one behind the other, while an array row by row would not. */
function liesByColumns(node: Node, sizes: SpaceSizes): boolean {
  const [, columns] = shapeOf(node, sizes)
  return longOf(node) !== null && longOf(node)?.name === node.shape[0].name && columns > 1
}

function transpose(from: Float64Array, to: Float64Array, rows: number, columns: number): void {
  for (let i = 0; i < rows; i++) for (let j = 0; j < columns; j++) to[j * rows + i] = from[i * columns + j]!
}

function baseOf(node: Node): Node {
  return longOf(node) === null ? node : untransposed(node)
}

let room: WebAssembly.Memory | null = null

/** The memory of this thread, as large as needed: one instance uses it at a time. */
function roomOf(bytes: number): WebAssembly.Memory {
  const pages = 2 ** Math.ceil(Math.log2(bytes / PAGE + 1))
  if (room === null || room.buffer.byteLength < pages * PAGE)
    room = new WebAssembly.Memory({ initial: pages, maximum: pages, shared: true })
  return room
}
