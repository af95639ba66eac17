import { InputError } from "../inputError.js"
import { oneOf } from "../optionText.js"
import type { Gpu } from "../train/gpu/device.js"
import type { Engine } from "../train/graph/engine.js"
import { createGraphPool } from "../train/graphPool.js"
import { createPool, type Pool } from "../train/pool.js"

/** What `--backend` allows. */
export const BACKEND_NAMES = ["auto", "cpu", "gpu", "graph"] as const
export type BackendOption = (typeof BACKEND_NAMES)[number]

/** The backend as typed; the CPU if it is not given. @throws InputError for another name. */
export function backendOption(text: string | undefined): BackendOption {
  return text === undefined ? "cpu" : oneOf("--backend", text, BACKEND_NAMES)
}

/**
 * The device that the option asks for, or null for the CPU.
 *
 * "gpu" takes any adapter; "auto" only a card's, since software is slower than the CPU kernel, and says on stderr if
 * there is none.
 *
 * @throws InputError with the line to install if "gpu" finds no adapter.
 */
export async function openDevice(backend: BackendOption): Promise<Gpu | null> {
  if (backend === "cpu" || backend === "graph") return null
  const { GpuFailure, openGpu } = await import("../train/gpu/device.js")
  try {
    return await openGpu({ hardware: backend === "auto" })
  } catch (error) {
    if (!(error instanceof GpuFailure)) throw error
    if (backend === "gpu")
      throw new InputError({
        field: "--backend",
        given: backend,
        allowed: `cpu or auto here: ${error.message}`,
        example: (await import("../train/gpu/graphicsAdapter.js")).INSTALL,
      })
    process.stderr.write(`backend: cpu (${error.message})\n`)
    return null
  }
}

/**
 * The engine of graphs by its name, on a device that has answered.
 *
 * @throws InputError with the line to install if the engine is missing, or why the device is not there.
 */
export async function requireEngine(device = "cpu"): Promise<string> {
  const { findProviders, GraphFailure, INSTALL_ENGINE, openEngine } = await import("../train/graph/engine.js")
  if ((await findProviders()).engine === null)
    throw refused("--backend", "graph", "cpu or auto here: the package onnxruntime-node is missing", INSTALL_ENGINE)
  try {
    const engine = await openEngine({ device })
    if (device !== "cpu") await tried(engine)
    return engine.name
  } catch (error) {
    if (!(error instanceof GraphFailure)) throw error
    throw device === "cpu"
      ? refused("--backend", "graph", `cpu or auto here: ${error.message}`, INSTALL_ENGINE)
      : refused(
          "--device",
          device,
          `cpu, or what \`devices\` lists with its libraries here: ${error.message}`,
          "--device cpu",
        )
  }
}

function refused(field: string, given: string, allowed: string, example: string): InputError {
  return new InputError({ field, given, allowed, example })
}

/** Adds 0 to a number there. */
async function tried(engine: Engine): Promise<void> {
  const { OnnxGraph, zero } = await import("../train/graph/onnxGraph.js")
  const graph = new OnnxGraph()
  graph.output("y", graph.node("Add", [graph.input("x"), zero(graph)]))
  const session = await engine.session(graph.model())
  await session.run({ x: engine.tensor(Float32Array.of(1), [1]) })
}

/** What the pool is asked for besides its backend. */
export interface PoolOptions {
  readonly workers?: number | undefined
  /** How many runs there will be at most. */
  readonly runs?: number | undefined
  /** `--device` as typed. */
  readonly device?: string | undefined
}

/**
 * The pool that the option asks for: threads, which may read graphs, or a device.
 *
 * @throws InputError as `openDevice` and `requireEngine`, and for a device of another backend than graph.
 */
export async function openPool(backend: BackendOption, { workers, runs, device }: PoolOptions = {}): Promise<Pool> {
  if (backend === "graph") {
    await requireEngine(device)
    return createGraphPool(createPool(workers, runs), device)
  }
  if (device !== undefined)
    throw refused("--device", device, "nothing, or --backend graph with it", "--backend graph --device cpu")
  return poolOn(await openDevice(backend), workers, runs)
}

/** The pool of a device, or of threads where there is none. */
export async function poolOn(gpu: Gpu | null, workers?: number, runs?: number): Promise<Pool> {
  const cpu = createPool(workers, runs)
  if (gpu === null) return cpu
  const [{ openGpu }, { createGpuPool }] = await Promise.all([
    import("../train/gpu/device.js"),
    import("../train/gpuPool.js"),
  ])
  return createGpuPool(gpu, () => openGpu(), cpu)
}
