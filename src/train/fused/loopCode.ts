/**
 * Loops over long vectors as WebAssembly, written number by number: a function goes through vectors of one length, two
 * entries at a time, and keeps what it computes in registers.
 *
 * The binary format: https://webassembly.github.io/spec/core/binary. A library that writes it (binaryen) has 14 MB.
 */

/** A register of two float64 numbers. */
export interface Value {
  readonly local: Local
}

/** Where a vector or a few numbers lie: a parameter of the function. */
export interface Address {
  readonly local: Local
}

interface Local {
  index: number
}

type Code = (number | Local)[]

/** Operations on two numbers side by side, by the bytes behind the prefix of vectors. */
const OPERATIONS = {
  add: [0xf0, 0x01],
  sub: [0xf1, 0x01],
  mul: [0xf2, 0x01],
  div: [0xf3, 0x01],
  min: [0xf4, 0x01],
  max: [0xf5, 0x01],
  nearest: [0x94, 0x01],
  sqrt: [0xef, 0x01],
  neg: [0xed, 0x01],
  ne: [0x48],
  lt: [0x49],
  gt: [0x4a],
  and: [0x4e],
  or: [0x50],
  /** The first where the third's bits are set, else the second. */
  select: [0x52],
} as const
export type LoopOperation = keyof typeof OPERATIONS

const VECTOR = 0xfd
const [LOAD, LOAD_BOTH, STORE, CONSTANT, LANE] = [0x00, 0x0a, 0x0b, 0x0c, 0x21]
const [GET, SET] = [0x20, 0x21]
const [I32, V128] = [0x7f, 0x7b]
const I32_CONSTANT = 0x41
const SHIFT_LEFT = [0xcb, 0x01]
/** Alignments as powers of two, of a vector and of a number. */
const [ALIGN_VECTOR, ALIGN_NUMBER] = [4, 3]

/** One loop. What is written in the loop runs for each two entries; numbers are read before it, sums stored after it. */
export class LoopCode {
  private readonly addresses: Local[] = []
  private readonly values: Local[] = []
  private readonly before: Code = []
  private readonly body: Code = []
  private readonly after: Code = []
  private readonly constants = new Map<number, Value>()

  /** A further parameter, in their order. */
  address(): Address {
    const local = { index: -1 }
    this.addresses.push(local)
    return { local }
  }

  /** How many parameters there are behind the vectors' length in bytes. */
  get parameters(): number {
    return this.addresses.length
  }

  /** A number that all entries are computed with, the `place`-th at an address. */
  number({ local }: Address, place: number): Value {
    return this.set(this.before, [GET, local, VECTOR, LOAD_BOTH, ALIGN_NUMBER, ...unsigned(8 * place)])
  }

  constant(value: number): Value {
    const known = this.constants.get(value)
    if (known !== undefined) return known
    const bytes = [...new Uint8Array(Float64Array.of(value, value).buffer)]
    const made = this.set(this.before, [VECTOR, CONSTANT, ...bytes])
    this.constants.set(value, made)
    return made
  }

  /** The entries of the vector at an address. */
  load({ local }: Address): Value {
    return this.set(this.body, [...this.place(local), VECTOR, LOAD, ALIGN_VECTOR, 0])
  }

  store({ local }: Address, value: Value): void {
    this.body.push(...this.place(local), GET, value.local, VECTOR, STORE, ALIGN_VECTOR, 0)
  }

  apply(operation: LoopOperation, ...operands: readonly Value[]): Value {
    const read = operands.flatMap(({ local }) => [GET, local])
    return this.set(this.body, [...read, VECTOR, ...OPERATIONS[operation]])
  }

  /** Σ coefficients[k] xᵏ by Horner's rule. */
  polynomial(coefficients: readonly number[], x: Value): Value {
    return coefficients
      .map((coefficient) => this.constant(coefficient))
      .reduceRight((sum, coefficient) => this.apply("add", coefficient, this.apply("mul", x, sum)))
  }

  /** 2 to the power of a whole number from −1022 to 1023: its bits are moved to where the exponent stands. */
  powerOfTwo(exponent: Value): Value {
    const { local } = this.apply("add", exponent, this.constant(2 ** 52 + 1023))
    return this.set(this.body, [GET, local, I32_CONSTANT, 52, VECTOR, ...SHIFT_LEFT])
  }

  /** Stores the sum over all entries of some values as the `place`-th number at an address. */
  sum(terms: readonly Value[], { local }: Address, place: number): void {
    const total = this.set(this.before, [VECTOR, CONSTANT, ...new Array<number>(16).fill(0)])
    const own = terms.reduce((all, term) => this.apply("add", all, term))
    this.body.push(GET, total.local, GET, own.local, VECTOR, ...OPERATIONS.add, SET, total.local)
    const lane = (index: number): Code => [GET, total.local, VECTOR, LANE, index]
    this.after.push(GET, local, ...lane(0), ...lane(1), F64_ADD, F64_STORE, ALIGN_NUMBER, ...unsigned(8 * place))
  }

  /** The function's body, and its parameters. */
  function(): { readonly parameters: number; readonly body: readonly number[] } {
    const parameters = 1 + this.addresses.length
    this.addresses.forEach((local, i) => {
      local.index = 1 + i
    })
    // Behind the parameters: how far the loop is, in bytes.
    const at = parameters
    this.values.forEach((local, i) => {
      local.index = at + 1 + i
    })
    this.at.index = at
    const locals = [2, 1, I32, ...unsigned(this.values.length), V128]
    const loop: Code = [
      // Until all are done: once at least, since no vector is empty.
      ...[0x03, 0x40],
      ...this.body,
      ...[GET, this.at, I32_CONSTANT, 16, 0x6a, 0x22, this.at],
      ...[GET, { index: 0 }, 0x49, 0x0d, 0, 0x0b],
    ]
    const code = [...this.before, ...loop, ...this.after, 0x0b]
    const bytes = code.flatMap((part) => (typeof part === "number" ? [part] : unsigned(part.index)))
    return { parameters, body: [...locals, ...bytes] }
  }

  private readonly at: Local = { index: -1 }

  private place(local: Local): Code {
    return [GET, local, GET, this.at, 0x6a]
  }

  private set(where: Code, code: Code): Value {
    const local = { index: -1 }
    this.values.push(local)
    where.push(...code, SET, local)
    return { local }
  }
}

const [F64_ADD, F64_STORE] = [0xa0, 0x39]

/** A module of loops that share a memory, exported by their numbers. */
export function loopModule(loops: readonly LoopCode[]): Uint8Array<ArrayBuffer> {
  const functions = loops.map((loop) => loop.function())
  const types = functions.map(({ parameters }) => [0x60, ...list(new Array<number[]>(parameters).fill([I32])), 0])
  const memory = [...text("env"), ...text("memory"), 0x02, 0x03, ...unsigned(1), ...unsigned(2 ** 16)]
  return Uint8Array.from([
    ...[0x00, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
    ...section(1, list(types)),
    ...section(2, list([memory])),
    ...section(3, list(functions.map((_, i) => unsigned(i)))),
    ...section(7, list(functions.map((_, i) => [...text(String(i)), 0x00, ...unsigned(i)]))),
    ...section(10, list(functions.map(({ body }) => [...unsigned(body.length), ...body]))),
  ])
}

function section(id: number, bytes: readonly number[]): number[] {
  return [id, ...unsigned(bytes.length), ...bytes]
}

function list(items: readonly (readonly number[])[]): number[] {
  return [...unsigned(items.length), ...items.flat()]
}

function text(of: string): number[] {
  const bytes = [...new TextEncoder().encode(of)]
  return [...unsigned(bytes.length), ...bytes]
}

/** A whole number ≥ 0 in groups of seven bits, the lowest first. */
function unsigned(value: number): number[] {
  return value < 128 ? [value] : [(value % 128) | 128, ...unsigned(Math.floor(value / 128))]
}
