import { rename, writeFile } from "node:fs/promises"

/** A float32 tensor to be written. */
export interface WrittenTensor {
  readonly name: string
  /** Row-major: the last index runs fastest. */
  readonly shape: readonly number[]
  readonly values: Float32Array
}

/**
 * Writes a safetensors file of float32 tensors, whole or not at all.
 *
 * Source: the format's specification, github.com/huggingface/safetensors; the header ends at a multiple of 8.
 */
export async function writeSafetensors(path: string, tensors: readonly WrittenTensor[]): Promise<void> {
  let offset = 0
  // As PEFT and transformers ask of a file.
  const header: Record<string, unknown> = { __metadata__: { format: "pt" } }
  for (const { name, shape, values } of tensors) {
    header[name] = { dtype: "F32", shape, data_offsets: [offset, offset + values.byteLength] }
    offset += values.byteLength
  }
  const text = Buffer.from(JSON.stringify(header))
  const padded = Buffer.concat([text, Buffer.alloc(-text.length & 7, " ")])
  const length = Buffer.alloc(8)
  length.writeBigUInt64LE(BigInt(padded.length))
  const data = tensors.map(({ values }) => Buffer.from(values.buffer, values.byteOffset, values.byteLength))
  await writeFile(`${path}.part`, [length, padded, ...data])
  await rename(`${path}.part`, path)
}
