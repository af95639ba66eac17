/**
 * WGSL kernels written from a program: any tensor program without frozen n×n matrices, orthogonalisation and clipped
 * gradients.
 *
 * Every run of a batch has its tensors side by side in one array. Nodes are put on levels, each after what it reads:
 * the nodes of one level and shape are one kernel, a thread an entry, and pass their values on in registers; a sum over
 * the width is a kernel of its own, a workgroup an entry. Sizes, places and coefficients come as uniforms, so that the
 * text depends on the program alone and not on the width or the rates.
 */
import { type Dimension, grows, shapeText } from "../../program/dimension.js"
import { isNeverFormed, type Node } from "../../program/node.js"
import type { Op } from "../../program/operation.js"
import { entriesOf, type SpaceSizes } from "../numbers.js"
import { readBy, schedule, untransposed } from "../schedule.js"
import { FUNCTIONS, isWithoutKernel, type KernelText, WGSL } from "./programOperations.js"

/** What a kernel of a step is dispatched over. */
export interface ProgramKernel {
  readonly label: string
  readonly code: string
  /** Entries with a thread each, or tensors' entries with a workgroup each. */
  readonly over: "entries" | "workgroups"
  readonly count: (sizes: SpaceSizes) => number
}

/** A number that is read back after each step: a sum of squares of a tensor, or one of its entries. */
export interface RecordItem {
  readonly node: Node
  readonly kind: "squares" | "entry"
  readonly entry: number
}

/** A program written for the device. */
export interface ProgramCode {
  readonly kernels: readonly ProgramKernel[]
  /** The tensors that have a place, in the order of their places. */
  readonly placed: readonly Node[]
  readonly items: readonly RecordItem[]
  /** The uniform of step t: counts, sizes, places, coefficients. */
  uniform(sizes: SpaceSizes, runs: number, t: number): ArrayBuffer
  /** Numbers that a run's tensors take. */
  stride(sizes: SpaceSizes): number
  /** Where a tensor begins within its run's. */
  placeOf(node: Node, sizes: SpaceSizes): number
}

/** Threads of a workgroup. */
const THREADS = 64

/** Workgroups over entries, at most: beyond, a thread has several entries. */
const MOST_WORKGROUPS = 1024

/** The name of the first operation that has no kernel, or null. */
export function unsupported(roots: readonly Node[], leaves: { has(node: Node): boolean }): string | null {
  for (const { node } of schedule(roots, leaves)) {
    const lines = WGSL[node.op]
    if (typeof lines === "string") return lines
    if (node.is("activate") && isWithoutKernel(node.attributes.by)) return node.attributes.by
    if (readBy(node).some(isNeverFormed)) return "a frozen n×n matrix (networks of adapted layers)"
  }
  return null
}

/**
 * Writes the kernels of a step: evaluates the roots, records the items, then moves the leaves on.
 *
 * @param next the next value of each leaf that moves.
 * @param leaves all leaves.
 */
export function programCode(
  roots: readonly Node[],
  next: ReadonlyMap<Node, Node>,
  leaves: ReadonlySet<Node>,
  items: readonly RecordItem[],
): ProgramCode {
  const order = schedule(roots, leaves).map(({ node }) => node)
  const { groups, sums } = levels(order, leaves)
  const groupOf = new Map<Node, number>()
  groups.forEach(({ nodes }, g) => {
    for (const node of nodes) groupOf.set(node, g)
  })
  const stored = new Set<Node>([...leaves, ...roots, ...sums.map(({ node }) => node)])
  for (const node of order)
    for (const read of readBy(node))
      if (isWhole(node) || groupOf.get(read) !== groupOf.get(node) || groupOf.get(node) === undefined) stored.add(read)
  const placed = [...stored]
  const writer = new Writer(placed, groupOf, order)
  const steps = [
    ...groups.map(({ level, nodes }) => ({ level, kernel: writer.entries(nodes, stored) })),
    ...sums.map(({ level, node }) => ({ level, kernel: writer.sum(node) })),
  ].sort((x, y) => x.level - y.level)
  const unfinished = [...steps.map(({ kernel }) => kernel), writer.record(items), ...writer.moves(next)]
  const kernels = unfinished.map(({ body, ...kernel }) => ({ ...kernel, code: writer.text(body) }))
  return { kernels, placed, items, ...writer.layout() }
}

/** Products and transposes read tensors as wholes, others entry by entry. */
function isWhole(node: Node): boolean {
  return node.is("matmul") || node.is("transpose")
}

function isSum(node: Node): boolean {
  return node.is("matmul") && isWide(node.operands[0]!.shape[1])
}

/** A width is summed by a workgroup; a rank, whatever it grows with, by a thread. */
function isWide(space: Dimension): boolean {
  return grows(space) && space.name !== "r"
}

/** Nodes by level and shape, and the sums over a width; what a node reads as a whole lies on a lower level. */
function levels(order: readonly Node[], leaves: ReadonlySet<Node>) {
  const level = new Map<Node, number>()
  const groups = new Map<string, { level: number; nodes: Node[] }>()
  const sums: { level: number; node: Node }[] = []
  for (const node of order) {
    const own = Math.max(
      1,
      ...readBy(node).map((read) => (leaves.has(read) ? 1 : level.get(read)! + (isWhole(node) || isSum(read) ? 1 : 0))),
    )
    level.set(node, own)
    if (isSum(node)) sums.push({ level: own, node })
    else {
      const key = `${own} ${shapeText(node.shape)}`
      const group = groups.get(key)
      if (group === undefined) groups.set(key, { level: own, nodes: [node] })
      else group.nodes.push(node)
    }
  }
  return { groups: [...groups.values()], sums }
}

/** A kernel before its text is put together. */
type Unfinished = Omit<ProgramKernel, "code"> & { readonly body: string }

/** Writes WGSL over a table of places and one of coefficients, which fill as it writes. */
class Writer {
  private readonly places: ReadonlyMap<Node, number>
  private readonly groupOf: ReadonlyMap<Node, number>
  private readonly spaces: readonly string[]
  private readonly coefficients: ((sizes: SpaceSizes, t: number) => number)[] = []

  /** @param order all nodes that are computed or read. */
  constructor(placed: readonly Node[], groupOf: ReadonlyMap<Node, number>, order: readonly Node[]) {
    this.places = new Map(placed.map((node, i) => [node, i]))
    this.groupOf = groupOf
    this.spaces = [...new Set([...placed, ...order].flatMap(({ shape }) => shape.map(({ name }) => name)))]
  }

  /** One kernel for nodes of one shape: a thread computes all of them for its entry. */
  entries(nodes: readonly Node[], stored: ReadonlySet<Node>): Unfinished {
    const [node] = nodes as [Node, ...Node[]]
    const names = new Map(nodes.map((each, i) => [each, `v${i}`]))
    const lines = nodes.flatMap((each) => {
      const name = names.get(each)!
      return [
        ...this.value(each, name, (read) =>
          this.groupOf.get(read) === this.groupOf.get(each) && names.has(read)
            ? names.get(read)!
            : this.load(read, "e"),
        ),
        ...(stored.has(each) ? [`m[${this.at(each)} + e] = ${name};`] : []),
      ]
    })
    const body = `let rows = ${this.size(node.shape[0])}; let columns = ${this.size(node.shape[1])};
  for (var e = wg.x * THREADS + t; e < rows * columns; e += groups.x * THREADS) {
    let i = e / columns; let j = e % columns;
    ${lines.join("\n    ")}
  }`
    return { label: `entries ${shapeText(node.shape)}`, body, over: "entries", count: countOf(node) }
  }

  /** A product whose inner index is a width: a workgroup for each entry. */
  sum(node: Node): Unfinished {
    const [left, right] = node.operands as [Node, Node]
    const body = `let columns = ${this.size(node.shape[1])};
  let e = wg.x; let i = e / columns; let j = e % columns;
  var sum = 0.0;
  for (var k = t; k < ${this.size(left.shape[1])}; k += THREADS) {
    sum += ${this.factor(left, "i", "k")} * ${this.factor(right, "k", "j")};
  }
  let total = reduced(vec2f(sum, 0), t);
  if (t == 0u) { m[${this.at(node)} + e] = total.x; }`
    return { label: `sum ${shapeText(node.shape)}`, body, over: "workgroups", count: countOf(node) }
  }

  /** The largest size and the sum of squares in units of it, which cannot overflow; or one entry. */
  record(items: readonly RecordItem[]): Unfinished {
    const table = items.map(({ node, kind, entry }) => {
      const count = node.shape.map((space) => this.indexOf(space))
      return `vec4u(${this.firstPlace + this.places.get(node)!}u, ${count.map((at) => `${at}u`).join(", ")}, ${kind === "squares" ? SQUARES : entry}u)`
    })
    const body = `var table = array<vec4u, ${items.length}>(${table.join(", ")});
  let item = table[wg.x];
  let place = base + at(item.x);
  if (item.w != ${SQUARES}u) {
    if (t == 0u) { record[wg.x * at(0u) + wg.y] = vec2f(m[place + item.w], 0); }
  } else {
    let count = at(item.y) * at(item.z);
    var most = 0.0;
    for (var e = t; e < count; e += THREADS) { most = max(most, abs(m[place + e])); }
    most = largest(most, t);
    let unit = select(1.0, most, most > 0.0);
    var sum = 0.0;
    for (var e = t; e < count; e += THREADS) { let x = m[place + e] / unit; sum += x * x; }
    let total = reduced(vec2f(sum, 0), t);
    if (t == 0u) { record[wg.x * at(0u) + wg.y] = vec2f(most, total.x); }
  }`
    return { label: "record", body, over: "workgroups", count: () => items.length }
  }

  /** Moves the leaves on, those of one shape together. */
  moves(next: ReadonlyMap<Node, Node>): Unfinished[] {
    const shapes = new Map<string, [Node, Node][]>()
    for (const pair of next) {
      const key = shapeText(pair[0].shape)
      shapes.set(key, [...(shapes.get(key) ?? []), pair])
    }
    return [...shapes.values()].map((pairs): Unfinished => {
      const [[first]] = pairs as [[Node, Node]]
      const body = `let count = ${this.size(first.shape[0])} * ${this.size(first.shape[1])};
  for (var e = wg.x * THREADS + t; e < count; e += groups.x * THREADS) {
    ${pairs.map(([leaf, value]) => `m[${this.at(leaf)} + e] = m[${this.at(value)} + e];`).join("\n    ")}
  }`
      return { label: `move ${shapeText(first.shape)}`, body, over: "entries", count: countOf(first) }
    })
  }

  layout(): Pick<ProgramCode, "uniform" | "stride" | "placeOf"> {
    const nodes = [...this.places.keys()]
    const places = (sizes: SpaceSizes) => {
      let end = 0
      return nodes.map((node) => {
        const place = end
        end += countOf(node)(sizes)
        return place
      })
    }
    const stride = (sizes: SpaceSizes) => nodes.reduce((sum, node) => sum + countOf(node)(sizes), 0)
    const [integers, numbers] = [
      4 * Math.ceil((this.firstPlace + nodes.length) / 4),
      4 * Math.ceil(this.coefficients.length / 4),
    ]
    return {
      stride,
      placeOf: (node, sizes) => places(sizes)[this.places.get(node)!]!,
      uniform: (sizes, runs, t) => {
        const bytes = new ArrayBuffer(4 * (integers + Math.max(4, numbers)))
        const counts = this.spaces.map((name) => sizes[name]!)
        new Uint32Array(bytes, 0, integers).set([runs, stride(sizes), ...counts, ...places(sizes)])
        new Float32Array(bytes, 4 * integers).set(this.coefficients.map((value) => value(sizes, t)))
        return bytes
      },
    }
  }

  /** The whole text of a kernel: only when all are written is it known how many coefficients there are. */
  text(body: string): string {
    return `const THREADS = ${THREADS}u;
struct Step {
  integers: array<vec4u, ${Math.ceil((this.firstPlace + this.places.size) / 4)}>, // runs, numbers a run, sizes, places
  coefficients: array<vec4f, ${Math.max(1, Math.ceil(this.coefficients.length / 4))}>,
}
@group(0) @binding(0) var<uniform> step: Step;
@group(0) @binding(1) var<storage, read_write> m: array<f32>;
@group(0) @binding(2) var<storage, read_write> record: array<vec2f>;
fn at(index: u32) -> u32 { return step.integers[index / 4u][index % 4u]; }
var<workgroup> sums: array<vec2f, THREADS>;
fn reduced(own: vec2f, t: u32) -> vec2f {
  workgroupBarrier();
  sums[t] = own;
  workgroupBarrier();
  for (var half = THREADS / 2u; half > 0u; half /= 2u) {
    if (t < half) { sums[t] += sums[t + half]; }
    workgroupBarrier();
  }
  return sums[0];
}
fn largest(own: f32, t: u32) -> f32 {
  workgroupBarrier();
  sums[t].x = own;
  workgroupBarrier();
  for (var half = THREADS / 2u; half > 0u; half /= 2u) {
    if (t < half) { sums[t].x = max(sums[t].x, sums[t + half].x); }
    workgroupBarrier();
  }
  return sums[0].x;
}
${FUNCTIONS}
@compute @workgroup_size(THREADS) fn main(@builtin(workgroup_id) wg: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) t: u32) {
  let base = wg.y * at(1u);
  ${body}
}`
  }

  /** The lines that compute a node's entry (i, j), numbered e. */
  private value<O extends Op>(node: Node<O>, name: string, read: (operand: Node) => string): readonly string[] {
    const lines = WGSL[node.op]
    if (typeof lines === "string") throw new Error(`${lines} has no kernel`)
    const text: KernelText = {
      operands: () => node.operands.map(read),
      entry: (of, row, column) => this.factor(of, row, column),
      size: (space) => this.size(space),
      number: (value) => this.numbered(value),
    }
    const written = lines(node, text, name)
    return typeof written === "string" ? [`let ${name} = ${written};`] : written
  }

  /** Entry (row, column) of a product's factor, which may be a transpose read in place. */
  private factor(node: Node, row: string, column: string): string {
    const matrix = untransposed(node)
    const [i, j] = matrix === node ? [row, column] : [column, row]
    return this.load(matrix, `(${i}) * ${this.size(matrix.shape[1])} + ${j}`)
  }

  private load(node: Node, entry: string): string {
    return node.is("one") ? "1.0" : `m[${this.at(node)} + ${entry}]`
  }

  private at(node: Node): string {
    const place = this.places.get(node)
    if (place === undefined) throw new Error("a tensor that is read elsewhere has no place")
    return `base + ${integer(this.firstPlace + place)}`
  }

  private size(space: Dimension): string {
    return integer(this.indexOf(space))
  }

  /** Where a space's size stands in the uniform: after two counts. */
  private indexOf({ name }: Dimension): number {
    return COUNTS + this.spaces.indexOf(name)
  }

  /** Where the places stand in the uniform: after the spaces' sizes. */
  private get firstPlace(): number {
    return COUNTS + this.spaces.length
  }

  private numbered(value: (sizes: SpaceSizes, t: number) => number): string {
    const index = this.coefficients.push(value) - 1
    return `step.coefficients[${Math.floor(index / 4)}][${index % 4}]`
  }
}

/** In the uniform: two counts, the sizes of spaces, the places. */
const COUNTS = 2

/** Marks an item that is a sum of squares; entries are small numbers. */
const SQUARES = 0xffffffff

function integer(index: number): string {
  return `step.integers[${Math.floor(index / 4)}][${index % 4}]`
}

function countOf(node: Node): (sizes: SpaceSizes) => number {
  return (sizes) => entriesOf(node, sizes)
}

/** The workgroups of a kernel for so many runs. */
export function workgroupsOf({ over, count }: ProgramKernel, sizes: SpaceSizes, runs: number): [number, number] {
  const all = count(sizes)
  return [over === "workgroups" ? all : Math.min(MOST_WORKGROUPS, Math.ceil(all / THREADS)), runs]
}
