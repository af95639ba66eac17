import { InputError } from "../inputError.js"
import { oneOf } from "../optionText.js"
import { type Gpu, GpuFailure, openGpu } from "../train/gpu/device.js"
import { INSTALL } from "../train/gpu/graphicsAdapter.js"
import { createGpuPool } from "../train/gpuPool.js"
import { GraphFailure, INSTALL_ENGINE, openEngine } from "../train/graph/engine.js"
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
  try {
    return await openGpu({ hardware: backend === "auto" })
  } catch (error) {
    if (!(error instanceof GpuFailure)) throw error
    if (backend === "gpu")
      throw new InputError({
        field: "--backend",
        given: backend,
        allowed: `cpu or auto here: ${error.message}`,
        example: INSTALL,
      })
    process.stderr.write(`backend: cpu (${error.message})\n`)
    return null
  }
}

/** The engine of graphs by its name; @throws InputError with the line to install if it is missing. */
export async function requireEngine(): Promise<string> {
  try {
    return (await openEngine()).name
  } catch (error) {
    if (!(error instanceof GraphFailure)) throw error
    throw new InputError({
      field: "--backend",
      given: "graph",
      allowed: `cpu or auto here: ${error.message}`,
      example: INSTALL_ENGINE,
    })
  }
}

/**
 * The pool that the option asks for: threads, which may read graphs, or a device.
 * @throws InputError as `openDevice`
 * and `requireEngine`.
 */
export async function openPool(backend: BackendOption, workers?: number, runs?: number): Promise<Pool> {
  if (backend !== "graph") return poolOn(await openDevice(backend), workers, runs)
  await requireEngine()
  return createGraphPool(createPool(workers, runs))
}

/** The pool of a device, or of threads where there is none. */
export function poolOn(gpu: Gpu | null, workers?: number, runs?: number): Pool {
  const cpu = createPool(workers, runs)
  return gpu === null ? cpu : createGpuPool(gpu, () => openGpu(), cpu)
}
