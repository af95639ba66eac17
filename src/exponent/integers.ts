/** Exact integers: numbers as long as they are safe, which is fast, or bigints, which are always. */
export interface Integers<T> {
  readonly zero: T
  readonly one: T
  readonly of: (value: bigint) => T
  readonly large: (x: T) => bigint
  readonly plus: (x: T, y: T) => T
  readonly minus: (x: T, y: T) => T
  readonly times: (x: T, y: T) => T
  readonly negated: (x: T) => T
  /** x / y where y divides x. */
  readonly quotient: (x: T, y: T) => T
  readonly sign: (x: T) => -1 | 0 | 1
  readonly isOne: (x: T) => boolean
  /** The greatest common divisor, ≥ 0. */
  readonly gcd: (x: T, y: T) => T
}

/** A result that a small integer does not hold: the calculation is to be done again with large ones. */
export class TooLarge extends Error {}

function safe(x: number): number {
  if (!Number.isSafeInteger(x)) throw new TooLarge()
  return x
}

/** Numbers, each result checked: a sum or product that rounds is no safe integer. @throws TooLarge */
export const SMALL: Integers<number> = {
  zero: 0,
  one: 1,
  of: (value) => safe(Number(value)),
  large: BigInt,
  plus: (x, y) => safe(x + y),
  minus: (x, y) => safe(x - y),
  times: (x, y) => safe(x * y),
  negated: (x) => -x,
  quotient: (x, y) => x / y,
  sign: (x) => (x > 0 ? 1 : x < 0 ? -1 : 0),
  isOne: (x) => x === 1,
  gcd: (x, y) => {
    let [a, b] = [Math.abs(x), Math.abs(y)]
    while (b !== 0) [a, b] = [b, a % b]
    return a
  },
}

/** Bigints. */
export const LARGE: Integers<bigint> = {
  zero: 0n,
  one: 1n,
  of: (value) => value,
  large: (x) => x,
  plus: (x, y) => x + y,
  minus: (x, y) => x - y,
  times: (x, y) => x * y,
  negated: (x) => -x,
  quotient: (x, y) => x / y,
  sign: (x) => (x > 0n ? 1 : x < 0n ? -1 : 0),
  isOne: (x) => x === 1n,
  gcd: (x, y) => {
    let [a, b] = [x < 0n ? -x : x, y < 0n ? -y : y]
    while (b !== 0n) [a, b] = [b, a % b]
    return a
  },
}
