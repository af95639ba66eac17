/**
 * Inner products of the rows of tall factors, and what their entries hold, in one pass: all that is needed of BA is r ×
 * r.
 */
import { kernelModule } from "../train/wasm/kernelModule.js"
import type { Gram } from "./core.js"

/**
 * A factor: r rows of `size` numbers. A lies row by row; B, turned, has its `size` rows of r numbers as they lie in the
 * file.
 */
export interface AdapterFactor {
  readonly values: Float32Array
  readonly rank: number
  readonly size: number
  readonly turned: boolean
}

/** What one factor holds: X Xᵀ, and sums over its finite entries. */
export interface Sizes {
  readonly gram: Gram
  /** Σ x². */
  readonly second: number
  /** Σ x⁴. */
  readonly fourth: number
  readonly largest: number
  /** Entries that are no finite number. */
  readonly broken: number
}

/** How the entries of a factor changed to those of another. */
export interface Moves {
  /** How many are equal. */
  readonly same: number
  /** The largest |Δx|, and Σ Δx². */
  readonly largest: number
  readonly second: number
}

/** The exports of assembly/factor.ts. */
interface Kernel {
  pack(now: number, before: number, rows: number, terms: number, rowBytes: number, termBytes: number, to: number): void
  addProducts(x: number, y: number, blocks: number, terms: number, products: number): void
  addSizes(values: number, count: number, sums: number): void
  addMoves(before: number, now: number, count: number, sums: number): void
}

/** Terms that pass by at once: a block of four rows of them stays in the processor's first cache. */
const TERMS = 512
/** Beyond the kernel's constants. */
const START = 256

/** A chunk as it lies in the kernel's memory. */
interface Chunk {
  readonly terms: number
  readonly rowBytes: number
  readonly termBytes: number
  /** Entries, padded with zeros to a multiple of four. */
  readonly count: number
}

/** Sums over factors of one rank, in float64 by WebAssembly: the same bits on every machine. */
export class FactorKernel {
  private readonly side: number
  private readonly stages: readonly [Float32Array, Float32Array]
  private readonly panels: readonly [number, number]
  private readonly products: Float64Array
  private readonly sums: Float64Array
  private readonly call: Kernel

  constructor(readonly rank: number) {
    this.side = 4 * Math.ceil(rank / 4)
    const [stage, panel] = [TERMS * rank * 4, TERMS * this.side * 8]
    const products = START + 2 * stage + 2 * panel
    const sums = products + this.side ** 2 * 8
    const pages = Math.ceil((sums + 32) / 2 ** 16)
    const memory = new WebAssembly.Memory({ initial: pages, maximum: pages, shared: true })
    const { exports } = new WebAssembly.Instance(kernelModule("plain"), { env: { memory } })
    this.call = exports as unknown as Kernel
    this.stages = [
      new Float32Array(memory.buffer, START, TERMS * rank),
      new Float32Array(memory.buffer, START + stage, TERMS * rank),
    ]
    this.panels = [START + 2 * stage, START + 2 * stage + panel]
    this.products = new Float64Array(memory.buffer, products, this.side ** 2)
    this.sums = new Float64Array(memory.buffer, sums, 4)
  }

  /** X Xᵀ and the sums of its entries. */
  sizes(factor: AdapterFactor): Sizes {
    this.clear()
    for (let from = 0; from < factor.size; from += TERMS) {
      const chunk = this.stage(0, factor, from)
      this.call.addSizes(this.stages[0].byteOffset, chunk.count, this.sums.byteOffset)
      this.pack(0, null, chunk, 0)
      this.addProducts(0, 0, chunk.terms)
    }
    const [second, fourth, largest, broken] = this.sums as unknown as [number, number, number, number]
    return { gram: this.gram(), second, fourth, largest, broken }
  }

  /** How the entries moved, without products. */
  moves(before: AdapterFactor, after: AdapterFactor): Moves {
    return this.moved(before, after, () => {})
  }

  /** As `moves`, with (Y − X)(Y − X)ᵀ; differences are taken in float64. */
  change(before: AdapterFactor, after: AdapterFactor): Moves & { readonly gram: Gram } {
    const moves = this.moved(before, after, (chunk) => {
      this.pack(1, 0, chunk, 0)
      this.addProducts(0, 0, chunk.terms)
    })
    return { ...moves, gram: this.gram() }
  }

  private moved(before: AdapterFactor, after: AdapterFactor, also: (chunk: Chunk) => void): Moves {
    this.clear()
    let padding = 0
    for (let from = 0; from < after.size; from += TERMS) {
      this.stage(0, before, from)
      const chunk = this.stage(1, after, from)
      padding += chunk.count - chunk.terms * after.rank
      const [x, y] = this.stages
      this.call.addMoves(x.byteOffset, y.byteOffset, chunk.count, this.sums.byteOffset)
      also(chunk)
    }
    const [same, largest, second] = this.sums as unknown as [number, number, number]
    return { same: same - padding, largest, second }
  }

  /** (Y − X)(Z − Y)ᵀ: the products of two changes that follow one another. */
  crossed(first: AdapterFactor, middle: AdapterFactor, last: AdapterFactor): Gram {
    this.clear()
    for (let from = 0; from < last.size; from += TERMS) {
      this.stage(0, first, from)
      const chunk = this.stage(1, middle, from)
      this.pack(1, 0, chunk, 0)
      this.stage(0, last, from)
      this.pack(0, 1, chunk, 1)
      this.addProducts(0, 1, chunk.terms)
    }
    return this.square()
  }

  private clear(): void {
    this.products.fill(0)
    this.sums.fill(0)
  }

  private stage(which: 0 | 1, { values, rank, size, turned }: AdapterFactor, from: number): Chunk {
    const stage = this.stages[which]
    const terms = Math.min(TERMS, size - from)
    if (turned) {
      const count = 4 * Math.ceil((terms * rank) / 4)
      stage.set(values.subarray(from * rank, (from + terms) * rank))
      if (count > terms * rank) stage.fill(0, terms * rank, count)
      return { terms, rowBytes: 4, termBytes: 4 * rank, count }
    }
    const width = 4 * Math.ceil(terms / 4)
    for (let row = 0; row < rank; row++) {
      stage.set(values.subarray(row * size + from, row * size + from + terms), row * width)
      if (width > terms) stage.fill(0, row * width + terms, (row + 1) * width)
    }
    return { terms, rowBytes: 4 * width, termBytes: 4, count: rank * width }
  }

  private pack(now: 0 | 1, before: 0 | 1 | null, { terms, rowBytes, termBytes }: Chunk, panel: 0 | 1): void {
    const earlier = before === null ? 0 : this.stages[before].byteOffset
    this.call.pack(this.stages[now].byteOffset, earlier, this.rank, terms, rowBytes, termBytes, this.panels[panel])
  }

  private addProducts(x: 0 | 1, y: 0 | 1, terms: number): void {
    this.call.addProducts(this.panels[x], this.panels[y], this.side / 4, terms, this.products.byteOffset)
  }

  /** The products of one panel with itself, of which those below the diagonal's blocks are not computed. */
  private gram(): Gram {
    const { rank } = this
    const gram = this.square()
    for (let i = 0; i < rank; i++) for (let j = 0; j < i; j++) gram[i * rank + j] = gram[j * rank + i]!
    return gram
  }

  private square(): Gram {
    const { rank, side, products } = this
    const square = new Float64Array(rank * rank)
    for (let i = 0; i < rank; i++) square.set(products.subarray(i * side, i * side + rank), i * rank)
    return square
  }
}

let latest: FactorKernel | null = null

/** The kernel of a rank; the last one is kept, for modules mostly share their rank. */
export function factorKernel(rank: number): FactorKernel {
  if (latest?.rank !== rank) latest = new FactorKernel(rank)
  return latest
}
