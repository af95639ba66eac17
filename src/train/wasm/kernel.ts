/** What computes the phases of a run: the widest native build that runs here if numbers are float32, else WebAssembly. */
import { createRequire } from "node:module"
import { fileURLToPath } from "node:url"
import { packageFile } from "../../packageFile.js"
import type { KernelPrecision } from "../teacherStudent.js"
import { kernelModule } from "./kernelModule.js"
import { CONTROL } from "./layout.js"
import { type Binary, kernelPhases, type Phases, phasesBy } from "./phases.js"

/** Native builds, for float32 alone, by the processor's instructions; the widest first. */
const NATIVE = ["avx512", "avx2"] as const
type Native = (typeof NATIVE)[number]

/** The builds of the kernel. */
export type Build = Binary | Native

/** A kernel that threads can hand to one another. */
export type Kernel = WebAssembly.Module | Native

/** native/addon.c: each takes the memory, the plan's address, and what the phase of the same name takes. */
type Addon = Readonly<Record<keyof Phases, (memory: Uint8Array, plan: number, ...numbers: number[]) => number>>

const loaded = new Map<Native, Addon | null>()

/** The kernel for numbers of a precision; by default the fastest that this machine takes. */
export function kernelFor(precision: KernelPrecision, build?: Build): Kernel {
  const wanted = build ?? (precision === "float32" ? NATIVE.find(isHere) : undefined)
  return isNative(wanted) ? wanted : kernelModule(wanted)
}

/** The native builds that were made and run on this processor, the widest first. */
export function nativeBuilds(): readonly Native[] {
  return NATIVE.filter(isHere)
}

/** The phases on the calling thread, and the name of their arithmetic. */
export function phasesOf(
  kernel: Kernel,
  memory: WebAssembly.Memory,
  precision: KernelPrecision,
): { readonly phases: Phases; readonly arithmetic: string } {
  if (isNative(kernel)) return { phases: nativePhases(addonOf(kernel)!, memory), arithmetic: `${precision} ${kernel}` }
  const { phases, fuses } = kernelPhases(kernel, memory, precision)
  return { phases, arithmetic: `${precision}${fuses ? " fma" : ""}` }
}

function nativePhases(addon: Addon, memory: WebAssembly.Memory): Phases {
  const bytes = new Uint8Array(memory.buffer)
  return phasesBy(
    (name) =>
      (...numbers) =>
        addon[name](bytes, CONTROL.plan, ...numbers.map(Number)),
  )
}

function isHere(build: Native): boolean {
  return addonOf(build) !== null
}

function isNative(kernel: unknown): kernel is Native {
  return NATIVE.some((build) => build === kernel)
}

function addonOf(build: Native): Addon | null {
  const known = loaded.get(build)
  if (known !== undefined) return known
  const addon = load(build)
  loaded.set(build, addon)
  return addon
}

/** Not there where there was no compiler, or refused by a processor without the instructions. */
function load(build: Native): Addon | null {
  try {
    const file = new URL(`dist/kernel/${build}.node`, packageFile())
    return createRequire(import.meta.url)(fileURLToPath(file)) as Addon
  } catch {
    return null
  }
}
