import { existsSync } from "node:fs"
import { cp, mkdir, mkdtemp, readdir, rm, symlink, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { afterAll, beforeAll, describe, expect, test } from "vitest"
import { deviceForTests } from "../train/gpu/graphicsAdapter.js"
import { engineForTests } from "../train/graph/engine.js"
import { loraIn } from "./lora.js"

const { gpu, title } = await deviceForTests()
gpu?.close()

const root = fileURLToPath(new URL("../../", import.meta.url))
let folder: string
let bare: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "backend-"))
  // An installation without the optional packages.
  await mkdir(join(folder, "bare/node_modules"), { recursive: true })
  for (const part of ["dist", "package.json"])
    await cp(join(root, part), join(folder, "bare", part), { recursive: true })
  for (const name of await readdir(join(root, "node_modules")))
    if (!["webgpu", "onnxruntime-node"].includes(name))
      await symlink(join(root, "node_modules", name), join(folder, "bare/node_modules", name))
  bare = join(folder, "bare/dist/command/main.js")
  await writeFile(
    join(folder, "theory.yaml"),
    "experiment: theory\nschemes: [init-a]\nwidths: [16, 32]\nseeds: 2\nsteps: 2\nbackend: gpu\n",
  )
  await writeFile(
    join(folder, "network.yaml"),
    "experiment: teacher-student\nschemes: [init-a, init-b]\nwidths: [16]\nseeds: 2\nsteps: 3\nsamples: 8\nrates: [0.01, 0.1]\n",
  )
})
afterAll(() => rm(folder, { recursive: true }))

const train = ["train", "init-a", "--width", "32", "--set", "c=-1/2", "--json"]
const withoutPackage = (...words: string[]) => loraIn({ folder, main: bare }, ...words)
/** No loader finds a driver. */
const env = { VK_DRIVER_FILES: "none", VK_ICD_FILENAMES: "none", __EGL_VENDOR_LIBRARY_DIRS: "none" }
const withoutDriver = (...words: string[]) => loraIn({ folder, env }, ...words)

describe("without the optional packages", () => {
  test("train, sweep, verify and reproduce --backend gpu exit 2 with the line to install, and leave nothing", async () => {
    const commands = [
      train,
      ["sweep", "network.yaml", "--store", "a.duckdb"],
      ["verify", "init-a", "--store", "a.duckdb"],
      ["reproduce", "--out", "report", "--store", "a.duckdb"],
    ]
    for (const { code, out, err } of await Promise.all(
      commands.map((words) => withoutPackage(...words, "--backend", "gpu")),
    )) {
      expect([code, out]).toEqual([2, ""])
      expect(err).toMatch(/^error: --backend: got "gpu".*npm install webgpu/)
    }
    expect(existsSync(join(folder, "a.duckdb"))).toBe(false)
  })

  test("--backend graph exits 2 with the line to install", async () => {
    const { code, out, err } = await withoutPackage(...train, "--backend", "graph")
    expect([code, out]).toEqual([2, ""])
    expect(err).toMatch(
      /--backend: got "graph".*onnxruntime-node is missing.*npm install onnxruntime-node --ignore-scripts/,
    )
  })

  test("auto says once that it uses the CPU, and does", async () => {
    const [auto, cpu] = await Promise.all([withoutPackage(...train, "--backend", "auto"), withoutPackage(...train)])
    expect([auto.code, cpu.code, cpu.err]).toEqual([0, 0, ""])
    expect(auto.err).toMatch(/^backend: cpu \(no adapter: the package webgpu is missing[^\n]*\)\n$/)
    expect(auto.out).toBe(cpu.out)
    const swept = await withoutPackage("sweep", "network.yaml", "--store", "b.duckdb", "--backend", "auto")
    expect(swept.code).toBe(0)
    expect(swept.err.match(/backend: cpu/g)).toHaveLength(1)
  })

  test("devices says what is missing and how to install it", async () => {
    const { code, out } = await withoutPackage("devices", "--json")
    expect(code).toBe(0)
    expect(JSON.parse(out)).toMatchObject({ adapters: [], missing: "the package webgpu" })
    expect(JSON.parse(out).graph).toMatchObject({ engine: null, providers: [] })
    const { out: text } = await withoutPackage("devices")
    expect(text).toContain("npm install webgpu")
    expect(text).toContain("npm install onnxruntime-node --ignore-scripts")
  })

  test("in a clone npm leaves an optional package out that is not named as one for development", async () => {
    const { out } = await loraIn({ folder, env }, "devices", "--json")
    expect(JSON.parse(out).graph.install).toBe("npm install onnxruntime-node --no-save --save-dev --ignore-scripts")
  })
})

const installed = await import("webgpu").then(
  () => true,
  () => false,
)

test.skipIf(!installed)(
  "with the package, without a driver, --backend gpu exits 2 with the line to install",
  async () => {
    const { code, err } = await withoutDriver(...train, "--backend", "gpu")
    expect(code).toBe(2)
    expect(err).toMatch(/error: --backend: got "gpu".*a driver or a software adapter is missing.*apt-get install/)
  },
)

test("an unknown backend, and a precision that a GPU does not have, are refused", async () => {
  const unknown = await withoutPackage(...train, "--backend", "tpu")
  expect([unknown.code, unknown.err]).toEqual([2, expect.stringContaining("auto, cpu, gpu, graph")])
  const precise = await withoutPackage(...train, "--backend", "gpu", "--precision", "float16")
  expect([precise.code, precise.err]).toEqual([2, expect.stringContaining("--precision")])
})

const engine = await engineForTests()

describe.skipIf(engine === null)("--backend graph", () => {
  const graph = (...words: string[]) => loraIn({ folder }, ...words, "--backend", "graph", "--json")

  test("train and check name engine, version and provider; what has no graph falls back and says so", async () => {
    const trained = JSON.parse((await graph(...train)).out)
    expect(trained.backend).toMatch(/^onnxruntime-node \d+\.\d+\.\d+ cpu$/)
    const muon = await graph("train", "muon-init-a", "--width", "16", "--set", "c=-1/2")
    expect(JSON.parse(muon.out).backend).toBe("reference float64")
    expect(muon.err).toBe("graph: orthogonalise (muon) has no ONNX form\n")
    const words = ["check", "init-a", "--set", "c=-1/2", "--seeds", "2", "--store", "graph.duckdb"]
    expect((await graph(...words)).code).toBe(0)
  })

  test("sweep trains schemes with it and refuses the teacher-student experiment", async () => {
    const words = ["sweep", "theory.yaml", "--store", "graph-sweep.duckdb"]
    expect(JSON.parse((await graph(...words)).out).outcomes).toEqual({ finished: 4 })
    expect((await graph(...words)).err).toContain("4 finished already")
    const refused = await graph("sweep", "network.yaml", "--store", "none.duckdb")
    expect([refused.code, refused.err]).toEqual([2, expect.stringContaining("cpu, gpu or auto for teacher-student")])
    expect(existsSync(join(folder, "none.duckdb"))).toBe(false)
  })

  test("--device names one of the engine's, whose libraries are there, and is in the result", async () => {
    const cpu = await graph(...train, "--device", "cpu")
    expect(JSON.parse(cpu.out).backend).toMatch(/ cpu$/)
    const unknown = await graph(...train, "--device", "abacus")
    expect([unknown.code, unknown.err]).toEqual([
      2,
      expect.stringMatching(/--device: got "abacus".*has no device abacus, but cpu, /),
    ])
    const elsewhere = await loraIn({ folder }, ...train, "--device", "cpu")
    expect([elsewhere.code, elsewhere.err]).toEqual([2, expect.stringContaining("--backend graph with it")])
  })

  test("a device that the engine has and the machine has not is refused with the reason", async () => {
    const { graph: listed } = JSON.parse((await loraIn({ folder }, "devices", "--json")).out)
    const cuda = listed.providers.some(({ name }: { name: string }) => name === "cuda")
    if (!cuda || existsSync("/dev/nvidia0")) return
    const { code, err } = await graph("check", "init-a", "--store", "cuda.duckdb", "--device", "cuda")
    expect([code, err]).toEqual([2, expect.stringMatching(/--device: got "cuda".*cuda cannot be opened: /)])
    expect(existsSync(join(folder, "cuda.duckdb"))).toBe(false)
  })

  test("devices lists its providers", async () => {
    const { graph } = JSON.parse((await loraIn({ folder }, "devices", "--json")).out)
    expect(graph.engine).toMatch(/^onnxruntime-node /)
    expect(graph.providers).toContainEqual({ name: "cpu", bundled: true })
  })
})

describe.skipIf(gpu === null)(`with an adapter: ${title}`, () => {
  const found = (...words: string[]) => loraIn({ folder }, ...words)

  test("train, sweep and verify run there, and say so", async () => {
    const trained = JSON.parse((await found(...train, "--backend", "gpu")).out)
    expect(trained.backend).toBe(`gpu float32 ${title}`)
    const onCpu = JSON.parse((await found(...train)).out)
    expect(trained.history[4].rms.zB / onCpu.history[4].rms.zB).toBeCloseTo(1, 4)
    expect((await found("sweep", "theory.yaml", "--store", "theory.duckdb")).code).toBe(0)
    const words = ["sweep", "network.yaml", "--store", "network.duckdb", "--backend", "gpu", "--json"]
    expect(JSON.parse((await found(...words)).out).outcomes).toEqual({ finished: 8 })
    // The same command again finds all of it stored.
    expect((await found(...words)).err).toContain("8 finished already")
  })

  test("devices lists it with its limits", async () => {
    const { adapters } = JSON.parse((await found("devices", "--json")).out)
    expect(adapters[0].name).toBe(title)
    expect(adapters[0].limits.maxComputeInvocationsPerWorkgroup).toBeGreaterThan(0)
  })
})
