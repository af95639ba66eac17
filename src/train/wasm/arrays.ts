import type { FactorArrays } from "../teacherStudentConfig.js"
import { wordsOf } from "./groupShares.js"
import { CONTROL, type Layout, RANKS, ROWS, TILE } from "./layout.js"

/** The words by which threads share groups of rows. */
export function shareWords(memory: WebAssembly.Memory, { groups }: Layout): Int32Array {
  return new Int32Array(memory.buffer, CONTROL.shares, wordsOf(groups))
}

/** A kernel's memory seen as row-major arrays: packs them into the kernel's layout. */
export class KernelArrays {
  private readonly layout: Layout
  private readonly memory: WebAssembly.Memory

  constructor(layout: Layout, memory: WebAssembly.Memory) {
    this.layout = layout
    this.memory = memory
  }

  /** The readout (n) and the targets (N). */
  setEnds(wOut: Float64Array, y: Float64Array): void {
    this.view("w", wOut.length).set(wOut)
    this.view("y", y.length).set(y)
  }

  /** Rows of an activation from the given one on, row-major. */
  setRows(name: "P" | "H", first: number, rows: Float32Array): void {
    const { tiles, shape, rowBlocks } = this.layout
    const N = shape.samples
    const to = this.view(name, rowBlocks * ROWS * tiles * TILE)
    for (let from = 0, row = first; from < rows.length; from += N, row++) {
      const block = Math.floor(row / ROWS) * tiles * ROWS * TILE + (row % ROWS) * TILE
      for (let tile = 0, q = 0; tile < tiles; tile++)
        for (let at = block + tile * ROWS * TILE, end = Math.min(N, q + TILE); q < end; q++, at++)
          to[at] = rows[from + q]!
    }
  }

  /** The factors at a run's start (A: r×n, B: n×r), the optimiser's state at zero, and nothing done. */
  setStart({ A, B }: FactorArrays): void {
    shareWords(this.memory, this.layout).fill(0)
    const { shape, rowBlocks, rankBlocks } = this.layout
    const { width: n, rank: r } = shape
    const count = rankBlocks * RANKS * rowBlocks * ROWS
    for (const name of ["A", "B", "meanA", "squareA", "meanB", "squareB"] as const) this.view(name, count).fill(0)
    const [toA, toB] = [this.view("A", count), this.view("B", count)]
    for (let k = 0; k < r; k++)
      for (let i = 0; i < n; i++) {
        const at = (Math.floor(k / RANKS) * rowBlocks * ROWS + i) * RANKS + (k % RANKS)
        toA[at] = A[k * n + i]!
        toB[at] = B[i * r + k]!
      }
  }

  private view(name: keyof Layout["at"], count: number): Float32Array | Float64Array {
    const { at, size } = this.layout
    const { buffer } = this.memory
    return size === 4 ? new Float32Array(buffer, at[name], count) : new Float64Array(buffer, at[name], count)
  }
}
