import { kernelModule } from "./kernelModule.js"

/** Products of float64 matrices in chunks of rows, by WebAssembly; the same bits on every machine. */
export class Dense {
  /** Columns as stored: the given ones, padded with zeros to a multiple of four. */
  readonly stride: number
  /** The right factor, inner×stride. */
  readonly right: Float64Array
  /** A chunk of the left factor, ROWS_AT_ONCE×inner, or of X for `addGram`, ROWS_AT_ONCE×stride. */
  readonly left: Float64Array
  /** The product of the last `multiply`, ROWS_AT_ONCE×stride. */
  readonly product: Float64Array
  private readonly inner: number
  private readonly call: { multiply(...numbers: number[]): void; addGram(...numbers: number[]): void }

  /** For a right factor of inner×columns. */
  constructor(inner: number, columns: number) {
    this.inner = inner
    this.stride = 4 * Math.ceil(columns / 4)
    const counts = countsOf(inner, columns)
    const pages = Math.ceil(denseBytes(inner, columns) / 2 ** 16)
    const memory = new WebAssembly.Memory({ initial: pages, maximum: pages, shared: true })
    const { exports } = new WebAssembly.Instance(kernelModule(), { env: { memory } })
    this.call = exports as unknown as typeof this.call
    this.right = new Float64Array(memory.buffer, START, counts[0])
    this.left = new Float64Array(memory.buffer, START + 8 * counts[0], counts[1])
    this.product = new Float64Array(memory.buffer, START + 8 * (counts[0] + counts[1]), counts[2])
  }

  /** product = left · right. */
  multiply(): void {
    const { left, right, product, inner, stride } = this
    this.call.multiply(left.byteOffset, right.byteOffset, ROWS_AT_ONCE, inner, stride, product.byteOffset)
  }

  /** Adds XᵀX of the chunk in `left` to `right` (stride×stride), on and above the diagonal. */
  addGram(): void {
    const { left, right, stride } = this
    this.call.addGram(left.byteOffset, ROWS_AT_ONCE, stride, right.byteOffset)
  }
}

/** Numbers in the right factor, the left chunk and the product. */
function countsOf(inner: number, columns: number): readonly [number, number, number] {
  const stride = 4 * Math.ceil(columns / 4)
  return [inner * stride, ROWS_AT_ONCE * Math.max(inner, stride), ROWS_AT_ONCE * stride]
}

/** The memory of a `Dense`. */
export function denseBytes(inner: number, columns: number): number {
  return START + 8 * countsOf(inner, columns).reduce((x, y) => x + y)
}

/** Rows of a chunk. */
export const ROWS_AT_ONCE = 64

/** Beyond the kernel's constants. */
const START = 256
