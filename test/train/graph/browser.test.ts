import { existsSync } from "node:fs"
import { mkdtemp, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { afterAll, beforeAll, describe, expect, test } from "vitest"
import { readPretrained } from "../../../src/checkpoint/pretrained.js"
import { schemeNamed } from "../../../src/scheme/catalogue.js"
import { scheme } from "../../../src/scheme/scheme.js"
import type { Engine, GraphTensor } from "../../../src/train/graph/engine.js"
import { openGradients } from "../../../src/train/graph/gradients.js"
import { runProgram } from "../../../src/train/graph/program.js"
import { gaussians } from "../../../src/train/random.js"
import { SMALL_LLAMA, writeRandomModel } from "../../checkpoint/randomModel.js"
import { type Browser, chromium, OFFER_SOFTWARE, startBrowser } from "../gpu/browser.js"
import { distance } from "./distance.js"
import { engineForTests } from "./engine.js"

const engine = await engineForTests()
const program = chromium()
const packages = fileURLToPath(new URL("../../../node_modules", import.meta.url))
const library = existsSync(join(packages, "onnxruntime-web"))
if (process.env.REQUIRE_GRAPH && process.env.REQUIRE_GPU && (program === null || !library))
  throw new Error("no chromium-headless-shell, or no onnxruntime-web, to run graphs in a browser")
const missing = program === null ? "no chromium-headless-shell" : library ? "" : "no onnxruntime-web"
const isLeftOut = engine === null || missing !== ""
if (isLeftOut) process.stderr.write(`tests of graphs in a browser are skipped: ${missing || "no graph engine"}\n`)

/** The library's web build in a page, as an engine. */
function inBrowser(browser: Browser, provider: "wasm" | "webgpu"): Engine {
  return {
    name: `onnxruntime-web ${provider}`,
    session: async (model) => {
      const run = (feeds: object) =>
        browser.do({ kind: "graph", provider, model: new Uint8Array(model), feeds }) as Promise<
          Record<string, GraphTensor>
        >
      return { run, release: async () => {} }
    },
    tensor: (data, dims) => ({ data, dims }),
  }
}

describe.skipIf(isLeftOut)("the same graphs by the library's web build in headless Chromium", () => {
  let browser: Browser
  let folder: string
  beforeAll(async () => {
    browser = await startBrowser(program!, OFFER_SOFTWARE)
    folder = await mkdtemp(join(tmpdir(), "web-"))
    await writeRandomModel(folder, SMALL_LLAMA, 20)
  })
  afterAll(async () => {
    await browser?.close()
    await rm(folder, { recursive: true })
  })

  /** Loss and gradients of a small Llama. */
  async function gradients(by: Engine) {
    const { model, close } = await readPretrained(folder)
    const adaptation = { sites: ["q_proj", "v_proj"], rank: 2, scale: 2, classes: null, trainHead: false }
    const own = await openGradients(by, model, adaptation)
    const values = own.trained.map(({ name, shape: [rows, columns] }) =>
      Float32Array.from(gaussians(3, name, rows * columns, 0.3)),
    )
    const ids = [
      [1, 5, 9, 13, 2],
      [4, 4, 19, 0, 7],
    ]
    const found = await own.at({ ids, mask: ids.map((row) => row.map(() => 1)), labels: ids }, values)
    await close()
    return found
  }

  /** The mean squares of all quantities of a network's run. */
  async function sizes(by: Engine) {
    const definition = schemeNamed("two-layers-init-a")
    const results = await runProgram(
      by,
      scheme(definition, definition.example ?? {}),
      { width: 64, rank: 2, steps: 3 },
      [1, 2],
    )
    return results.flatMap(({ history }) => history.flatMap(({ meanSquares }) => Object.values(meanSquares)))
  }

  test("WebAssembly: a Llama's loss and gradients, and a network's sizes over three steps, are Node's", async () => {
    const web = inBrowser(browser, "wasm")
    const [ours, theirs] = [await gradients(engine!), await gradients(web)]
    expect(theirs.loss / ours.loss).toBeCloseTo(1, 6)
    ours.gradients.forEach((own, i) => {
      expect(distance(own, theirs.gradients[i]!)).toBeLessThan(1e-5)
    })
    const [here, there] = [await sizes(engine!), await sizes(web)]
    expect(there).toHaveLength(here.length)
    expect(distance(here, there)).toBeLessThan(1e-5)
  })

  test("WebGPU: the same where the browser offers an adapter, else the reason why not", async () => {
    const plain = await startBrowser(program!)
    await expect(gradients(inBrowser(plain, "webgpu"))).rejects.toThrow(/webgpu|adapter/i)
    await plain.close()
    const [ours, theirs] = [await gradients(engine!), await gradients(inBrowser(browser, "webgpu"))]
    expect(theirs.loss / ours.loss).toBeCloseTo(1, 4)
    ours.gradients.forEach((own, i) => {
      expect(distance(own, theirs.gradients[i]!)).toBeLessThan(1e-3)
    })
  })
})
