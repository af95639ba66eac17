/**
 * An ONNX graph while it is written: nodes in their order, inputs, outputs and constants, and the model's bytes at the
 * end.
 */
import { delimited, type Encoded, integer, message } from "./protobuf.js"

/** Where an attribute of a node is a number, a list of whole numbers or a name. */
type Attributes = Readonly<Record<string, number | readonly number[] | string>>

/** Element types by their number in TensorProto.DataType. */
const TYPES = { float32: 1, int64: 7, float64: 11 } as const
type ElementType = keyof typeof TYPES

/** Versions that every release of ONNX Runtime since 1.14 reads: operators of set 17. */
const [IR_VERSION, OPERATORS] = [8, 17]

/** AttributeProto's types. */
const [INT, STRING, INTS] = [2, 3, 7]

/** Writes a graph node by node; a value is known by its name, and what is asked for twice is written once. */
export class OnnxGraph {
  private readonly nodes: Encoded[] = []
  private readonly inputs: Encoded[] = []
  private readonly outputs: Encoded[] = []
  private readonly constants = new Map<string, { readonly name: string; readonly tensor: Encoded }>()
  private readonly written = new Map<string, readonly string[]>()
  private readonly opposite = new Map<string, string>()
  private names = 0

  /** Adds an operation and gives the name of its result. */
  node(operator: string, inputs: readonly string[], attributes: Attributes = {}): string {
    return this.several(operator, inputs, attributes, 1)[0]!
  }

  /** Adds an operation with several results. */
  several(operator: string, inputs: readonly string[], attributes: Attributes, count: number): readonly string[] {
    const key = JSON.stringify([operator, inputs, attributes])
    const known = this.written.get(key)
    if (known !== undefined) return known
    const results = Array.from({ length: count }, () => `v${this.names++}`)
    this.written.set(key, results)
    this.nodes.push(
      message(
        ...inputs.map((name) => delimited(1, name)),
        ...results.map((name) => delimited(2, name)),
        delimited(4, operator),
        ...Object.entries(attributes).map(([name, value]) => delimited(5, attribute(name, value))),
      ),
    )
    return results
  }

  /** Exchanges the last two of a value's dimensions; twice is never written. */
  transposed(of: string, dimensions: number): string {
    const known = this.opposite.get(of)
    if (known !== undefined) return known
    const perm = Array.from({ length: dimensions }, (_, axis) => axis)
    perm.push(...perm.splice(-2).reverse())
    const result = this.node("Transpose", [of], { perm })
    this.opposite.set(of, result)
    this.opposite.set(result, of)
    return result
  }

  /** The name of a constant; equal ones are kept once. */
  constant(numbers: readonly number[], dimensions: readonly number[], type: ElementType = "float32"): string {
    const key = `${type} ${dimensions} ${numbers}`
    const known = this.constants.get(key)
    if (known !== undefined) return known.name
    const name = `c${this.constants.size}`
    const tensor = message(
      ...dimensions.map((size) => integer(1, size)),
      integer(2, TYPES[type]),
      delimited(8, name),
      delimited(9, bytesOf(numbers, type)),
    )
    this.constants.set(key, { name, tensor })
    return name
  }

  /** Declares an input and gives its name. */
  input(name: string): string {
    this.inputs.push(valueInfo(name, "float32"))
    return name
  }

  /** Makes a value an output of its own name, whatever it is called inside. */
  output(name: string, of: string, type: ElementType = "float32"): void {
    this.nodes.push(message(delimited(1, of), delimited(2, name), delimited(4, "Identity")))
    this.outputs.push(valueInfo(name, type))
  }

  /** The model as bytes (ModelProto). */
  model(): Uint8Array {
    const graph = message(
      ...this.nodes.map((node) => delimited(1, node)),
      delimited(2, "step"),
      ...[...this.constants.values()].map(({ tensor }) => delimited(5, tensor)),
      ...this.inputs.map((info) => delimited(11, info)),
      ...this.outputs.map((info) => delimited(12, info)),
    )
    return Buffer.concat(
      message(
        integer(1, IR_VERSION),
        delimited(2, "lora-scaling"),
        delimited(7, graph),
        delimited(8, message(delimited(1, ""), integer(2, OPERATORS))),
      ),
    )
  }
}

/** The number 0, which takes any shape. */
export function zero(graph: OnnxGraph): string {
  return graph.constant([0], [1])
}

/** Whether x > 0, entry by entry. */
export function isPositive(graph: OnnxGraph, x: string): string {
  return graph.node("Greater", [x, zero(graph)])
}

/** 1 − x. */
export function oneLess(graph: OnnxGraph, x: string): string {
  return graph.node("Sub", [graph.constant([1], [1]), x])
}

/** A number that is known now, times x. */
export function times(graph: OnnxGraph, x: string, factor: number): string {
  return graph.node("Mul", [x, graph.constant([factor], [1])])
}

function attribute(name: string, value: Attributes[string]): Encoded {
  const text = delimited(1, name)
  if (typeof value === "string") return message(text, delimited(4, value), integer(20, STRING))
  if (typeof value === "object") return message(text, ...value.map((each) => integer(8, each)), integer(20, INTS))
  return message(text, integer(3, value), integer(20, INT))
}

/**
 * A value's name and type, of any shape: where ONNX Runtime knows dimensions by their names alone, it compares each
 * result's with those of all tensors before it, which took four fifths of the time to open a model of 30 blocks.
 */
function valueInfo(name: string, type: ElementType): Encoded {
  return message(delimited(1, name), delimited(2, delimited(1, message(integer(1, TYPES[type])))))
}

function bytesOf(numbers: readonly number[], type: ElementType): Uint8Array {
  const typed =
    type === "float32"
      ? Float32Array.from(numbers)
      : type === "float64"
        ? Float64Array.from(numbers)
        : BigInt64Array.from(numbers.map(BigInt))
  return new Uint8Array(typed.buffer)
}
