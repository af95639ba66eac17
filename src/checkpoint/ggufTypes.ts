import { BF16, F16, F32, F64, halfValue, I32, I64, type NumberType } from "./numberTypes.js"

const quantised = (name: string, bytes: number, values = 256): NumberType => ({ name, values, bytes })

/** Blocks of 32 values: what a block's bytes say of its value j. */
function inBlocks(name: string, bytes: number, valuesOf: (block: DataView, into: Float32Array) => void): NumberType {
  const decode = (all: Uint8Array) => {
    const blocks = all.length / bytes
    const values = new Float32Array(blocks * 32)
    for (let i = 0; i < blocks; i++)
      valuesOf(new DataView(all.buffer, all.byteOffset + i * bytes, bytes), values.subarray(i * 32, (i + 1) * 32))
    return values
  }
  return { name, values: 32, bytes, decode }
}

const half = (block: DataView, at: number) => halfValue(block.getUint16(at, true))
/** Four bits: of byte j the lower ones are value j, the upper ones value j + 16. */
const nibble = (block: DataView, at: number, j: number) =>
  j < 16 ? block.getUint8(at + j) & 15 : block.getUint8(at + j - 16) >> 4
/** As `nibble`, with a fifth bit from the 32 bits at `high`. */
const five = (block: DataView, high: number, at: number, j: number) =>
  nibble(block, at, j) | (((block.getUint32(high, true) >>> j) & 1) << 4)

const each = (into: Float32Array, value: (j: number) => number) => {
  for (let j = 0; j < 32; j++) into[j] = value(j)
}

/**
 * Tensor types of GGUF by their number; those without `decode` are refused by name when read. Source: ggml.h,
 * ggml-common.h.
 */
export const GGUF_TYPES: ReadonlyMap<number, NumberType> = new Map<number, NumberType>([
  [0, F32],
  [1, F16],
  [
    2,
    inBlocks("Q4_0", 18, (block, into) => {
      const d = half(block, 0)
      each(into, (j) => d * (nibble(block, 2, j) - 8))
    }),
  ],
  [
    3,
    inBlocks("Q4_1", 20, (block, into) => {
      const [d, m] = [half(block, 0), half(block, 2)]
      each(into, (j) => d * nibble(block, 4, j) + m)
    }),
  ],
  [
    6,
    inBlocks("Q5_0", 22, (block, into) => {
      const d = half(block, 0)
      each(into, (j) => d * (five(block, 2, 6, j) - 16))
    }),
  ],
  [
    7,
    inBlocks("Q5_1", 24, (block, into) => {
      const [d, m] = [half(block, 0), half(block, 2)]
      each(into, (j) => d * five(block, 4, 8, j) + m)
    }),
  ],
  [
    8,
    inBlocks("Q8_0", 34, (block, into) => {
      const d = half(block, 0)
      each(into, (j) => d * block.getInt8(2 + j))
    }),
  ],
  [9, quantised("Q8_1", 36, 32)],
  [10, quantised("Q2_K", 84)],
  [11, quantised("Q3_K", 110)],
  [12, quantised("Q4_K", 144)],
  [13, quantised("Q5_K", 176)],
  [14, quantised("Q6_K", 210)],
  [15, quantised("Q8_K", 292)],
  [16, quantised("IQ2_XXS", 66)],
  [17, quantised("IQ2_XS", 74)],
  [18, quantised("IQ3_XXS", 98)],
  [19, quantised("IQ1_S", 50)],
  [20, quantised("IQ4_NL", 18, 32)],
  [21, quantised("IQ3_S", 110)],
  [22, quantised("IQ2_S", 82)],
  [23, quantised("IQ4_XS", 136)],
  [24, quantised("I8", 1, 1)],
  [25, quantised("I16", 2, 1)],
  [26, I32],
  [27, I64],
  [28, F64],
  [29, quantised("IQ1_M", 56)],
  [30, BF16],
  [34, quantised("TQ1_0", 54)],
  [35, quantised("TQ2_0", 66)],
  [39, quantised("MXFP4", 17, 32)],
])
