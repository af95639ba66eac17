/**
 * Python's pickles, as far as `torch.save` uses them for a dictionary of tensors, read by a parser that builds numbers,
 * texts, lists and descriptions of tensors, and nothing else: no name in a pickle is ever looked up, and nothing can be
 * called.
 */
import { MalformedFile } from "./malformed.js"

/** A name that a pickle asks for, of those that are known. */
class Name {
  constructor(readonly name: string) {}
}

/** A tensor's numbers: an entry of the archive. */
export interface PickledStorage {
  readonly kind: "storage"
  /** The class that torch names its type by, as FloatStorage. */
  readonly type: string
  readonly key: string
  readonly length: number
}

/** What `torch._utils._rebuild_tensor_v2` would build. */
export interface PickledTensor {
  readonly kind: "tensor"
  readonly storage: PickledStorage
  readonly offset: number
  readonly shape: readonly number[]
  readonly strides: readonly number[]
}

/** What a pickle holds. */
export type Pickled =
  | string
  | number
  | boolean
  | null
  | Name
  | PickledStorage
  | PickledTensor
  | readonly Pickled[]
  | Map<Pickled, Pickled>

const REBUILD = "torch._utils _rebuild_tensor_v2"
const ORDERED = "collections OrderedDict"
const KNOWN = (name: string) => name === REBUILD || name === ORDERED || /^torch [A-Z][A-Za-z0-9]*Storage$/.test(name)

/** Each makes one small value at most: some 40,000 tensors, and a few hundred megabytes at worst. */
const MOST_INSTRUCTIONS = 1_000_000

/** The stack is cut here at a MARK. */
const MARK = Symbol("mark")

/**
 * The value of a pickle of at most a million instructions.
 *
 * @throws MalformedFile with the byte, for a name other than torch.…Storage, torch._utils._rebuild_tensor_v2 and
 * collections.OrderedDict, and for an instruction that `torch.save` does not write for a dictionary of tensors.
 * Source: Lib/pickletools.py of Python; torch/serialization.py.
 */
export function readPickle(file: string, bytes: Uint8Array): Pickled {
  return new Reader(file, bytes).value()
}

class Reader {
  private at = 0
  private readonly view: DataView
  private readonly stack: (Pickled | typeof MARK)[] = []
  private readonly memo = new Map<number, Pickled>()

  constructor(
    private readonly file: string,
    private readonly bytes: Uint8Array,
  ) {
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  }

  value(): Pickled {
    for (let done = 0; ; done++) {
      if (done === MOST_INSTRUCTIONS) throw this.refuse("length", `more than ${done} instructions`, `at most ${done}`)
      const code = this.take(1, "instruction").getUint8(0)
      if (code === 0x2e) return this.pop()
      const instruction = INSTRUCTIONS.get(code)
      if (instruction === undefined) {
        const said = OTHERS.get(code) ?? `0x${code.toString(16).padStart(2, "0")}`
        throw this.refuse("instruction", said, "those that torch.save writes for a dictionary of tensors", 1)
      }
      instruction(this)
    }
  }

  refuse(part: string, given: unknown, allowed: string, back = 0): MalformedFile {
    const byte = this.at - back
    return new MalformedFile(
      { file: this.file, byte, part: `${part} of the pickle` },
      given,
      allowed,
      "a .safetensors file",
    )
  }

  take(length: number, part: string): DataView {
    if (length > this.bytes.length - this.at)
      throw this.refuse(part, `${length} bytes`, `at most ${this.bytes.length - this.at}: it ends there`)
    this.at += length
    return new DataView(this.view.buffer, this.view.byteOffset + this.at - length, length)
  }

  text(length: number): string {
    const { buffer, byteOffset } = this.take(length, "text")
    try {
      return new TextDecoder("utf-8", { fatal: true }).decode(new Uint8Array(buffer, byteOffset, length))
    } catch {
      throw this.refuse("text", "other bytes", "UTF-8", length)
    }
  }

  line(): string {
    const end = this.bytes.indexOf(10, this.at)
    if (end < 0) throw this.refuse("name", "no end of line", "a name and an end of line")
    const text = this.text(end - this.at)
    this.at++
    return text
  }

  push(value: Pickled | typeof MARK): void {
    this.stack.push(value)
  }

  pop(): Pickled {
    const value = this.stack.pop()
    if (value === undefined || value === MARK) throw this.refuse("stack", "nothing", "a value", 1)
    return value
  }

  /** What lies above the last mark. */
  marked(): Pickled[] {
    const from = this.stack.lastIndexOf(MARK)
    if (from < 0) throw this.refuse("stack", "no mark", "a mark", 1)
    return this.stack.splice(from).slice(1) as Pickled[]
  }

  top<T extends Pickled>(is: (value: Pickled) => value is T, allowed: string): T {
    const value = this.pop()
    if (!is(value)) throw this.refuse("value", describe(value), allowed, 1)
    this.push(value)
    return value
  }

  keep(place = this.memo.size): void {
    const value = this.pop()
    this.push(value)
    this.memo.set(place, value)
  }

  recall(place: number): void {
    const value = this.memo.get(place)
    if (value === undefined) throw this.refuse("memo", place, "a place that was filled")
    this.push(value)
  }

  name(module: Pickled, name: Pickled): void {
    const whole = `${describe(module)} ${describe(name)}`
    if (typeof module !== "string" || typeof name !== "string" || !KNOWN(whole))
      throw this.refuse(
        "name",
        whole.replace(" ", "."),
        "torch.…Storage, torch._utils._rebuild_tensor_v2 or collections.OrderedDict",
      )
    this.push(new Name(whole))
  }

  /** ("storage", type, key, place, length) as torch.save names what lies in the archive. */
  storage(): void {
    const given = this.pop()
    const [word, type, key, , length] = Array.isArray(given) ? (given as Pickled[]) : []
    if (word !== "storage" || !(type instanceof Name) || typeof key !== "string" || !isCount(length))
      throw this.refuse("storage", describe(given), '("storage", torch.…Storage, key, place, length)', 1)
    this.push({ kind: "storage", type: type.name.replace("torch ", ""), key, length })
  }

  /** What a known name would build of its arguments. */
  reduce(): void {
    const [given, name] = [this.pop(), this.pop()]
    if (!(name instanceof Name) || !Array.isArray(given)) throw this.refuse("call", describe(name), "a known name", 1)
    if (name.name === ORDERED && given.length === 0) {
      this.push(new Map())
      return
    }
    const [storage, offset, shape, strides] = given as Pickled[]
    const counts = (value: Pickled | undefined): value is number[] => Array.isArray(value) && value.every(isCount)
    if (name.name !== REBUILD || !isStorage(storage) || !isCount(offset) || !counts(shape) || !counts(strides))
      throw this.refuse(
        "call",
        `${name.name.replace(" ", ".")}(${given.slice(0, 8).map(describe).join(", ")})`,
        "a tensor or an empty OrderedDict",
        1,
      )
    if (shape.length !== strides.length || shape.length > 32)
      throw this.refuse("shape", shape, "as many sizes as strides, at most 32", 1)
    this.push({ kind: "tensor", storage, offset, shape, strides })
  }
}

const isCount = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0
const isMap = (value: Pickled): value is Map<Pickled, Pickled> => value instanceof Map
const isList = (value: Pickled): value is Pickled[] => Array.isArray(value)
const isStorage = (value: Pickled | undefined): value is PickledStorage =>
  typeof value === "object" && value !== null && "kind" in value && value.kind === "storage"

/** A value's kind in a word, whatever its size. */
export function describe(value: Pickled | undefined): string {
  if (value instanceof Name) return value.name.replace(" ", ".")
  if (value instanceof Map) return "a dictionary"
  if (Array.isArray(value)) return "a list"
  if (typeof value === "object" && value !== null && "kind" in value) return `a ${value.kind}`
  return String(value).slice(0, 80)
}

function put(reader: Reader, pairs: readonly Pickled[]): void {
  const map = reader.top(isMap, "a dictionary")
  if (pairs.length % 2 === 1) throw reader.refuse("dictionary", "a key without a value", "pairs", 1)
  for (let i = 0; i < pairs.length; i += 2) {
    const key = pairs[i]!
    if (map.has(key)) throw reader.refuse("dictionary", describe(key), "each key once", 1)
    map.set(key, pairs[i + 1]!)
  }
}

const tuple = (count: number) => (reader: Reader) => {
  const values = Array.from({ length: count }, () => reader.pop())
  reader.push(values.reverse())
}
const list = (reader: Reader) => reader.push([])

/** Little-endian and signed, as LONG1 writes: at most eight bytes. */
function long(reader: Reader): number {
  const length = reader.take(1, "number").getUint8(0)
  const view = reader.take(length, "number")
  let value = 0n
  for (let i = 0; i < length && i < 8; i++) value |= BigInt(view.getUint8(i)) << BigInt(8 * i)
  const number = Number(length === 0 ? 0n : BigInt.asIntN(8 * length, value))
  if (length > 8 || !Number.isSafeInteger(number))
    throw reader.refuse("number", `${length} bytes`, "at most 2^53", length)
  return number
}

/** One row an instruction. */
const INSTRUCTIONS: ReadonlyMap<number, (reader: Reader) => void> = new Map<number, (reader: Reader) => void>([
  [0x80, (r) => void r.take(1, "protocol")],
  [0x95, (r) => void r.take(8, "frame")],
  [0x28, (r) => r.push(MARK)],
  [0x4e, (r) => r.push(null)],
  [0x88, (r) => r.push(true)],
  [0x89, (r) => r.push(false)],
  [0x4a, (r) => r.push(r.take(4, "number").getInt32(0, true))],
  [0x4b, (r) => r.push(r.take(1, "number").getUint8(0))],
  [0x4d, (r) => r.push(r.take(2, "number").getUint16(0, true))],
  [0x8a, (r) => r.push(long(r))],
  [0x47, (r) => r.push(r.take(8, "number").getFloat64(0))],
  [0x58, (r) => r.push(r.text(r.take(4, "length").getUint32(0, true)))],
  [0x8c, (r) => r.push(r.text(r.take(1, "length").getUint8(0)))],
  [0x7d, (r) => r.push(new Map())],
  [0x5d, list],
  [0x29, list],
  [0x85, tuple(1)],
  [0x86, tuple(2)],
  [0x87, tuple(3)],
  [0x74, (r) => r.push(r.marked())],
  [0x61, (r) => append(r, [r.pop()])],
  [0x65, (r) => append(r, r.marked())],
  [
    0x73,
    (r) => {
      const [value, key] = [r.pop(), r.pop()]
      put(r, [key, value])
    },
  ],
  [0x75, (r) => put(r, r.marked())],
  [0x71, (r) => r.keep(r.take(1, "memo").getUint8(0))],
  [0x72, (r) => r.keep(r.take(4, "memo").getUint32(0, true))],
  [0x94, (r) => r.keep()],
  [0x68, (r) => r.recall(r.take(1, "memo").getUint8(0))],
  [0x6a, (r) => r.recall(r.take(4, "memo").getUint32(0, true))],
  [0x63, (r) => r.name(r.line(), r.line())],
  [
    0x93,
    (r) => {
      const [name, module] = [r.pop(), r.pop()]
      r.name(module, name)
    },
  ],
  [0x51, (r) => r.storage()],
  [0x52, (r) => r.reduce()],
  [
    // The state of an OrderedDict: `_metadata`, the versions of modules, which say nothing of the numbers.
    0x62,
    (r) => {
      const state = r.pop()
      r.top(isMap, "an OrderedDict")
      if (!isMap(state)) throw r.refuse("state", describe(state), "a dictionary", 1)
    },
  ],
])

function append(reader: Reader, values: readonly Pickled[]): void {
  const to = reader.top(isList, "a list")
  for (const value of values) to.push(value)
}

/** Instructions by which a pickle makes objects of any class: refused by their names. */
const OTHERS: ReadonlyMap<number, string> = new Map([
  [0x69, "INST"],
  [0x6f, "OBJ"],
  [0x81, "NEWOBJ"],
  [0x92, "NEWOBJ_EX"],
  [0x82, "EXT1"],
  [0x83, "EXT2"],
  [0x84, "EXT4"],
  [0x50, "PERSID"],
])
