import { readFileSync } from "node:fs"
import { setFlagsFromString } from "node:v8"
import { packageFile } from "../../packageFile.js"
import type { Binary } from "./phases.js"

/** Where the build leaves the binaries. */
const FOLDER = new URL("dist/kernel/", packageFile())

const compiled = new Map<Binary | "vectors", WebAssembly.Module>()

/** The compiled kernel; by default the one with relaxed SIMD where the runtime takes it. */
export function kernelModule(binary: Binary = best()): WebAssembly.Module {
  return moduleOf(binary)
}

/** The compiled kernel of fused loops, which never fuses a product and a sum. */
export function vectorModule(): WebAssembly.Module {
  return moduleOf("vectors")
}

function moduleOf(binary: Binary | "vectors"): WebAssembly.Module {
  const known = compiled.get(binary)
  if (known !== undefined) return known
  const module = new WebAssembly.Module(bytesOf(binary))
  compiled.set(binary, module)
  return module
}

function best(): Binary {
  const relaxed = bytesOf("relaxed")
  if (WebAssembly.validate(relaxed)) return "relaxed"
  // Node 20 has it behind a flag, which newer releases do not know.
  setFlagsFromString("--experimental-wasm-relaxed-simd")
  return WebAssembly.validate(relaxed) ? "relaxed" : "plain"
}

function bytesOf(binary: Binary | "vectors"): Uint8Array<ArrayBuffer> {
  return new Uint8Array(readFileSync(new URL(`${binary}.wasm`, FOLDER)))
}
