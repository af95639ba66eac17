import { openBytes } from "../checkpoint/byteSource.js"
import { GGUF_TYPES } from "../checkpoint/ggufTypes.js"
import { type NumberType, SAFETENSORS_TYPES } from "../checkpoint/numberTypes.js"
import { type StoredTensor, storedTensor } from "../checkpoint/tensorFile.js"
import {
  angleBetween,
  canonicalCorrelations,
  type Gram,
  productLargest,
  productNorm,
  productSpectrum,
  singularValues,
} from "./core.js"
import { type AdapterFactor, type FactorKernel, factorKernel, type Moves } from "./factor.js"
import type {
  FactorMeasures,
  IntervalMeasures,
  MagnitudeMeasures,
  ModuleMeasures,
  MoveMeasures,
  PointMeasures,
} from "./measures.js"

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
  readonly isATurned: boolean
  readonly points: readonly {
    readonly a: TensorPlace
    readonly b: TensorPlace
    readonly magnitude: TensorPlace | null
  }[]
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

/** A factor with its Gram matrix. */
interface Read extends AdapterFactor {
  readonly gram: Gram
  readonly norm: number
  readonly type: NumberType
}

/** Measures one module; holds at most four checkpoints of it. @throws InputError for files that cannot be read. */
export async function measureModule(task: ModuleTask): Promise<ModuleMeasures> {
  const kernel = factorKernel(task.rank)
  const points: PointMeasures[] = []
  const intervals: IntervalMeasures[] = []
  const half = task.points.length >> 1
  let first: Checkpoint | null = null
  let middle: Checkpoint | null = null
  let before: Checkpoint | null = null
  for (const [i, { a, b, magnitude }] of task.points.entries()) {
    const [readA, readB] = [
      await factorOf(kernel, a, task.rank, task.input, task.isATurned),
      await factorOf(kernel, b, task.rank, task.output, true),
    ]
    const vector = magnitude === null ? null : await read(magnitude, (tensor) => tensor.read())
    const now: Checkpoint = { a: readA.factor, b: readB.factor, magnitude: vector }
    first ??= now
    if (before !== null) intervals.push(interval(kernel, before, now))
    points.push({
      a: readA.measures,
      b: readB.measures,
      spectrum: productSpectrum(now.a.gram, now.b.gram),
      distance: distancesOf(kernel, first, now, intervals),
      magnitude: vector === null ? null : magnitudeOf(first.magnitude, vector),
    })
    before = now
    if (i === half) middle = now
  }
  const last = before!
  return {
    points,
    intervals,
    whole: intervals.length < 2 ? (intervals[0] ?? null) : interval(kernel, first!, last),
    persistence:
      intervals.length < 2
        ? { a: null, b: null }
        : { a: persistence(kernel, first!.a, middle!.a, last.a), b: persistence(kernel, first!.b, middle!.b, last.b) },
    base: task.base === null ? null : await normOf(task.base),
  }
}

/** A module at one checkpoint. */
interface Checkpoint {
  readonly a: Read
  readonly b: Read
  readonly magnitude: Float32Array | null
}

/** The distances from the first checkpoint, where an interval has not measured them already. */
function distancesOf(
  kernel: FactorKernel,
  first: Checkpoint,
  now: Checkpoint,
  intervals: readonly IntervalMeasures[],
): PointMeasures["distance"] {
  if (first === now) return { a: 0, b: 0 }
  if (intervals.length === 1) return { a: intervals[0]!.a.norm, b: intervals[0]!.b.norm }
  const distance = (factor: "a" | "b") => Math.sqrt(kernel.moves(first[factor], now[factor]).second)
  return { a: distance("a"), b: distance("b") }
}

function magnitudeOf(first: Float32Array | null, now: Float32Array): MagnitudeMeasures {
  const norm = (values: Iterable<number>) => Math.sqrt([...values].reduce((sum, value) => sum + value * value, 0))
  const start = first === null || first.length !== now.length ? 0 : norm(first)
  return {
    norm: norm(now),
    least: now.reduce((least, value) => Math.min(least, value), Number.POSITIVE_INFINITY),
    largest: now.reduce((most, value) => Math.max(most, value), Number.NEGATIVE_INFINITY),
    moved: start === 0 ? null : norm(now.map((value, i) => value - first![i]!)) / start,
  }
}

async function read<T>(place: TensorPlace, use: (tensor: StoredTensor) => Promise<T>): Promise<T> {
  const source = await openBytes(place.file)
  try {
    return await use(storedTensor(source, place.name, TYPES.get(place.type)!, place.shape, place.byte))
  } finally {
    await source.close()
  }
}

async function factorOf(
  kernel: FactorKernel,
  place: TensorPlace,
  rank: number,
  size: number,
  turned: boolean,
): Promise<{ readonly factor: Read; readonly measures: FactorMeasures }> {
  const values = await read(place, (tensor) => tensor.read())
  const factor = { values, rank, size, turned }
  const { gram, second, fourth, largest, broken } = kernel.sizes(factor)
  const norm = Math.sqrt(second)
  const measures = {
    norm,
    rms: Math.sqrt(second / values.length),
    largest,
    kurtosis: second === 0 ? 0 : (fourth * values.length) / (second * second),
    spectrum: singularValues(gram),
    broken,
  }
  return { factor: { ...factor, gram, norm, type: TYPES.get(place.type)! }, measures }
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

function interval(kernel: FactorKernel, before: Checkpoint, after: Checkpoint): IntervalMeasures {
  const [a, b] = [kernel.change(before.a, after.a), kernel.change(before.b, after.b)]
  return {
    a: moveOf(before.a, after.a, a),
    b: moveOf(before.b, after.b, b),
    byA: productNorm(a.gram, before.b.gram),
    byB: productNorm(before.a.gram, b.gram),
    byBoth: productNorm(a.gram, b.gram),
    operators: {
      byA: productLargest(a.gram, before.b.gram),
      byB: productLargest(before.a.gram, b.gram),
      byBoth: productLargest(a.gram, b.gram),
    },
  }
}

function persistence(kernel: FactorKernel, first: Read, middle: Read, last: Read): number[] | null {
  const [early, late] = [kernel.change(first, middle).gram, kernel.change(middle, last).gram]
  return canonicalCorrelations(early, late, kernel.crossed(first, middle, last))
}

function moveOf(before: Read, after: Read, { same, largest, second }: Moves): MoveMeasures {
  const norm = Math.sqrt(second)
  const { significand } = after.type
  return {
    norm,
    largest,
    unchanged: same / after.values.length,
    angle: angleBetween(before.norm, after.norm, norm),
    halfUlp: significand === undefined ? null : halfUlps(before.values, significand),
  }
}

/** Entries whose half ulp is looked at: spread over the factor. */
const SAMPLE = 4096

/** Quantiles of half the distance to the next number, in a format with so many bits of significand. */
function halfUlps(values: Float32Array, significand: number): [number, number, number] {
  // Odd, so that a power of two of columns does not bring up one of them alone.
  const step = Math.floor(values.length / SAMPLE) | 1
  const halves = Float64Array.from({ length: Math.ceil(values.length / step) }, (_, i) => {
    const size = Math.abs(values[i * step]!)
    return size > 0 && Number.isFinite(size) ? 2 ** (Math.floor(Math.log2(size)) - significand) : 0
  }).sort()
  const at = (share: number) => halves[Math.min(halves.length - 1, Math.floor(share * halves.length))]!
  return [at(0.05), at(0.5), at(0.95)]
}
