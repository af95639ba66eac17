import type { KernelPrecision } from "../teacherStudent.js"
import type { TeacherStudentConfig } from "../teacherStudentConfig.js"

/** What the kernel's memory depends on. */
export interface KernelShape extends Pick<TeacherStudentConfig, "width" | "rank" | "samples"> {
  readonly precision: KernelPrecision
  /** Threads over the rows of a run. */
  readonly threads: number
}

/** Rows of an activation, samples of a row and rank indices that lie together: as in assembly/vector.ts. */
export const [ROWS, TILE, RANKS] = [16, 16, 4]

/**
 * Rows are summed in at most this many groups, of at least so many rows: the number of groups depends on the width
 * alone, so that results do not depend on the number of threads.
 */
const [MOST_GROUPS, GROUP_ROWS] = [64, 256]

/** Sizes in blocks and byte addresses of everything in a kernel's memory; `fields` is the Plan of assembly/index.ts. */
export interface Layout {
  readonly shape: KernelShape
  readonly tiles: number
  readonly rowBlocks: number
  readonly rankBlocks: number
  readonly groups: number
  /** Bytes of a number. */
  readonly size: 4 | 8
  readonly at: Readonly<Record<(typeof FIELDS)[number], number>>
  /** Bytes of one worker's room. */
  readonly ownBytes: number
  readonly bytes: number
}

const FIELDS = [
  "P",
  "H",
  "mask",
  "w",
  "y",
  "f0",
  "A",
  "meanA",
  "squareA",
  "B",
  "meanB",
  "squareB",
  "partF",
  "partZ",
  "partGradientZ",
  "partSquares",
  "own",
] as const

/**
 * After the kernel's constants at the start of the memory: the words of the groups' shares, then the plan, then per
 * thread the sizes of a step.
 */
export const CONTROL = { shares: 256, plan: 576, sizes: 704 }
const SIZES_BYTES = 64

/** The most bytes of one memory: WebAssembly addresses 32 bits. */
export const ADDRESSABLE = 2 ** 32 - 2 ** 16

/** Where everything lies. */
export function layoutOf(shape: KernelShape): Layout {
  const size = shape.precision === "float32" ? 4 : 8
  const [tiles, rowBlocks] = [Math.ceil(shape.samples / TILE), Math.ceil(shape.width / ROWS)]
  const rankBlocks = Math.ceil(shape.rank / RANKS)
  const groups = groupsOf(shape.width)
  const [samples, rows] = [tiles * TILE, rowBlocks * ROWS]
  const rankSamples = rankBlocks * RANKS * samples
  const ownBytes = align((samples + 2 * rankSamples + ROWS * samples + 2 * ROWS * RANKS + samples) * size)
  const [activation, factor] = [rows * samples * size, rankBlocks * RANKS * rows * size]
  const bytesOf: Record<(typeof FIELDS)[number], number> = {
    P: activation,
    H: activation,
    mask: activation / 32,
    w: rows * size,
    y: samples * size,
    f0: samples * size,
    A: factor,
    meanA: factor,
    squareA: factor,
    B: factor,
    meanB: factor,
    squareB: factor,
    partF: groups * samples * size,
    partZ: groups * rankSamples * size,
    partGradientZ: groups * rankSamples * size,
    partSquares: groups * 8,
    own: shape.threads * ownBytes,
  }
  let end = align(CONTROL.sizes + shape.threads * SIZES_BYTES)
  const at = {} as Record<(typeof FIELDS)[number], number>
  for (const field of FIELDS) {
    at[field] = end
    end += align(bytesOf[field])
  }
  return { shape, tiles, rowBlocks, rankBlocks, groups, size, at, ownBytes, bytes: end }
}

/** Into how many groups the rows are divided; of the width alone. */
export function groupsOf(width: number): number {
  return Math.min(MOST_GROUPS, Math.ceil(width / GROUP_ROWS))
}

/** Whole cache lines. */
function align(bytes: number): number {
  return Math.ceil(bytes / 64) * 64
}

/** The plan's words in the kernel's order. */
export function planWords({ shape, tiles, rowBlocks, rankBlocks, groups, at, ownBytes }: Layout): Uint32Array {
  return Uint32Array.of(
    shape.samples,
    tiles,
    rowBlocks,
    rankBlocks,
    groups,
    ...FIELDS.map((field) => at[field]),
    ownBytes,
  )
}

/** Where a thread's sizes of a step are written. */
export function sizesAt(thread: number): number {
  return CONTROL.sizes + thread * SIZES_BYTES
}
