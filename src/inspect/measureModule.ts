import { openBytes } from "../checkpoint/byteSource.js"
import { GGUF_TYPES } from "../checkpoint/ggufTypes.js"
import { type NumberType, SAFETENSORS_TYPES } from "../checkpoint/numberTypes.js"
import { type StoredTensor, storedTensor } from "../checkpoint/tensorFile.js"
import {
  canonicalCorrelations,
  type Gram,
  productLargest,
  productNorm,
  productSpectrum,
  singularValues,
} from "./core.js"
import { rowProducts, transposed } from "./gram.js"
import type { FactorMeasures, IntervalMeasures, ModuleMeasures, MoveMeasures, PointMeasures } from "./measures.js"

/** Where a tensor lies: data that a thread can be given. */
export interface TensorPlace {
  readonly file: string
  readonly name: string
  readonly type: string
  readonly shape: readonly number[]
  readonly byte: number
}

/** One module to be measured, through all checkpoints in the order of time. */
export interface ModuleTask {
  readonly kind: "inspect"
  readonly rank: number
  readonly input: number
  readonly output: number
  readonly points: readonly { readonly a: TensorPlace; readonly b: TensorPlace }[]
  readonly base: TensorPlace | null
}

/** The place of a tensor whose header was read. */
export function placeOf({ file, name, type, shape, byte }: StoredTensor): TensorPlace {
  return { file, name, type: type.name, shape, byte }
}

const TYPES = new Map<string, NumberType>([
  ...[...GGUF_TYPES.values()].map((type) => [type.name, type] as const),
  ...SAFETENSORS_TYPES,
])

/** A factor as r rows, with its Gram matrix. */
interface Factor {
  readonly rows: Float32Array
  readonly rank: number
  readonly gram: Gram
  readonly type: NumberType
}

/** Measures one module; holds at most four checkpoints of it. @throws InputError for files that cannot be read. */
export async function measureModule(task: ModuleTask): Promise<ModuleMeasures> {
  const points: PointMeasures[] = []
  const intervals: IntervalMeasures[] = []
  const half = task.points.length >> 1
  const kept: { first: Pair | null; middle: Pair | null; before: Pair | null } = {
    first: null,
    middle: null,
    before: null,
  }
  for (const [i, { a, b }] of task.points.entries()) {
    const now: Pair = {
      a: await factor(a, task.rank, task.input, false),
      b: await factor(b, task.rank, task.output, true),
    }
    points.push({ a: measuresOf(now.a), b: measuresOf(now.b), spectrum: productSpectrum(now.a.gram, now.b.gram) })
    if (kept.before !== null) intervals.push(interval(kept.before, now))
    kept.before = now
    if (i === 0) kept.first = now
    if (i === half) kept.middle = now
  }
  const [first, middle, last] = [kept.first!, kept.middle!, kept.before!]
  return {
    points,
    intervals,
    whole: intervals.length < 2 ? (intervals[0] ?? null) : interval(first, last),
    persistence:
      intervals.length < 2
        ? { a: null, b: null }
        : { a: persistence(first.a, middle.a, last.a), b: persistence(first.b, middle.b, last.b) },
    base: task.base === null ? null : await normOf(task.base),
  }
}

/** Both factors at one checkpoint. */
interface Pair {
  readonly a: Factor
  readonly b: Factor
}

async function read<T>(place: TensorPlace, use: (tensor: StoredTensor) => Promise<T>): Promise<T> {
  const source = await openBytes(place.file)
  try {
    return await use(storedTensor(source, place.name, TYPES.get(place.type)!, place.shape, place.byte))
  } finally {
    await source.close()
  }
}

async function factor(place: TensorPlace, rank: number, size: number, turned: boolean): Promise<Factor> {
  const values = await read(place, (tensor) => tensor.read())
  const rows = turned ? transposed(values, size, rank) : values
  return { rows, rank, gram: rowProducts(rows, rows, rank, size), type: TYPES.get(place.type)! }
}

/** Values read at once of a weight of which only the norm is asked. */
const PIECE = 1 << 20

async function normOf(place: TensorPlace): Promise<number> {
  return read(place, async (tensor) => {
    let sum = 0
    for (let from = 0; from < tensor.length; from += PIECE)
      for (const value of await tensor.read(from, Math.min(PIECE, tensor.length - from))) sum += value * value
    return Math.sqrt(sum)
  })
}

function measuresOf({ rows, gram }: Factor): FactorMeasures {
  let [second, fourth, largest, broken] = [0, 0, 0, 0]
  for (let i = 0; i < rows.length; i++) {
    const value = rows[i]!
    const square = value * value
    // Also false for what is no number.
    if (!(square <= Number.MAX_VALUE)) {
      broken++
      continue
    }
    second += square
    fourth += square * square
    if (square > largest) largest = square
  }
  const n = rows.length
  return {
    norm: Math.sqrt(second),
    rms: Math.sqrt(second / n),
    largest: Math.sqrt(largest),
    kurtosis: second === 0 ? 0 : (fourth * n) / (second * second),
    spectrum: singularValues(gram),
    broken,
  }
}

function change(before: Factor, after: Factor): Float32Array {
  const [p, q] = [before.rows, after.rows]
  const result = new Float32Array(p.length)
  for (let i = 0; i < p.length; i++) result[i] = q[i]! - p[i]!
  return result
}

const gramOf = (rows: Float32Array, rank: number) => rowProducts(rows, rows, rank, rows.length / rank)

function interval(before: Pair, after: Pair): IntervalMeasures {
  const [changeA, changeB] = [change(before.a, after.a), change(before.b, after.b)]
  const [gramA, gramB] = [gramOf(changeA, before.a.rank), gramOf(changeB, before.b.rank)]
  return {
    a: moveOf(before.a, after.a, changeA),
    b: moveOf(before.b, after.b, changeB),
    byA: productNorm(gramA, before.b.gram),
    byB: productNorm(before.a.gram, gramB),
    byBoth: productNorm(gramA, gramB),
    operators: {
      byA: productLargest(gramA, before.b.gram),
      byB: productLargest(before.a.gram, gramB),
      byBoth: productLargest(gramA, gramB),
    },
  }
}

function persistence(first: Factor, middle: Factor, last: Factor): number[] | null {
  const { rank } = first
  const [early, late] = [change(first, middle), change(middle, last)]
  const cross = rowProducts(early, late, rank, early.length / rank)
  return canonicalCorrelations(gramOf(early, rank), gramOf(late, rank), cross)
}

/** Entries whose half ulp is looked at: spread over the factor. */
const SAMPLE = 4096

function moveOf(before: Factor, after: Factor, moved: Float32Array): MoveMeasures {
  const [p, q] = [before.rows, after.rows]
  let [same, largest, square, dot, normP, normQ] = [0, 0, 0, 0, 0, 0]
  for (let i = 0; i < p.length; i++) {
    const x = p[i]!
    const y = q[i]!
    const d = moved[i]!
    if (x === y) same++
    if (Math.abs(d) > largest) largest = Math.abs(d)
    square += d * d
    dot += x * y
    normP += x * x
    normQ += y * y
  }
  const { significand } = after.type
  return {
    norm: Math.sqrt(square),
    largest,
    unchanged: same / p.length,
    cosine: normP > 0 && normQ > 0 ? dot / Math.sqrt(normP * normQ) : null,
    halfUlp: significand === undefined ? null : halfUlps(p, significand),
  }
}

/** Quantiles of half the distance to the next number, in a format with so many bits of significand. */
function halfUlps(rows: Float32Array, significand: number): [number, number, number] {
  const step = Math.max(1, Math.floor(rows.length / SAMPLE))
  const halves: number[] = []
  for (let i = 0; i < rows.length; i += step) {
    const size = Math.abs(rows[i]!)
    halves.push(size > 0 && Number.isFinite(size) ? 2 ** (Math.floor(Math.log2(size)) - significand) : 0)
  }
  halves.sort((p, q) => p - q)
  const at = (share: number) => halves[Math.min(halves.length - 1, Math.floor(share * halves.length))]!
  return [at(0.05), at(0.5), at(0.95)]
}
