/**
 * Number formats narrower than float64, as rounding: a tensor in one of them is a Float64Array of values that the
 * format holds, so that the same program is read in any of them.
 */

/** The formats by name, the widest first. */
export const PRECISIONS = ["float64", "float32", "bfloat16", "float16", "e4m3"] as const

/** The name of a format. */
export type PrecisionName = (typeof PRECISIONS)[number]

/** What a format holds: ± k · 2^(e − digits + 1) with |k| < 2^digits and e ≥ `least`, up to `max`. */
export interface Format {
  readonly name: PrecisionName
  /** Binary digits of the significand, the implicit one included. */
  readonly digits: number
  /** Exponent of the smallest normal number. */
  readonly least: number
  /** Exponent of the largest number. */
  readonly most: number
  /** The largest number. */
  readonly max: number
  /** What lies beyond `max`: an infinity, or in e4m3, which has none, NaN. */
  readonly beyond: number
}

/**
 * The formats: IEEE 754 binary64, binary32 and binary16, bfloat16, and E4M3 of the OCP 8-bit floating point
 * specification (no infinities; the encodings above 448 are NaN).
 */
export const FORMATS: Readonly<Record<PrecisionName, Format>> = {
  float64: format("float64", 53, -1022, 1023),
  float32: format("float32", 24, -126, 127),
  bfloat16: format("bfloat16", 8, -126, 127),
  float16: format("float16", 11, -14, 15),
  e4m3: { ...format("e4m3", 4, -6, 8), max: 448, beyond: Number.NaN },
}

function format(name: PrecisionName, digits: number, least: number, most: number): Format {
  return { name, digits, least, most, max: (2 - 2 ** (1 - digits)) * 2 ** most, beyond: Number.POSITIVE_INFINITY }
}

/**
 * To the nearest number, a tie to the even one; or to one of the two neighbours by chance, so that the mean is exact.
 */
export type RoundingMode = "nearest" | "stochastic"

/** Rounds numbers to a format. */
export type Rounding = (x: number) => number

/**
 * Rounding to nearest, ties to even, from float64 in one step: overflow is decided after rounding with an unbounded
 * exponent, as IEEE 754 says. NaN stays NaN, zero keeps its sign, and so does what rounds to zero.
 */
export function nearest(format: Format): Rounding {
  if (format.digits === 53) return (x) => x
  const shifts = shiftsOf(format)
  return (x) => {
    const exponent = exponentOf(x)
    if (exponent > format.most) return beyond(x, format)
    // In x + shift the last digit has the weight of the format's last digit at x.
    const shift = shifts[Math.max(exponent, format.least) - format.least]!
    const rounded = x + shift - shift
    if (rounded === 0) return x * 0
    return Math.abs(rounded) > format.max ? beyond(x, format) : rounded
  }
}

/**
 * Stochastic rounding: up with the probability of the part below the last digit, so that the mean over `uniform` is x
 * (to 2⁻³² of the last digit where `uniform` has 32 bits); a number of the format stays.
 *
 * Beyond the largest number the neighbour above is what an unbounded exponent would offer: infinity or NaN.
 *
 * @param uniform a number in [0, 1).
 */
export function stochastic(format: Format, uniform: () => number): Rounding {
  if (format.digits === 53) return (x) => x
  return (x) => {
    const exponent = exponentOf(x)
    if (exponent > format.most) return beyond(x, format)
    const ulp = 2 ** (Math.max(exponent, format.least) - format.digits + 1)
    const below = Math.floor(x / ulp)
    const part = x / ulp - below
    const rounded = (part > 0 && uniform() < part ? below + 1 : below) * ulp
    if (rounded === 0) return x * 0
    return Math.abs(rounded) > format.max ? beyond(x, format) : rounded
  }
}

function beyond(x: number, { beyond }: Format): number {
  return Math.sign(x) * beyond
}

/** 1.5 · 2^52 last digits of the format, for every exponent from the least to the most. */
function shiftsOf({ digits, least, most }: Format): Float64Array {
  return Float64Array.from({ length: most - least + 1 }, (_, i) => 1.5 * 2 ** (52 + least + i - digits + 1))
}

const number = new Float64Array(1)
const words = new Uint32Array(number.buffer)
const HIGH = new Uint8Array(Uint16Array.of(1).buffer)[0] === 1 ? 1 : 0

/** ⌊log₂ |x|⌋ for a normal x, less for a smaller one, 1024 for infinities and NaN. */
function exponentOf(x: number): number {
  number[0] = x
  return ((words[HIGH]! >>> 20) & 0x7ff) - 1023
}
