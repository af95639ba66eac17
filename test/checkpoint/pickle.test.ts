import { execFile } from "node:child_process"
import { access, mkdtemp, readFile, rm, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { promisify } from "node:util"
import fc from "fast-check"
import { afterAll, beforeAll, describe, expect, test } from "vitest"
import { adapterIn } from "../../src/checkpoint/adapter.js"
import { MalformedFile } from "../../src/checkpoint/malformed.js"
import { openCheckpoint } from "../../src/checkpoint/open.js"
import { InputError } from "../../src/inputError.js"
import { measureRun } from "../../src/inspect/measureRun.js"
import { readRuns } from "../../src/inspect/run.js"
import { pythonWithTorch } from "../python/venv.js"
import { joined, zip } from "./write.js"

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "pickle-"))
})
afterAll(() => rm(folder, { recursive: true }))

/** As test/python/savePickles.py made them. */
const A = [1, 2, 3, 0, 1, 0]
const B = [1, 0, 0, 2, 0, 0, 1, 1]
const kept = fileURLToPath(new URL("./torch/", import.meta.url))

async function valuesIn(path: string): Promise<Record<string, readonly [string, readonly number[], number[]]>> {
  const file = await openCheckpoint(path, true)
  const all: Record<string, readonly [string, readonly number[], number[]]> = {}
  for (const { name, type, shape, read } of file.tensors.values()) all[name] = [type.name, shape, [...(await read())]]
  await file.close()
  return all
}

const text = (value: string) => new TextEncoder().encode(value)
/** BINUNICODE. */
const unicode = (value: string) => {
  const bytes = text(value)
  return joined([Uint8Array.of(0x58, bytes.length, 0, 0, 0), bytes])
}
const global = (module: string, name: string) => text(`c${module}\n${name}\n`)
const PROTOCOL = Uint8Array.of(0x80, 2)
const code = (...bytes: number[]) => Uint8Array.of(...bytes)
const [MARK, TUPLE, REDUCE, STOP, DICT, SETITEM] = [0x28, 0x74, 0x52, 0x2e, 0x7d, 0x73]

async function saved(pickle: readonly Uint8Array[], data: Readonly<Record<string, Uint8Array>> = {}): Promise<string> {
  const path = join(folder, "made.pt")
  await writeFile(path, zip({ "made/data.pkl": joined(pickle), "made/byteorder": text("little"), ...data }))
  return path
}

const refused = async (path: string) => {
  const error = await openCheckpoint(path, true).then(
    () => null,
    (error: unknown) => error,
  )
  expect(error).toBeInstanceOf(MalformedFile)
  return String(error)
}

/** {"x": a tensor of two numbers}, told as torch does, with parts replaced. */
function tensor({
  type = "FloatStorage",
  offset = 0,
  shape = [2],
  strides = [1],
  length = 2,
}: Partial<Record<"offset" | "length", number>> & {
  readonly type?: string
  readonly shape?: readonly number[]
  readonly strides?: readonly number[]
} = {}): Uint8Array[] {
  const counts = (values: readonly number[]) =>
    joined([code(MARK), ...values.map((value) => code(0x4b, value)), code(TUPLE)])
  return [
    PROTOCOL,
    code(DICT),
    unicode("x"),
    global("torch._utils", "_rebuild_tensor_v2"),
    code(MARK, MARK),
    unicode("storage"),
    global("torch", type),
    unicode("0"),
    unicode("cpu"),
    code(0x4b, length, TUPLE, 0x51, 0x4b, offset),
    counts(shape),
    counts(strides),
    code(0x89),
    global("collections", "OrderedDict"),
    code(0x29, REDUCE, TUPLE, REDUCE, SETITEM, STOP),
  ]
}
const two = { "made/data/0": new Uint8Array(Float32Array.of(3, 4).buffer) }

describe("what torch.save writes", () => {
  test("a dictionary of float32, half and bfloat16 tensors", async () => {
    const [q, v] = ["base_model.model.l.q", "base_model.model.l.v"]
    expect(await valuesIn(join(kept, "dict.bin"))).toEqual({
      [`${q}.lora_A.weight`]: ["F32", [2, 3], A],
      [`${q}.lora_B.weight`]: ["F32", [4, 2], B],
      [`${v}.lora_A.weight`]: ["F16", [2, 3], A],
      [`${v}.lora_B.weight`]: ["BF16", [4, 2], B],
    })
  })

  test.each(["ordered.pt", "rows.pt"])(
    "a state_dict with its metadata; views of one storage in protocol 4: %s",
    async (name) => {
      expect(await valuesIn(join(kept, name))).toEqual({
        "l.lora_A.weight": ["F32", [2, 3], A],
        "l.lora_B.weight": ["F32", [4, 2], B],
      })
    },
  )

  test("is measured where it is asked for, and refused where it is not", async () => {
    const path = join(kept, "dict.bin")
    await expect(readRuns(path)).rejects.toThrow(/--pickle/)
    const [run] = await readRuns(path, true)
    const { modules } = await measureRun(run!, null)
    // ‖BA‖² of these factors is 37 by hand: rows (1 2 3), (0 2 0), 0, (1 3 3).
    for (const { points } of modules)
      expect(points[0]!.spectrum.reduce((sum, value) => sum + value ** 2, 0)).toBeCloseTo(37, 8)
  })
})

describe("hostile files", () => {
  const payload = () => join(folder, "payload")
  test.each([
    ["posix", "system", /posix\.system/],
    ["builtins", "eval", /builtins\.eval/],
    ["torch.storage", "_load_from_bytes", /torch\.storage\._load_from_bytes/],
    ["torch._utils", "_rebuild_parameter", /_rebuild_parameter/],
    ["torch", "load", /torch\.load/],
    ["torch", "FloatStorage.from_file", /from_file/],
    ["collections", "OrderedDict.fromkeys", /fromkeys/],
  ])("%s.%s is refused by name, before anything else is read, and never runs", async (module, name, message) => {
    const path = await saved([PROTOCOL, global(module, name), unicode(`touch ${payload()}`), code(0x85, REDUCE, STOP)])
    expect(await refused(path)).toMatch(message)
    // The same by the later instruction, of names on the stack.
    const later = await saved([PROTOCOL, unicode(module), unicode(name), code(0x93, STOP)])
    expect(await refused(later)).toMatch(message)
    await expect(access(payload())).rejects.toThrow()
  })

  test.each<readonly [string, readonly Uint8Array[], RegExp]>([
    ["INST", [code(MARK), text("iposix\nsystem\n")], /INST/],
    ["NEWOBJ", [global("collections", "OrderedDict"), code(0x29, 0x81, STOP)], /NEWOBJ/],
    ["an extension", [code(0x82, 1, STOP)], /EXT1/],
    ["a call of a text", [unicode("x"), code(0x29, REDUCE, STOP)], /call of the pickle/],
    [
      "OrderedDict with an argument",
      [global("collections", "OrderedDict"), unicode("x"), code(0x85, REDUCE, STOP)],
      /call/,
    ],
    ["a state for a text", [unicode("x"), code(DICT, 0x62, STOP)], /OrderedDict/],
    ["an empty stack", [code(STOP)], /stack/],
    ["no mark", [code(0x4e, TUPLE, STOP)], /no mark/],
    ["a place that was never filled", [code(0x68, 7, STOP)], /memo/],
    ["no end", [code(DICT)], /it ends there/],
    ["a text longer than the file", [code(0x58, 255, 255, 255, 255)], /4294967295 bytes/],
    [
      "a key twice",
      [code(DICT), unicode("x"), code(0x4e, SETITEM), unicode("x"), code(0x4e, SETITEM, STOP)],
      /each key once/,
    ],
    ["a list in place of a dictionary", [code(0x5d, STOP)], /a dictionary of tensors by name/],
    ["a number in place of a tensor", [code(DICT), unicode("epoch"), code(0x4b, 3, SETITEM, STOP)], /epoch.*3/],
    ["more than a million instructions", [new Uint8Array(1_000_001).fill(DICT)], /instructions/],
  ])("%s is refused", async (_, pickle, message) => {
    expect(await refused(await saved([PROTOCOL, ...pickle]))).toMatch(message)
  })

  test("tensors must lie in their entry, row by row", async () => {
    expect(await valuesIn(await saved(tensor(), two))).toEqual({ x: ["F32", [2], [3, 4]] })
    expect(await valuesIn(await saved(tensor({ offset: 1, shape: [1] }), two))).toEqual({ x: ["F32", [1], [4]] })
    expect(await refused(await saved(tensor()))).toMatch(/an entry data/)
    expect(await refused(await saved(tensor({ offset: 1 }), two))).toMatch(/at most 1 values from 1/)
    expect(await refused(await saved(tensor({ shape: [200, 200], strides: [200, 1] }), two))).toMatch(
      /at most 2 values/,
    )
    expect(await refused(await saved(tensor({ length: 3 }), two))).toMatch(/8 bytes.*12/)
    expect(await refused(await saved(tensor({ shape: [1, 2], strides: [1, 2] }), two))).toMatch(/contiguous/)
    expect(await refused(await saved(tensor({ shape: [2], strides: [1, 1] }), two))).toMatch(/as many sizes as strides/)
    expect(await refused(await saved(tensor({ type: "ComplexFloatStorage" }), two))).toMatch(/ComplexFloatStorage/)
  })

  test("archives that are compressed, big-endian, cut, doubled or none are refused", async () => {
    const path = join(folder, "other.pt")
    const pickle = { "made/data.pkl": joined(tensor()), ...two }
    const write = async (bytes: Uint8Array) => {
      await writeFile(path, bytes)
      return refused(path)
    }
    expect(await write(zip(pickle, 8))).toMatch(/compressed/)
    expect(await write(zip({ ...pickle, "made/byteorder": text("big") }))).toMatch(/byteorder: got "big"/)
    expect(await write(zip({ ...pickle, "more/data.pkl": pickle["made/data.pkl"]! }))).toMatch(/2 of them/)
    expect(await write(zip(pickle).subarray(0, 200))).toMatch(/end record/)
    expect(await write(text(`cposix\nsystem\n(S'touch ${payload()}'\ntR.`))).toMatch(/end record/)
    await expect(access(payload())).rejects.toThrow()
  })

  test("2,000 corrupted files are refused with a typed error or read within their bytes", async () => {
    const whole = await readFile(join(kept, "dict.bin"))
    const path = join(folder, "corrupted.bin")
    let count = 0
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(fc.nat(whole.length - 1), fc.nat(255)), { minLength: 1, maxLength: 4 }),
        async (changes) => {
          const bytes = Uint8Array.from(whole)
          for (const [at, value] of changes) bytes[at] = value
          await writeFile(path, bytes)
          try {
            const file = await openCheckpoint(path, true)
            await adapterIn(file, null).finally(file.close)
          } catch (error) {
            count++
            expect(error).toBeInstanceOf(InputError)
          }
        },
      ),
      { numRuns: 2000, seed: 22 },
    )
    expect(count).toBeGreaterThan(300)
  })
})

const python = await pythonWithTorch()
describe.skipIf(python === null)("files by this torch and PEFT", () => {
  let made: string
  beforeAll(async () => {
    made = await mkdtemp(join(tmpdir(), "torch-"))
    const script = fileURLToPath(new URL("../python/savePickles.py", import.meta.url))
    await promisify(execFile)(python!, [script, made], { env: { ...process.env, HF_HUB_OFFLINE: "1" } })
  })
  afterAll(() => rm(made, { recursive: true }))

  test("are read as those kept here", async () => {
    for (const name of ["dict.bin", "ordered.pt", "rows.pt"])
      expect(await valuesIn(join(made, name))).toEqual(await valuesIn(join(kept, name)))
  })

  test("PEFT's adapter_model.bin holds what its adapter_model.safetensors does, DoRA's magnitudes too", async () => {
    expect(await valuesIn(join(made, "bin/adapter_model.bin"))).toEqual(
      await valuesIn(join(made, "safe/adapter_model.safetensors")),
    )
    await expect(readRuns(join(made, "bin"))).rejects.toThrow(/adapter_model\.bin.*--pickle/)
    const [bin, safe] = await Promise.all(
      ["bin", "safe"].map(
        async (name) => (await measureRun((await readRuns(join(made, name), true))[0]!, null)).modules,
      ),
    )
    expect(bin).toEqual(safe)
    expect(bin![0]!.points[0]!.magnitude!.norm).toBeGreaterThan(0)
  })

  test("a whole module, a torch older than 1.6, a turned tensor and a number beside tensors are refused by name", async () => {
    expect(await refused(join(made, "module.pt"))).toMatch(/torch\.nn\.modules\.module\.Module/)
    expect(await refused(join(made, "old.pt"))).toMatch(/1\.6/)
    expect(await refused(join(made, "turned.pt"))).toMatch(/contiguous/)
    expect(await refused(join(made, "epoch.pt"))).toMatch(/_rebuild_parameter/)
  })
})
