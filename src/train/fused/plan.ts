/**
 * A program's step in the order in which it is computed: whatever goes entry by entry along a long space stands in one
 * loop with its neighbours, between the sums and products that need all of it.
 */
import { type Dimension, grows } from "../../program/dimension.js"
import { isNeverFormed, type Node } from "../../program/node.js"
import { type SpaceSizes, sizeOf } from "../numbers.js"
import { schedule, untransposed } from "../schedule.js"
import { written } from "./forms.js"
import { type Address, LoopCode, loopModule, type Value } from "./loopCode.js"

/**
 * Where a tensor lies: few numbers row by row, or vectors along its long side, one behind the other, whichever side that
 * is.
 */
export interface Slot {
  /** The long side; null where both are short. */
  readonly along: Dimension | null
  /** Vectors, or numbers. */
  readonly count: number
}

/** One thing that is done: a loop, a product with a matrix that is never formed, or an operation on whole arrays. */
export type Work =
  | { readonly kind: "loop"; readonly loop: number; readonly along: Dimension; readonly reads: readonly Part[] }
  | {
      readonly kind: "ask"
      readonly matrix: Node
      readonly transposed: boolean
      readonly of: Node
      readonly node: Node
    }
  | { readonly kind: "whole"; readonly node: Node }

type Barrier = Exclude<Work, { readonly kind: "loop" }>

/** A parameter of a loop: a tensor's vector, a tensor of few numbers, the squares of a tensor, or the run's numbers. */
export type Part =
  | { readonly kind: "vector"; readonly of: Node; readonly place: number }
  | { readonly kind: "squares"; readonly of: Node }
  | { readonly kind: "numbers" }

/** A step of a program, written for all widths. */
export interface Plan {
  readonly work: readonly Work[]
  /** Where each tensor lies; of transposes their operand. A tensor that only its own loop reads lies nowhere. */
  readonly slots: ReadonlyMap<Node, Slot>
  /** Of each slot the last piece of work that reads it; those that the step ends with are not here. */
  readonly lastUse: ReadonlyMap<Node, number>
  /** Work whose results are those of the first step at every one: what only frozen tensors decide. */
  readonly once: ReadonlySet<Work>
  /** The numbers that a run and its step decide, in their order. */
  readonly numbers: readonly ((sizes: SpaceSizes, t: number) => number)[]
  /** The loops, a function each; null where there are none. */
  readonly module: WebAssembly.Module
}

/** What a step starts from and ends with. */
export interface PlanRequest {
  readonly leaves: ReadonlySet<Node>
  /** Those of the leaves that the steps change. */
  readonly moving: ReadonlySet<Node>
  /** Tensors that are kept: next values, loss and residual. */
  readonly kept: readonly Node[]
  /** Tensors of which the sum of squared entries is kept. */
  readonly squares: readonly Node[]
}

/** More vectors in one loop would be more code than they save time. */
const MOST_VECTORS = 600

/**
 * Plans a step at the sizes of some width: those of spaces that grow do not matter.
 *
 * @returns null for a program with a tensor that is long on both sides, other than a matrix that is never formed.
 */
export function planOf({ leaves, moving, kept, squares }: PlanRequest, sizes: SpaceSizes): Plan | null {
  const order = schedule([...kept, ...squares], leaves)
    .map(({ node }) => node)
    .filter((node) => !node.is("transpose") || longOf(node) === null)
  const tensors = [...leaves, ...order]
  if (tensors.some((node) => node.shape.every(grows) && !isNeverFormed(node))) return null
  const slots = new Map<Node, Slot>()
  const sized = (of: Node): readonly [number, number] =>
    [of.shape[0], of.shape[1]].map((space) => (grows(space) ? 0 : sizeOf(space, sizes))) as [number, number]
  for (const node of tensors)
    if (!isNeverFormed(node)) {
      const [rows, columns] = sized(node)
      slots.set(node, { along: longOf(node), count: longOf(node) === null ? rows * columns : Math.max(rows, columns) })
    }

  // The round in which each is computed: barriers of a round come before its loops.
  const round = new Map<Node, number>()
  const looped = new Map<Node, Dimension>()
  const base = (node: Node) => (longOf(node) === null ? node : untransposed(node))
  const readyAt = (node: Node) => (round.get(node) ?? 0) + (looped.has(node) ? 1 : 0)
  const asked = new Map<Node, number>()
  const barriers: { round: number; work: Barrier }[] = []
  const loops = new Map<string, { round: number; along: Dimension; nodes: Node[]; squares: Node[] }>()
  const loopAt = (at: number, along: Dimension) => {
    const key = `${at} ${along.name}`
    const found = loops.get(key) ?? { round: at, along, nodes: [], squares: [] }
    loops.set(key, found)
    return found
  }
  for (const node of order) {
    const along = loopOf(node, sized)
    if (along !== null) {
      const at = Math.max(
        0,
        ...readsOf(node).map((own) => {
          const isBeside = looped.get(own)?.name === along.name && longOf(own) !== null
          return isBeside ? round.get(own)! : readyAt(own)
        }),
      )
      round.set(node, at)
      looped.set(node, along)
      loopAt(at, along).nodes.push(node)
      continue
    }
    const matrix = node.is("matmul") ? untransposed(node.operands[0]!) : null
    if (matrix !== null && isNeverFormed(matrix)) {
      const of = base(node.operands[1]!)
      const at = Math.max(readyAt(of), asked.get(matrix) ?? 0)
      asked.set(matrix, at)
      round.set(node, at)
      barriers.push({
        round: at,
        work: { kind: "ask", matrix, transposed: matrix !== node.operands[0], of, node },
      })
      continue
    }
    const at = Math.max(0, ...readsOf(node).map(readyAt))
    round.set(node, at)
    barriers.push({ round: at, work: { kind: "whole", node } })
  }
  for (const node of new Set(squares.map(base)))
    if (longOf(node) !== null) {
      const at = looped.has(node) ? round.get(node)! : readyAt(node)
      loopAt(at, longOf(node)!).squares.push(node)
    }

  const inLoops = [...loops.values()]
  const rounds = Math.max(0, ...barriers.map(({ round }) => round), ...inLoops.map(({ round }) => round))
  const placed: ({ kind: "barrier"; work: Barrier } | { kind: "loop"; of: (typeof inLoops)[number] })[] = []
  for (let at = 0; at <= rounds; at++) {
    for (const { round, work } of barriers) if (round === at) placed.push({ kind: "barrier", work })
    for (const of of inLoops) if (of.round === at) placed.push({ kind: "loop", of })
  }

  // What each tensor is read by, to tell which leave their loop, and when their place is free again.
  const keptBases = new Set([...kept, ...squares.filter((node) => longOf(node) === null)].map(base))
  const readers = new Map<Node, Set<number>>()
  const reads = (node: Node, at: number) => readers.set(node, (readers.get(node) ?? new Set<number>()).add(at))
  placed.forEach((piece, at) => {
    if (piece.kind === "barrier") for (const read of readsOf(piece.work.node)) reads(read, at)
    else {
      for (const node of piece.of.nodes) for (const read of readsOf(node)) reads(read, at)
      for (const node of piece.of.squares) reads(node, at)
    }
  })
  const madeAt = new Map<Node, number>()
  placed.forEach((piece, at) => {
    for (const node of piece.kind === "barrier" ? [piece.work.node] : piece.of.nodes) madeAt.set(node, at)
  })
  const leavesItsLoop = (node: Node) =>
    keptBases.has(node) || [...(readers.get(node) ?? [])].some((at) => at !== madeAt.get(node))

  const numbers: Plan["numbers"][number][] = []
  const codes: LoopCode[] = []
  const work = placed.map((piece): Work | null => {
    if (piece.kind === "barrier") return piece.work
    const made = writeLoop(piece.of, { slots, base, leavesItsLoop, sized, numbers })
    if (made === null) return null
    codes.push(made.code)
    return { kind: "loop", loop: codes.length - 1, along: piece.of.along, reads: made.reads }
  })
  if (work.some((piece) => piece === null)) return null
  for (const node of looped.keys()) if (longOf(node) !== null && !leavesItsLoop(node)) slots.delete(node)
  const lasting = lastingOf(order, moving)
  const once = new Set((work as Work[]).filter((piece) => piece.kind !== "loop" && lasting.has(piece.node)))
  const lastUse = new Map<Node, number>()
  const isKept = (node: Node) => keptBases.has(node) || leaves.has(node) || (lasting.has(node) && !looped.has(node))
  for (const node of slots.keys())
    if (!isKept(node)) lastUse.set(node, Math.max(madeAt.get(node) ?? 0, ...(readers.get(node) ?? [])))
  return { work: work as Work[], slots, lastUse, once, numbers, module: new WebAssembly.Module(loopModule(codes)) }
}

/** The tensors that no step changes. */
function lastingOf(order: readonly Node[], moving: ReadonlySet<Node>): ReadonlySet<Node> {
  const changing = new Set<Node>(moving)
  for (const node of order) {
    const { by } = node.attributes as { readonly by?: { readonly biasCorrection?: number } | string }
    const isTimed = typeof by === "object" && by.biasCorrection !== undefined
    if (isTimed || readsOf(node).some((read) => changing.has(read))) changing.add(node)
  }
  return new Set(order.filter((node) => !changing.has(node)))
}

/** The long side of a tensor; null where it has none. */
export function longOf({ shape }: Node): Dimension | null {
  return shape.find(grows) ?? null
}

/** What an operation on whole arrays reads: a product's factors as they lie. */
export function readsOf(node: Node): readonly Node[] {
  return node.operands.map((operand) =>
    node.is("matmul") || longOf(operand) !== null ? untransposed(operand) : operand,
  )
}

type Sized = (of: Node) => readonly [number, number]

/** The space that an operation loops along; null where it is computed otherwise. */
function loopOf(node: Node, sizes: Sized): Dimension | null {
  const along = [node, ...node.operands].map(longOf).find((space) => space !== null) ?? null
  if (along === null || node.operands.some((operand) => isNeverFormed(untransposed(operand)))) return null
  // Asked of a loop that is thrown away.
  const code = new LoopCode()
  const value = () => code.constant(0)
  const long = (operand: number) => {
    const of = node.operands[operand]!
    return longOf(of) === null ? [] : new Array<Value>(Math.max(...sizes(of))).fill(value())
  }
  return written(node, { code, long, few: value, number: value, sizes }) === null ? null : along
}

interface LoopContext {
  readonly slots: ReadonlyMap<Node, Slot>
  readonly base: (node: Node) => Node
  readonly leavesItsLoop: (node: Node) => boolean
  readonly sized: Sized
  /** To which further ones are added. */
  readonly numbers: Plan["numbers"][number][]
}

/** The code of a loop and its parameters; null where it would have too many. */
function writeLoop(
  { nodes, squares }: { readonly nodes: readonly Node[]; readonly squares: readonly Node[] },
  { slots, base, leavesItsLoop, sized, numbers }: LoopContext,
): { readonly code: LoopCode; readonly reads: readonly Part[] } | null {
  const code = new LoopCode()
  const reads: Part[] = []
  const known = new Map<string, Address>()
  const ids = new Map<Node, number>()
  const address = (part: Part): Address => {
    const id = part.kind === "numbers" ? 0 : (ids.get(part.of) ?? ids.size)
    if (part.kind !== "numbers") ids.set(part.of, id)
    const key = part.kind === "numbers" ? "numbers" : `${part.kind} ${id} ${part.kind === "vector" ? part.place : ""}`
    const found = known.get(key)
    if (found !== undefined) return found
    const made = code.address()
    reads.push(part)
    known.set(key, made)
    return made
  }
  const values = new Map<Node, readonly Value[]>()
  const entriesOf = (node: Node): readonly Value[] => {
    const own = values.get(node)
    if (own !== undefined) return own
    const loaded = Array.from({ length: slots.get(node)!.count }, (_, place) =>
      code.load(address({ kind: "vector", of: node, place })),
    )
    values.set(node, loaded)
    return loaded
  }
  const splats = new Map<Address, Map<number, Value>>()
  const splat = (part: Part, place: number): Value => {
    const at = address(part)
    const own = splats.get(at) ?? new Map<number, Value>()
    const value = own.get(place) ?? code.number(at, place)
    splats.set(at, own.set(place, value))
    return value
  }
  for (const node of nodes) {
    const made = written(node, {
      code,
      long: (operand) => entriesOf(base(node.operands[operand]!)),
      few: (operand, row, column) => {
        const of = readsOf(node)[operand]!
        const [i, j] = of === node.operands[operand] ? [row, column] : [column, row]
        return splat({ kind: "vector", of, place: 0 }, i * sized(of)[1] + j)
      },
      number: (value) => splat({ kind: "numbers" }, numbers.push(value) - 1),
      sizes: sized,
    })!
    if (made.kind === "sums") {
      const to = address({ kind: "vector", of: node, place: 0 })
      made.terms.forEach((terms, place) => {
        code.sum(terms, to, place)
      })
    } else {
      values.set(node, made.values)
      if (leavesItsLoop(node))
        made.values.forEach((value, place) => {
          code.store(address({ kind: "vector", of: node, place }), value)
        })
    }
  }
  for (const node of squares) {
    const terms = entriesOf(node).map((value) => code.apply("mul", value, value))
    code.sum(terms, address({ kind: "squares", of: node }), 0)
  }
  return reads.length > MOST_VECTORS ? null : { code, reads }
}
