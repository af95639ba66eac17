/**
 * The teacher-student network by the WebAssembly kernel: frozen tensors and starts as the program draws them, float32.
 */
import { Affine } from "../../src/exponent/affine.js"
import { InputError } from "../../src/inputError.js"
import { isStudent } from "../../src/program/models/teacherStudent.js"
import { isNeverFormed, leafName, type Node } from "../../src/program/node.js"
import type { Scheme } from "../../src/scheme/scheme.js"
import { coefficientValue, type LeafValue } from "../../src/train/numbers.js"
import { evaluate, zeros } from "../../src/train/reference.js"
import { drawn, neverFormed, type RunConfig, type RunResult, sizesOf } from "../../src/train/run.js"
import { KernelArrays, shareWords } from "../../src/train/wasm/arrays.js"
import { GroupShares } from "../../src/train/wasm/groupShares.js"
import { layoutOf } from "../../src/train/wasm/layout.js"
import { kernelMemory, kernelPhases } from "../../src/train/wasm/phases.js"
import { recordsOf, trainRows } from "../../src/train/wasm/trainRows.js"
import type { OpenEngineFor } from "./engine.js"

/** What the kernel records. */
const QUANTITIES = ["zA", "zB", "f"]

/**
 * Opens the kernel, with fused multiply-add where the browser has it.
 * @throws InputError for a scheme that it does not
 * train.
 */
export const kernel: OpenEngineFor = async (_, ready) => {
  requireTrained(ready)
  const relaxed = await bytesOf("relaxed.wasm")
  const module = await WebAssembly.compile(WebAssembly.validate(relaxed) ? relaxed : await bytesOf("plain.wasm"))
  return {
    name: "WebAssembly kernel, float32",
    quantities: QUANTITIES,
    runs: async (config, seeds) => seeds.map((seed) => trained(ready, { ...config, seed }, module)),
  }
}

async function bytesOf(name: string): Promise<Uint8Array<ArrayBuffer>> {
  return new Uint8Array(await (await fetch(new URL(name, globalThis.location.href))).arrayBuffer())
}

function requireTrained({ definition, program, sizes, rates }: Scheme): void {
  const { optimiser = "adam", weightDecay = 0, shrinkage = 0, subtractStart = false, adapter = "lora" } = definition
  const { multiplier, rank, input, epsilon, clip, share } = sizes
  const isPlain = optimiser === "adam" && adapter === "lora" && weightDecay === 0 && shrinkage === 0 && !subtractStart
  const isFixed = [multiplier, rank, input, share].every(({ key }) => key === Affine.ZERO.key)
  const moves = rates.every(({ A, B }) => A !== "frozen" && B !== "frozen")
  if (isStudent(program.model) && isPlain && isFixed && moves && epsilon === null && clip === null) return
  throw new InputError({
    field: "computed by",
    given: "the WebAssembly kernel",
    allowed: "Adam on both factors of the teacher-student network, with multiplier and rank fixed",
    example: "teacher-student/init-a",
  })
}

function trained(ready: Scheme, config: RunConfig, module: WebAssembly.Module): RunResult {
  const { width, rank, steps } = config
  const { P, H, wOut, minusY, A, B } = drawnOf(ready, config)
  const layout = layoutOf({ width, rank, samples: P.length / width, precision: "float32", threads: 1 })
  const memory = kernelMemory(layout)
  const arrays = new KernelArrays(layout, memory)
  arrays.setRows("P", 0, Float32Array.from(P))
  arrays.setRows("H", 0, Float32Array.from(H))
  arrays.setEnds(
    wOut,
    minusY.map((y) => -y),
  )
  arrays.setStart({ A, B })
  const rate = (side: "A" | "B") => {
    const power = ready.rates[0]![side] as Affine
    return coefficientValue({ constant: ready.definition.rateConstants?.[side] ?? 1, power }, width, 0)
  }
  const job = { steps, rates: { A: rate("A"), B: rate("B") }, recordEvery: 1 }
  const { phases } = kernelPhases(module, memory, "float32")
  const shares = new GroupShares(shareWords(memory, layout), layout.groups, { thread: 0, threads: 1 })
  const { outcome, history } = trainRows(phases, layout, memory, { thread: 0, shares, records: recordsOf(job) }, job)
  return {
    outcome,
    // The kernel's first record is that of the start. It does not see residuals, so none is said to have turned.
    history: history.slice(1).map(({ step, zA, zB, outputChange }) => ({
      step,
      loss: history[step - 1]!.loss,
      flipped: 0,
      meanSquares: { zA: zA ** 2, zB: zB ** 2, f: outputChange ** 2 },
    })),
    rounding: 2 ** -24,
  }
}

/** The frozen tensors and the factors at the start, as a run of the program has them. */
function drawnOf(ready: Scheme, config: RunConfig) {
  const { model, starts, frozen } = ready.program
  if (!isStudent(model)) throw new Error(`${model.name} is not the student's network`)
  const sizes = sizesOf(ready, config)
  const frozenLeaves = new Map<Node, LeafValue>(
    frozen.map(({ node, deviation }) => [
      node,
      (isNeverFormed(node) ? neverFormed : drawn)(node, deviation, sizes, config),
    ]),
  )
  const values = evaluate([model.P, model.H], frozenLeaves, sizes, 1)
  const factor = (leaf: Node) => {
    const start = ready.start.get(leaf)!
    return (start === "zero" ? zeros(leaf, sizes) : drawn(leaf, start, sizes, config)).data
  }
  const targets = frozen.find(({ node }) => leafName(node) === "minusY")!.node
  const numbers = (node: Node) => values.get(node)!.data
  return {
    P: numbers(model.P),
    H: numbers(model.H),
    wOut: numbers(model.wOut),
    minusY: numbers(targets),
    A: factor(starts[0]!.A),
    B: factor(starts[0]!.B),
  }
}
