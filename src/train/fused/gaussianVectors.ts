/** A random matrix that is never formed, as `GaussianMatrix`, on vectors in a kernel's memory. */
import { streamState } from "../random.js"

/** The kernels of assembly/normals.ts and assembly/thin.ts; all vectors have an even length. */
export interface VectorKernels {
  normals(s01: number, s00: number, s11: number, s10: number, out: number, count: number, deviation: number): void
  dots(q: number, count: number, x: number, columns: number, length: number, out: number): void
  combine(y: number, columns: number, q: number, count: number, c: number, sign: number, length: number): void
  scaledTo(to: number, x: number, factor: number, length: number): void
  clear(to: number, length: number): void
  copy(to: number, x: number, length: number): void
}

/** What was asked on one side: orthonormal arguments and their images, at most `most` of them. */
interface Side {
  /** The length of an argument, and of an image. */
  readonly length: number
  readonly image: number
  readonly stream: string
  readonly most: number
  readonly arguments: number
  readonly images: number
  asked: number
}

/** A rest below this part of the argument is rounding, as in `GaussianMatrix`. */
const NEGLIGIBLE = 1e-10

/** Of a rest below this part of the argument, what rounding left of the argument is no longer small beside it. */
const SMALL = 1e-3

/** What matrices share while they answer. */
export interface GaussianRoom {
  readonly kernels: VectorKernels
  readonly memory: Float64Array
  /** Where there is room for the rests of a question's columns. */
  readonly rests: number
  /** Where there is room for their products with all arguments, twice. */
  readonly factors: number
}

/** How many columns are asked of a matrix at most, and of its transpose. */
export interface MostAsked {
  readonly times: number
  readonly transposeTimes: number
}

/** Behind the last number: the kernel writes fours. */
const SPARE = 32

/** The bytes that a matrix's memory takes. */
export function gaussianBytes(rows: number, columns: number, { times, transposeTimes }: MostAsked): number {
  return 8 * (rows + columns) * (times + transposeTimes) + 2 * SPARE
}

/** A matrix of independent N(0, deviation²) entries by its products: those of `GaussianMatrix`, up to rounding. */
export class GaussianVectors {
  private readonly room: GaussianRoom
  private readonly right: Side
  private readonly left: Side
  private readonly deviation: number
  private seed = 0

  /** @param at where its memory begins. */
  constructor(
    [rows, columns]: readonly [number, number],
    { stream, deviation, most, at }: { stream: string; deviation: number; most: MostAsked; at: number },
    room: GaussianRoom,
  ) {
    this.room = room
    this.deviation = deviation
    const side = (name: string, length: number, image: number, count: number, from: number): Side => {
      return {
        length,
        image,
        stream: `${stream} ${name}`,
        most: count,
        arguments: from,
        images: from + 8 * length * count,
        asked: 0,
      }
    }
    this.right = side("image", columns, rows, most.times, at)
    this.left = side("transposed", rows, columns, most.transposeTimes, at + 8 * (rows + columns) * most.times + SPARE)
  }

  /** Forgets what was asked: another seed's matrix. */
  begin(seed: number): void {
    this.seed = seed
    this.right.asked = 0
    this.left.asked = 0
  }

  /** Writes G X for the columns of X, one behind the other. */
  times(x: number, columns: number, result: number): void {
    this.ask(x, columns, result, this.right, this.left)
  }

  /** Writes Gᵀ X. */
  transposeTimes(x: number, columns: number, result: number): void {
    this.ask(x, columns, result, this.left, this.right)
  }

  private ask(x: number, columns: number, result: number, own: Side, other: Side): void {
    const { kernels, memory, rests, factors } = this.room
    const { length, image } = own
    kernels.clear(result, image * columns)
    kernels.copy(rests, x, length * columns)
    const before = own.asked
    this.split(own, 0, [rests, columns, result])
    for (let j = 0; j < columns; j++) {
      const [rest, to] = [rests + 8 * length * j, result + 8 * image * j]
      this.split(own, before, [rest, 1, to])
      const whole = this.norm(x + 8 * length * j, length)
      let size = this.norm(rest, length)
      if (size > NEGLIGIBLE * whole && size < SMALL * whole) {
        this.split(own, 0, [rest, 1, to])
        size = this.norm(rest, length)
      }
      if (size <= NEGLIGIBLE * whole) continue
      const fresh = this.draw(rest, size, own, other)
      memory[factors / 8] = size
      kernels.combine(to, 1, fresh, 1, factors, 1, image)
    }
  }

  /** Takes from some columns their parts along the arguments from the `first` on, and adds the parts' images. */
  private split(own: Side, first: number, [rests, columns, result]: readonly [number, number, number]): void {
    const count = own.asked - first
    if (count === 0) return
    const { kernels, memory, factors } = this.room
    const [q, v] = [own.arguments + 8 * own.length * first, own.images + 8 * own.image * first]
    // Twice, because one pass of Gram–Schmidt leaves rounding errors of the size of the argument.
    const [once, twice, terms] = [factors, factors + 8 * count * columns, count * columns]
    for (const shares of [once, twice]) {
      kernels.dots(q, count, rests, columns, own.length, shares)
      kernels.combine(rests, columns, q, count, shares, -1, own.length)
    }
    for (let i = 0; i < terms; i++) memory[once / 8 + i]! += memory[twice / 8 + i]!
    kernels.combine(result, columns, v, count, once, 1, own.image)
  }

  /** A new argument and its image: fresh numbers, corrected in the directions in which the transpose was asked. */
  private draw(rest: number, size: number, own: Side, other: Side): number {
    const { kernels, memory, factors } = this.room
    if (own.asked === own.most) throw new Error(`more than ${own.most} columns`)
    const [q, z] = [own.arguments + 8 * own.length * own.asked, own.images + 8 * own.image * own.asked]
    kernels.scaledTo(q, rest, 1 / size, own.length)
    kernels.normals(...streamState(this.seed, `${own.stream}${own.asked}`), z, own.image, this.deviation)
    own.asked++
    const count = other.asked
    if (count === 0) return z
    const seen = factors + 8 * count
    kernels.dots(other.images, count, q, 1, own.length, factors)
    kernels.dots(other.arguments, count, z, 1, own.image, seen)
    for (let i = 0; i < count; i++) memory[factors / 8 + i]! -= memory[seen / 8 + i]!
    kernels.combine(z, 1, other.arguments, count, factors, 1, own.image)
    return z
  }

  private norm(x: number, length: number): number {
    const { kernels, memory, factors } = this.room
    kernels.dots(x, 1, x, 1, length, factors)
    return Math.sqrt(memory[factors / 8]!)
  }
}
