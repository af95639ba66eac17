import { execFile } from "node:child_process"
import { access, mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import fc from "fast-check"
import { afterAll, beforeAll, describe, expect, test } from "vitest"
import { adapterIn } from "../../src/checkpoint/adapter.js"
import { bytesInMemory } from "../../src/checkpoint/byteSource.js"
import { readGguf } from "../../src/checkpoint/gguf.js"
import { readSafetensors } from "../../src/checkpoint/safetensors.js"
import { InputError } from "../../src/inputError.js"
import { FINDINGS } from "../../src/inspect/catalogue.js"
import { measureRun } from "../../src/inspect/measureRun.js"
import { readRuns } from "../../src/inspect/run.js"
import { InspectionJson } from "../../src/report/inspection.js"
import { bfloat16, float32, gguf, safetensors } from "../checkpoint/write.js"
import { train, usual, write } from "./made.js"

const root = fileURLToPath(new URL("../../", import.meta.url))
let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "formats-"))
})
afterAll(() => rm(folder, { recursive: true }))

/**
 * A = (1 2 3; 0 1 0), B = (1 0; 0 2; 0 0; 1 1): by hand BA has rows (1 2 3), (0 2 0), 0, (1 3 3), so ‖BA‖² = 14 + 4 +
 * 19.
 */
const [A, B] = [
  [1, 2, 3, 0, 1, 0],
  [1, 0, 0, 2, 0, 0, 1, 1],
]
const bytesOf = (values: readonly number[]) => new Uint8Array(Float32Array.from(values).buffer)
const names: Readonly<
  Record<string, readonly [file: string, bytes: Uint8Array, format: string, scale: number | null]>
> = {
  kohya: [
    "kohya.safetensors",
    safetensors([
      float32("lora_unet_mid_block_attn_to_q.lora_down.weight", [2, 3], A),
      float32("lora_unet_mid_block_attn_to_q.lora_up.weight", [4, 2], B),
      bfloat16("lora_unet_mid_block_attn_to_q.alpha", [], [1]),
    ]),
    "kohya",
    0.5,
  ],
  "kohya, a convolution": [
    "conv.safetensors",
    safetensors([
      float32("lora_unet_conv.lora_down.weight", [2, 3, 1, 1], A),
      float32("lora_unet_conv.lora_up.weight", [4, 2, 1, 1], B),
      float32("lora_unet_conv.alpha", [], [4]),
    ]),
    "kohya",
    2,
  ],
  diffusers: [
    "pytorch_lora_weights.safetensors",
    safetensors([
      float32("unet.down.attn1.processor.to_q_lora.down.weight", [2, 3], A),
      float32("unet.down.attn1.processor.to_q_lora.up.weight", [4, 2], B),
    ]),
    "diffusers",
    null,
  ],
  "llama.cpp": [
    "adapter.gguf",
    gguf({ "general.type": "adapter", "adapter.type": "lora", "adapter.lora.alpha": 4 }, [
      { name: "blk.0.attn_q.weight.lora_a", sizes: [3, 2], type: 0, bytes: bytesOf(A!) },
      { name: "blk.0.attn_q.weight.lora_b", sizes: [2, 4], type: 0, bytes: bytesOf(B!) },
    ]),
    "GGUF",
    2,
  ],
  "PEFT without a configuration": [
    "peft.safetensors",
    safetensors([
      float32("base_model.model.l.q.lora_A.default.weight", [2, 3], A),
      float32("base_model.model.l.q.lora_B.default.weight", [4, 2], B),
    ]),
    "PEFT",
    null,
  ],
}

describe("other people's adapters", () => {
  test.each(Object.entries(names))(
    "%s: factors, multiplier and ‖BA‖ by hand",
    async (_, [file, bytes, format, scale]) => {
      const path = join(folder, file)
      await writeFile(path, bytes)
      const [run] = await readRuns(path)
      expect(run!.checkpoints[0]!.adapter.format).toBe(format)
      const { modules } = await measureRun(run!, null)
      expect(modules).toHaveLength(1)
      expect(modules[0]).toMatchObject({ rank: 2, input: 3, output: 4 })
      expect(modules[0]!.scale.value).toBe(scale)
      const { spectrum, a } = modules[0]!.points[0]!
      expect(spectrum[0]! ** 2 + spectrum[1]! ** 2).toBeCloseTo(37, 8)
      expect(a.norm ** 2).toBeCloseTo(15, 8)
    },
  )

  test("kohya's epochs side by side are one run in their order, another adapter beside them another", async () => {
    const place = join(folder, "epochs")
    await mkdir(place)
    const bytes = names.kohya![1]
    for (const name of ["cat-000002", "cat-000001", "cat", "dog"])
      await writeFile(join(place, `${name}.safetensors`), bytes)
    const runs = await readRuns(place)
    expect(runs.map(({ checkpoints }) => checkpoints.map(({ label }) => label))).toEqual([
      ["cat-000001", "cat-000002", "cat"],
      ["dog"],
    ])
  })

  test("other kinds, half a module, factors that do not multiply and pickles are refused by name", async () => {
    const refused = async (tensors: Parameters<typeof safetensors>[0]) => {
      const path = join(folder, "refused.safetensors")
      await writeFile(path, safetensors(tensors))
      return String(await readRuns(path).catch((error: unknown) => error))
    }
    expect(await refused([float32("x.hada_w1_a", [1], [1])])).toContain("LoHa")
    expect(await refused([float32("x.lora_A.weight", [2, 3], A)])).toContain("has only A")
    expect(await refused([float32("x.lora_A.weight", [2, 3], A), float32("x.lora_B.weight", [2, 4], B)])).toContain(
      "output × 2",
    )
    const wide = [
      float32("x.lora_A.weight", [3000, 1], new Array(3000).fill(1)),
      float32("x.lora_B.weight", [1, 3000], new Array(3000).fill(1)),
    ]
    expect(await refused(wide)).toContain("r at most 2048")
    const pickle = join(folder, "adapter_model.bin")
    // A pickle that would make a file when loaded: os.system("touch …").
    const made = join(folder, "payload")
    await writeFile(pickle, `cos\nsystem\n(S'touch ${made}'\ntR.`)
    await expect(readRuns(pickle)).rejects.toThrow(InputError)
    await expect(access(made)).rejects.toThrow()
  })

  test("5,000 corrupted adapters are refused with a typed error or read", async () => {
    const files = Object.values(names).map(([, bytes]) => bytes)
    let refused = 0
    await fc.assert(
      fc.asyncProperty(
        fc.nat(files.length - 1),
        fc.array(fc.tuple(fc.nat(), fc.nat(255)), { minLength: 1, maxLength: 5 }),
        async (kind, changes) => {
          const bytes = files[kind]!.slice()
          for (const [at, value] of changes) bytes[at % bytes.length] = value
          try {
            const file = await (kind === 3 ? readGguf : readSafetensors)(bytesInMemory("made", bytes))
            await adapterIn(file, null)
          } catch (error) {
            refused++
            expect(error).toBeInstanceOf(InputError)
          }
        },
      ),
      { numRuns: 5000, seed: 22 },
    )
    expect(refused).toBeGreaterThan(2000)
  })
})

describe("the command", () => {
  const lora = (...words: string[]) =>
    new Promise<{ code: number; out: string; err: string }>((resolve) =>
      execFile(
        process.execPath,
        [join(root, "dist/src/cli/main.js"), ...words],
        { cwd: folder, maxBuffer: 1e8 },
        (error, out, err) => resolve({ code: error ? Number(error.code) : 0, out, err }),
      ),
    )

  test("JSON follows its schema; page and table are written; two runs of one alpha are told", async () => {
    const runs = join(folder, "runs")
    await write(join(runs, "rank-4"), train({ ...usual, layers: 1 }))
    await write(join(runs, "rank-2"), train({ ...usual, layers: 1, rank: 2 }), { config: { lora_alpha: 4 } })
    const { code, out, err } = await lora("inspect", runs, "--json", "--html", "page.html", "--table", "runs.csv")
    expect([code, err]).toEqual([0, ""])
    const json = InspectionJson.parse(JSON.parse(out))
    expect(json.runs.map(({ name }) => name)).toEqual(["rank-2", "rank-4"])
    expect(json.runs[0]!.findings.map(({ id }) => id)).toEqual(FINDINGS.map(({ id }) => id))
    expect(json.across[0]!.says).toContain("rank 2")
    const page = await readFile(join(folder, "page.html"), "utf8")
    expect(page.match(/<svg/g)).toHaveLength(6)
    expect(page).not.toMatch(/src=|https?:\/\/(?!www\.w3\.org)/)
    const table = await readFile(join(folder, "runs.csv"), "utf8")
    expect(table.split("\n")[0]).toBe("run,width,rank,seed,rate,step,module,kind,quantity,value")
    expect(table).toContain("rank-4,48,4,rank-4,0.004,20,model.layers.0.self_attn.q_proj,q_proj,b,")
  })

  test("fit reads a folder of runs, and a folder of recorded lines, as a table", async () => {
    const words = ["--by", "quantity", "kind", "--pool", "module", "run", "--json"]
    const { code, out } = await lora("fit", join(root, "examples/runs"), ...words)
    expect(code).toBe(0)
    const groups = JSON.parse(out).fits as { group: string; exponent: number }[]
    const of = (name: string) => groups.find(({ group }) => group === name)!.exponent
    // Init[B] at η ~ 1/n: B stays N(0, 1/r), A's entries fall as the rate does, and ΔB's part falls like 1/n beside
    // ΔA's.
    expect(of("b / q_proj")).toBeCloseTo(0, 1)
    expect(Math.abs(of("a / q_proj") + 1)).toBeLessThan(0.3)
    expect(Math.abs(of("operatorDeltaBA / q_proj") - of("operatorBDeltaA / q_proj") + 1)).toBeLessThan(0.3)
    const recorded = join(folder, "recorded")
    await mkdir(recorded)
    for (const [i, width] of [64, 128, 256].entries())
      await writeFile(
        join(recorded, `${i}.jsonl`),
        `${JSON.stringify({ run: `r${i}`, seed: 0, width, step: 1, value: 2 * width })}\n`,
      )
    expect(JSON.parse((await lora("fit", recorded, "--json")).out).fits[0].exponent).toBeCloseTo(1, 9)
    const wrong = await lora("fit", recorded, "--value", "size")
    expect([wrong.code, wrong.err]).toEqual([2, expect.stringContaining(`a column of ${recorded}`)])
  })

  test("what a thread refuses exits 2 too, by tensor and type", async () => {
    // More values than one thread takes, in a type that is not read.
    const factor = (name: string, shape: [number, number]) => ({
      name,
      dtype: "F8_E4M3",
      shape,
      bytes: new Uint8Array(shape[0] * shape[1]),
    })
    const tensors = Array.from({ length: 11 }, (_, i) => [
      factor(`base_model.model.l.${i}.q.lora_A.weight`, [512, 2048]),
      factor(`base_model.model.l.${i}.q.lora_B.weight`, [2048, 512]),
    ]).flat()
    const path = join(folder, "eight-bits.safetensors")
    await writeFile(path, safetensors(tensors))
    const { code, err } = await lora("inspect", path, "--workers", "2")
    expect([code, err]).toEqual([2, expect.stringMatching(/^error: .*l\.\d+\.q\.lora_A.*got "F8_E4M3"/)])
    await rm(path)
  })

  test("a folder without an adapter exits 2 and says what is read", async () => {
    await mkdir(join(folder, "empty"))
    const { code, err } = await lora("inspect", join(folder, "empty"))
    expect([code, err]).toEqual([2, expect.stringContaining("adapter_model.safetensors")])
  })
})

test("every finding has its page and picture, and the index names it", async () => {
  const index = await readFile(join(root, "docs/doctor/README.md"), "utf8")
  for (const { id, title } of FINDINGS) {
    expect(index).toContain(`[${title}](${id}.md)`)
    expect(await readFile(join(root, `docs/doctor/${id}.md`), "utf8")).toContain(`](${id}.svg)`)
    await access(join(root, `docs/doctor/${id}.svg`))
  }
})
