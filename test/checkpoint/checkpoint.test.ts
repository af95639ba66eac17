import { mkdir, mkdtemp, rm, truncate, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import fc from "fast-check"
import { afterAll, beforeAll, describe, expect, test } from "vitest"
import { bytesInMemory } from "../../src/checkpoint/byteSource.js"
import { openGguf, readGguf } from "../../src/checkpoint/gguf.js"
import { MalformedFile } from "../../src/checkpoint/malformed.js"
import { halfValue } from "../../src/checkpoint/numberTypes.js"
import { openCheckpoint } from "../../src/checkpoint/open.js"
import { peftScale, readPeftConfig } from "../../src/checkpoint/peftConfig.js"
import { readSafetensors } from "../../src/checkpoint/safetensors.js"
import { InputError } from "../../src/inputError.js"
import { bfloat16, float32, gguf, joined, safetensors, withHeader } from "./write.js"

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "checkpoint-"))
})
afterAll(() => rm(folder, { recursive: true }))

const memory = (bytes: Uint8Array) => readSafetensors(bytesInMemory("made", bytes))
const values = async (bytes: Uint8Array, name: string) => [...(await (await memory(bytes)).tensors.get(name)!.read())]

describe("safetensors", () => {
  test("what is written is read, whole or a range", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.array(fc.float({ noNaN: true }), { maxLength: 9 }), { maxLength: 5 }),
        async (all) => {
          const file = await memory(safetensors(all.map((v, i) => float32(`t${i}`, [v.length], v))))
          expect(file.tensors.size).toBe(all.length)
          for (const [i, v] of all.entries()) {
            const tensor = file.tensors.get(`t${i}`)!
            expect([...(await tensor.read())]).toEqual([...Float32Array.from(v)])
            if (v.length > 2) expect([...(await tensor.read(1, 2))]).toEqual([...Float32Array.from(v)].slice(1, 3))
          }
        },
      ),
    )
  })

  test("halves and bfloat16 by hand", async () => {
    // IEEE 754: 0x3c00 is 1, 0x3555 the half next to 1/3, 0x0001 the least subnormal, 2^-24.
    const bytes = new Uint8Array(Uint16Array.of(0x3c00, 0x3555, 0x0001, 0xfbff).buffer)
    expect(await values(safetensors([{ name: "h", dtype: "F16", shape: [4], bytes }]), "h")).toEqual([
      1,
      0.333251953125,
      2 ** -24,
      -65504,
    ])
    expect(halfValue(0x7c00)).toBe(Number.POSITIVE_INFINITY)
    // 8 bits of significand: 1 + 2^-7 is kept, 1 + 2^-9 is not.
    expect(await values(safetensors([bfloat16("b", [2], [1 + 2 ** -7, 1 + 2 ** -9])]), "b")).toEqual([1.0078125, 1])
  })

  const entry = (begin: number, end: number, shape = "[1]") =>
    `{"dtype":"F32","shape":${shape},"data_offsets":[${begin},${end}]}`
  test.each([
    [
      "two entries of one name",
      withHeader(`{"a":${entry(0, 4)},"a":${entry(4, 8)}}`, [new Uint8Array(8)]),
      /data_offsets of "a"/,
    ],
    ["an overlap", withHeader(`{"a":${entry(0, 4)},"b":${entry(0, 4)}}`, [new Uint8Array(4)]), /no gap, no overlap/],
    ["bytes after the last tensor", withHeader(`{"a":${entry(0, 4)}}`, [new Uint8Array(5)]), /1 more bytes/],
    ["a tensor beyond the end", withHeader(`{"a":${entry(0, 8, "[2]")}}`, [new Uint8Array(4)]), /data_offsets of "a"/],
    ["a shape that does not fit", withHeader(`{"a":${entry(0, 4, "[2]")}}`, [new Uint8Array(4)]), /8 bytes/],
    [
      "a product of sizes beyond all numbers",
      withHeader(`{"a":${entry(0, 4, "[9007199254740991,9007199254740991]")}}`, [new Uint8Array(4)]),
      /data_offsets/,
    ],
    ["a size below 0", withHeader(`{"a":${entry(0, 4, "[-1]")}}`, [new Uint8Array(4)]), /shape 0/],
    ["an unknown type", withHeader('{"a":{"dtype":"F12","shape":[],"data_offsets":[0,0]}}', []), /dtype/],
    [
      "a header of 2^63 bytes",
      joined([new Uint8Array([0, 0, 0, 0, 0, 0, 0, 128]), new Uint8Array(99)]),
      /byte 0: length of the header/,
    ],
    ["no JSON", withHeader("[[[", []), /byte 8: header/],
    ["seven bytes", new Uint8Array(7), /7 bytes/],
  ])("%s is refused with byte and field", async (_, bytes, message) => {
    const error = await memory(bytes).catch((e: unknown) => e)
    expect(error).toBeInstanceOf(MalformedFile)
    expect(String(error)).toMatch(message)
  })

  test("a type that is not read is refused by name, and only when read", async () => {
    const file = await memory(safetensors([{ name: "q", dtype: "F8_E4M3", shape: [4], bytes: new Uint8Array(4) }]))
    await expect(file.tensors.get("q")!.read()).rejects.toThrow(/F8_E4M3/)
  })
})

describe("shards", () => {
  const index = (map: Record<string, string>) =>
    writeFile(join(folder, "model.safetensors.index.json"), JSON.stringify({ weight_map: map }))

  test("are read as one; a path outside the folder, a missing tensor and a doubled one are refused", async () => {
    await writeFile(join(folder, "1.safetensors"), safetensors([float32("a", [1], [1])]))
    await writeFile(join(folder, "2.safetensors"), safetensors([float32("b", [2], [2, 3])]))
    await index({ a: "1.safetensors", b: "2.safetensors" })
    const file = await openCheckpoint(folder)
    expect([...(await file.tensors.get("b")!.read(1, 1))]).toEqual([3])
    await file.close()
    await index({ a: "../1.safetensors" })
    await expect(openCheckpoint(folder)).rejects.toThrow(/same folder/)
    await index({ c: "1.safetensors" })
    await expect(openCheckpoint(folder)).rejects.toThrow(/a shard that holds it/)
    await writeFile(join(folder, "2.safetensors"), safetensors([float32("a", [1], [1])]))
    await index({ a: "1.safetensors", b: "2.safetensors" })
    await expect(openCheckpoint(folder)).rejects.toThrow(/one shard only/)
  })

  test("a file of 40 GB is opened, and a range of it read, in little memory", async () => {
    const rows = 1_000_000
    const header = JSON.stringify({ w: { dtype: "F32", shape: [rows, 10_000], data_offsets: [0, rows * 40_000] } })
    const path = join(folder, "sparse.safetensors")
    const bytes = withHeader(header, [])
    await writeFile(path, bytes)
    await truncate(path, bytes.length + rows * 40_000)
    const before = process.memoryUsage().rss
    const file = await openCheckpoint(path)
    expect((await file.tensors.get("w")!.read((rows - 1) * 10_000, 10_000)).length).toBe(10_000)
    await file.close()
    expect(process.memoryUsage().rss - before).toBeLessThan(2e8)
    await rm(path)
  })
})

describe("gguf", () => {
  /** A scale of 1/2 as a half. */
  const half = [0x00, 0x38]
  const nibbles = Array.from({ length: 16 }, (_, j) => j | ((15 - j) << 4))
  const file = gguf({ "general.architecture": "llama", "adapter.lora.alpha": 16, tokens: ["a", "b"] }, [
    { name: "f", sizes: [3, 2], type: 0, bytes: new Uint8Array(Float32Array.of(1, 2, 3, 4, 5, 6).buffer) },
    {
      name: "q8",
      sizes: [32],
      type: 8,
      bytes: Uint8Array.of(...half, ...Array.from({ length: 32 }, (_, j) => j - 16)),
    },
    { name: "q40", sizes: [32], type: 2, bytes: Uint8Array.of(...half, ...nibbles) },
    { name: "q41", sizes: [32], type: 3, bytes: Uint8Array.of(...half, ...half, ...nibbles) },
    { name: "k", sizes: [256], type: 12, bytes: new Uint8Array(144) },
  ])
  const read = async (name: string) => [
    ...(await (await readGguf(bytesInMemory("made", file))).tensors.get(name)!.read()),
  ]

  test("metadata, shapes in row-major order, plain and quantised values by hand", async () => {
    const { metadata, tensors } = await readGguf(bytesInMemory("made", file))
    expect(Object.fromEntries(metadata)).toEqual({
      "general.architecture": "llama",
      "adapter.lora.alpha": 16,
      tokens: ["a", "b"],
    })
    expect(tensors.get("f")!.shape).toEqual([2, 3])
    expect(await read("f")).toEqual([1, 2, 3, 4, 5, 6])
    expect(await read("q8")).toEqual(Array.from({ length: 32 }, (_, j) => (j - 16) / 2))
    // Lower halves of the bytes first, then the upper ones.
    expect(await read("q40")).toEqual(Array.from({ length: 32 }, (_, j) => ((j < 16 ? j : 31 - j) - 8) / 2))
    expect(await read("q41")).toEqual(Array.from({ length: 32 }, (_, j) => (j < 16 ? j : 31 - j) / 2 + 0.5))
    await expect(read("k")).rejects.toThrow(/Q4_K/)
  })

  test("version, counts, types and offsets are checked", async () => {
    const changed = (at: number, value: number) => {
      const bytes = file.slice()
      bytes[at] = value
      return readGguf(bytesInMemory("made", bytes)).catch((e: unknown) => String(e))
    }
    expect(await changed(0, 0)).toMatch(/byte 0: magic/)
    expect(await changed(4, 1)).toMatch(/byte 4: version/)
    expect(await changed(15, 255)).toMatch(/byte 8: count of tensors/)
    expect(await changed(23, 1)).toMatch(/byte 16: count of metadata/)
    await writeFile(join(folder, "cut.gguf"), file.subarray(0, 60))
    await expect(openGguf(join(folder, "cut.gguf"))).rejects.toBeInstanceOf(MalformedFile)
  })
})

test("5,000 corrupted files: refused with a typed error, or read within their own bytes", async () => {
  const whole = [
    safetensors([float32("a", [2, 3], [1, 2, 3, 4, 5, 6]), bfloat16("b", [4], [1, 2, 3, 4])], { format: "pt" }),
    gguf({ alpha: 1, names: ["x", "y", "z"] }, [
      { name: "f", sizes: [2], type: 0, bytes: new Uint8Array(8) },
      { name: "q", sizes: [32, 2], type: 8, bytes: new Uint8Array(68) },
    ]),
  ]
  let refused = 0
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom(0, 1),
      fc.array(fc.tuple(fc.nat(), fc.nat(255)), { minLength: 1, maxLength: 6 }),
      fc.option(fc.nat()),
      async (kind, changes, cut) => {
        let bytes = whole[kind]!.slice()
        for (const [at, value] of changes) bytes[at % Math.min(bytes.length, 320)] = value
        if (cut !== null) bytes = bytes.slice(0, cut % bytes.length)
        try {
          const file = await (kind === 0 ? readSafetensors : readGguf)(bytesInMemory("corrupt", bytes))
          for (const tensor of file.tensors.values()) expect((await tensor.read()).length).toBe(tensor.length)
        } catch (error) {
          refused++
          expect(error).toBeInstanceOf(InputError)
          expect(String(error).length).toBeLessThan(1500)
        }
      },
    ),
    { numRuns: 5000, seed: 22 },
  )
  expect(refused).toBeGreaterThan(1000)
})

test("a text in place of a file is called one: git's pointer, a server's page", async () => {
  for (const text of ["version https://git-lfs.github.com/spec/v1\noid sha256:ab\n", "<html>404</html>"]) {
    const file = bytesInMemory("x.safetensors", new TextEncoder().encode(text))
    await expect(readSafetensors(file)).rejects.toThrow(/this is a text.*git lfs pull/)
  }
})

describe("PEFT's configuration", () => {
  const config = async (fields: object) => {
    await mkdir(join(folder, "peft"), { recursive: true })
    const path = join(folder, "peft/adapter_config.json")
    await writeFile(path, JSON.stringify({ peft_type: "LORA", r: 16, lora_alpha: 32, ...fields }))
    return readPeftConfig(path)
  }

  test("the scale is alpha / r, alpha / sqrt(r) for rsLoRA, and a module's own alpha where a pattern names it", async () => {
    expect(peftScale(await config({}), "h.0.q_proj", 16).scale).toBe(2)
    expect(peftScale(await config({ use_rslora: true }), "h.0.q_proj", 16).scale).toBe(8)
    const patterned = await config({ alpha_pattern: { q_proj: 8, ".*\\.0\\.v_proj": 4 } })
    expect(["h.0.q_proj", "h.0.v_proj", "h.1.v_proj"].map((name) => peftScale(patterned, name, 16).alpha)).toEqual([
      8, 4, 32,
    ])
  })

  test("other adapters, fields of another type and patterns without end are refused", async () => {
    await expect(config({ peft_type: "IA3" })).rejects.toThrow(/peft_type: got "IA3"/)
    await expect(config({ peft_type: undefined })).rejects.toThrow(/peft_type: got null; allowed: LORA/)
    await expect(config({ r: "eight" })).rejects.toThrow(/r: got "eight"/)
    await expect(config({ rank_pattern: [] })).rejects.toThrow(/for example "rank_pattern": {"q_proj": 4}/)
    const slow = await config({ alpha_pattern: { "(a+)+b": 4 } })
    expect(() => peftScale(slow, "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", 16)).toThrow(/repetitions/)
  })
})
