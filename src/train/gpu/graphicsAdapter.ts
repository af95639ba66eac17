/**
 * Finds what WebGPU offers, in Node through the optional package `webgpu` (Dawn), in a browser through `navigator.gpu`.
 */

/** What a user without WebGPU has to do. */
export const INSTALL =
  "npm install webgpu, and a driver for Vulkan, Metal or Direct3D 12; on Debian without a card: apt-get install libegl1 libgles2 libgl1-mesa-dri"

/** The limits that the kernels are laid out by; a device is asked for all that its adapter has of them. */
export const LIMITS = [
  "maxBufferSize",
  "maxStorageBufferBindingSize",
  "maxStorageBuffersPerShaderStage",
  "maxComputeWorkgroupStorageSize",
  "maxComputeInvocationsPerWorkgroup",
  "maxComputeWorkgroupSizeX",
  "maxComputeWorkgroupsPerDimension",
] as const

/** Those limits' values: bytes, or counts. */
export type GpuLimits = Readonly<Record<(typeof LIMITS)[number], number>>

/** An adapter as found, and how. */
export interface FoundAdapter {
  /** For people: "llvmpipe … (opengles)". */
  readonly name: string
  /** Computes on the processor: right, but no faster than the CPU kernel. */
  readonly software: boolean
  readonly limits: GpuLimits
  readonly features: readonly string[]
  readonly adapter: GPUAdapter
}

/** What was looked for and not found, in words. */
export interface Missing {
  readonly missing: string
}

/** All adapters that can be opened here, the preferred one first; or what is missing. */
export async function findAdapters(): Promise<readonly FoundAdapter[] | Missing> {
  const ways = await entries()
  if ("missing" in ways) return ways
  const found: FoundAdapter[] = []
  for (const { name, gpu, options } of ways) {
    const adapter = await requested(gpu, options)
    if (adapter === null) continue
    const { vendor, architecture, device, description } = adapter.info
    const label = [...new Set([vendor, architecture, device, description])].filter((part) => part !== "").join(" ")
    const software =
      /llvmpipe|swiftshader|lavapipe|basic render/i.test(label) || adapter.info.isFallbackAdapter === true
    found.push({
      name: `${label || "unnamed adapter"} (${name})`,
      software,
      limits: Object.fromEntries(LIMITS.map((limit) => [limit, adapter.limits[limit]])) as GpuLimits,
      features: [...adapter.features].sort(),
      adapter,
    })
    // The further ways are for where the first has nothing.
    if (!software) break
  }
  return found.length > 0 ? found : { missing: "a driver or a software adapter" }
}

/** The adapter of one way, or null where the way itself does not exist here. */
async function requested(gpu: () => GPU, options: GPURequestAdapterOptions): Promise<GPUAdapter | null> {
  try {
    return await gpu().requestAdapter(options)
  } catch {
    return null
  }
}

interface Way {
  readonly name: string
  readonly gpu: () => GPU
  readonly options: GPURequestAdapterOptions
}

// Dawn's devices live as long as what `create` returned.
const alive: GPU[] = []

/** The ways to an adapter: the browser's own, else Dawn's default and, where that has none, OpenGL ES. */
async function entries(): Promise<readonly Way[] | Missing> {
  const preferred: GPURequestAdapterOptions = { powerPreference: "high-performance" }
  if (typeof process === "undefined") {
    const { gpu } = (globalThis as unknown as { navigator: { gpu?: GPU } }).navigator
    return gpu === undefined
      ? { missing: "navigator.gpu, which this browser lacks or has switched off," }
      : [{ name: "browser", gpu: () => gpu, options: preferred }]
  }
  let dawn: typeof import("webgpu")
  try {
    dawn = await import("webgpu")
  } catch {
    return { missing: "the package webgpu" }
  }
  Object.assign(globalThis, dawn.globals)
  const create = (flags: string[]) => () => {
    const gpu = dawn.create(flags)
    alive.push(gpu)
    return gpu
  }
  // Mesa draws into no window only where it is told so.
  if (process.platform === "linux" && !process.env.DISPLAY && !process.env.WAYLAND_DISPLAY)
    process.env.EGL_PLATFORM ??= "surfaceless"
  return [
    { name: process.platform === "linux" ? "vulkan" : process.platform, gpu: create([]), options: preferred },
    { name: "opengles", gpu: create(["backend=opengles"]), options: { featureLevel: "compatibility" } },
  ]
}
