import type { KernelPrecision } from "../teacherStudent.js"
import { CONTROL, type Layout, planWords } from "./layout.js"

/** The two builds of the kernel in WebAssembly: with and without fused multiply-add. */
export type Binary = "plain" | "relaxed"

/** The phases of a step, as assembly/index.ts exports them per precision; a group is a run of rows. */
export interface Phases {
  startZ(group: number): void
  sumZ(thread: number): number
  forward(thread: number, group: number): void
  /** @param isFirst whether this is step 0, of which no f₀ is kept yet. */
  residual(thread: number, sizes: number, isFirst: boolean): void
  /** Keeps what the thread's residual was made of as f₀. */
  keepF0(thread: number): void
  backward(thread: number, group: number, rate: number, correction: number): void
  sumGradientZ(thread: number): number
  update(thread: number, group: number, rate: number, correction: number): void
}

/** The memory that a layout needs, its plan written. Threads share it. */
export function kernelMemory(layout: Layout): WebAssembly.Memory {
  const pages = Math.ceil(layout.bytes / 2 ** 16)
  const memory = new WebAssembly.Memory({ initial: pages, maximum: pages, shared: true })
  new Uint32Array(memory.buffer, CONTROL.plan).set(planWords(layout))
  return memory
}

/** Every phase, by what calls the one of a name. */
export function phasesBy(call: (name: keyof Phases) => (...given: (number | boolean)[]) => number): Phases {
  return {
    startZ: call("startZ"),
    sumZ: call("sumZ"),
    forward: call("forward"),
    residual: call("residual"),
    keepF0: call("keepF0"),
    backward: call("backward"),
    sumGradientZ: call("sumGradientZ"),
    update: call("update"),
  }
}

/** An instance on the calling thread. Nothing here needs Node. */
export function kernelPhases(module: WebAssembly.Module, memory: WebAssembly.Memory, precision: KernelPrecision) {
  const { exports } = new WebAssembly.Instance(module, { env: { memory } })
  const call = (name: keyof Phases) => {
    const bits = precision === "float32" ? 32 : 64
    const phase = exports[`${name}${bits}`] as (plan: number, ...rest: (number | boolean)[]) => number
    return phase.bind(undefined, CONTROL.plan)
  }
  return { phases: phasesBy(call), fuses: (exports.fuses as () => number)() === 1 }
}
