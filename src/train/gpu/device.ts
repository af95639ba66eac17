import { type FoundAdapter, findAdapters, type GpuLimits, INSTALL, LIMITS } from "./graphicsAdapter.js"

/** Why a device could not do what was asked: the caller asks for less, or takes another backend. */
export class GpuFailure extends Error {
  readonly kind: "no adapter" | "lost" | "out of memory" | "limit" | "unsupported"

  constructor(kind: GpuFailure["kind"], detail: string) {
    super(`${kind}: ${detail}`)
    this.name = "GpuFailure"
    this.kind = kind
  }
}

/** A buffer's range in bytes as a kernel reads or writes it. */
export interface Bound {
  readonly buffer: GPUBuffer
  readonly access: "uniform" | "read" | "write" | "both"
  readonly offset: number
  readonly bytes: number
  /** Whether each dispatch says how much further on the range begins. */
  readonly moving: boolean
}

const TYPES = {
  uniform: "uniform",
  read: "read-only-storage",
  write: "storage",
  both: "storage",
} as const satisfies Record<Bound["access"], GPUBufferBindingType>

/** A kernel with its buffers: what a dispatch runs. */
export interface Bindings {
  readonly pipeline: GPUComputePipeline
  readonly group: GPUBindGroup
}

/** An open device: buffers, kernels and the first thing that went wrong with it. */
export class Gpu {
  readonly name: string
  readonly software: boolean
  readonly limits: GpuLimits
  readonly device: GPUDevice
  private failure: Error | null = null
  private readonly pipelines = new Map<string, Promise<GPUComputePipeline>>()
  private readonly buffers = new Set<GPUBuffer>()

  /** @param limits what kernels are laid out by, where it is to be less than the device allows. */
  constructor(
    device: GPUDevice,
    { name, software }: Pick<FoundAdapter, "name" | "software">,
    limits: Partial<GpuLimits> = {},
  ) {
    this.name = name
    this.software = software
    this.device = device
    this.limits = {
      ...(Object.fromEntries(LIMITS.map((limit) => [limit, device.limits[limit]])) as GpuLimits),
      ...limits,
    }
    device.lost.then(({ message }) => {
      this.failure ??= new GpuFailure("lost", message || "the device is gone")
    })
    device.addEventListener("uncapturederror", ({ error: { message }, error }) => {
      // Anything else is a mistake of ours and must not be taken for the device's.
      this.failure ??=
        error instanceof GPUOutOfMemoryError
          ? new GpuFailure("out of memory", message)
          : new Error(`WebGPU: ${message}`)
    })
  }

  /** @throws GpuFailure if the device was lost or has reported an error. */
  requireHealthy(): void {
    if (this.failure !== null) throw this.failure
  }

  /** Whether the device is gone for good. */
  get lost(): boolean {
    return this.failure instanceof GpuFailure && this.failure.kind === "lost"
  }

  /**
   * Buffers of these sizes in bytes, zeroed, for kernels, uploads and downloads.
   *
   * @throws GpuFailure if one is larger than a limit, or the device has no memory for them.
   */
  async allocate<K extends string>(bytes: Readonly<Record<K, number>>): Promise<Record<K, GPUBuffer>> {
    this.requireHealthy()
    const most = Math.min(this.limits.maxBufferSize, this.limits.maxStorageBufferBindingSize)
    const entries = Object.entries(bytes) as [K, number][]
    for (const [name, size] of entries)
      if (size > most) throw new GpuFailure("limit", `${name} takes ${size} bytes, a buffer at most ${most}`)
    this.device.pushErrorScope("out-of-memory")
    const made = entries.map(([label, size]) => [label, this.storage(label, size)] as const)
    const error = await this.device.popErrorScope()
    if (error !== null) {
      for (const [, buffer] of made) this.free(buffer)
      throw new GpuFailure("out of memory", error.message)
    }
    this.requireHealthy()
    return Object.fromEntries(made) as Record<K, GPUBuffer>
  }

  private storage(label: string, bytes: number): GPUBuffer {
    const { STORAGE, UNIFORM, COPY_DST, COPY_SRC } = GPUBufferUsage
    const usage = (label === "steps" ? UNIFORM : STORAGE) | COPY_DST | COPY_SRC
    const buffer = this.device.createBuffer({ label, size: Math.max(16, 4 * Math.ceil(bytes / 4)), usage })
    this.buffers.add(buffer)
    return buffer
  }

  /** Gives buffers back. */
  free(...buffers: readonly GPUBuffer[]): void {
    for (const buffer of buffers) if (this.buffers.delete(buffer)) buffer.destroy()
  }

  upload(buffer: GPUBuffer, data: Float32Array<ArrayBuffer> | Uint32Array<ArrayBuffer>, byteOffset = 0): void {
    this.device.queue.writeBuffer(buffer, byteOffset, data)
  }

  /** The compiled kernel of a WGSL text whose entry point is `main`; compiled once. */
  private kernel(
    label: string,
    code: string,
    bindings: readonly Pick<Bound, "access" | "moving">[],
  ): Promise<GPUComputePipeline> {
    const key = `${bindings.map(({ access, moving }) => `${access} ${moving}`).join()}\n${code}`
    const known = this.pipelines.get(key)
    if (known !== undefined) return known
    const { device } = this
    const layout = device.createPipelineLayout({
      bindGroupLayouts: [
        device.createBindGroupLayout({
          entries: bindings.map(({ access, moving }, binding) => ({
            binding,
            visibility: GPUShaderStage.COMPUTE,
            buffer: { type: TYPES[access], hasDynamicOffset: moving },
          })),
        }),
      ],
    })
    const made = device
      .createComputePipelineAsync({
        label,
        layout,
        compute: { module: device.createShaderModule({ label, code }), entryPoint: "main" },
      })
      .catch((error: GPUPipelineError) => {
        // The driver could not build what is valid WGSL.
        if (error.reason === "internal") throw new GpuFailure("limit", `${label} cannot be built: ${error.message}`)
        throw error
      })
    this.pipelines.set(key, made)
    return made
  }

  /** A kernel bound to buffers. */
  async bind(label: string, code: string, bound: readonly Bound[]): Promise<Bindings> {
    const pipeline = await this.kernel(label, code, bound)
    const group = this.device.createBindGroup({
      label,
      layout: pipeline.getBindGroupLayout(0),
      entries: bound.map(({ buffer, offset, bytes }, binding) => ({
        binding,
        resource: { buffer, offset, size: 4 * Math.ceil(bytes / 4) },
      })),
    })
    return { pipeline, group }
  }

  /** Resolves when all that was submitted is done. @throws GpuFailure as `requireHealthy` does. */
  async done(): Promise<void> {
    this.requireHealthy()
    await Promise.race([this.device.queue.onSubmittedWorkDone(), this.device.lost])
    this.requireHealthy()
  }

  /** The first bytes of a buffer as numbers. @throws GpuFailure as `requireHealthy` does. */
  async download(buffer: GPUBuffer, count: number): Promise<Float32Array> {
    this.requireHealthy()
    const { device } = this
    const staging = device.createBuffer({ size: 4 * count, usage: GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST })
    const encoder = device.createCommandEncoder()
    encoder.copyBufferToBuffer(buffer, 0, staging, 0, 4 * count)
    device.queue.submit([encoder.finish()])
    try {
      await staging.mapAsync(GPUMapMode.READ)
      return new Float32Array(staging.getMappedRange().slice(0))
    } catch (error) {
      throw this.failure ?? new GpuFailure("lost", error instanceof Error ? error.message : String(error))
    } finally {
      staging.destroy()
    }
  }

  close(): void {
    this.device.destroy()
  }
}

/**
 * Opens a device with all that its adapter has.
 *
 * @param hardware only an adapter that is no software; what "auto" asks for.
 * @throws GpuFailure with the line to install if there is no adapter.
 */
export async function openGpu({ hardware = false } = {}): Promise<Gpu> {
  const found = await findAdapters()
  if ("missing" in found) throw new GpuFailure("no adapter", `${found.missing} is missing; ${INSTALL}`)
  const [chosen] = hardware ? found.filter(({ software }) => !software) : found
  if (chosen === undefined) throw new GpuFailure("no adapter", `only ${found.map(({ name }) => name).join(", ")}`)
  const device = await chosen.adapter.requestDevice({ requiredLimits: { ...chosen.limits } }).catch((error: Error) => {
    throw new GpuFailure("no adapter", `${chosen.name} gives no device: ${error.message}`)
  })
  return new Gpu(device, chosen)
}
