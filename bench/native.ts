/** The C programs of this folder, built where there is a compiler. */
import { execFile } from "node:child_process"
import { join } from "node:path"
import { promisify } from "node:util"
import { compiler as compilerHere } from "../scripts/compiler.js"

const run = promisify(execFile)
const here = new URL(".", import.meta.url).pathname

/** A build of bench/vector.c that this machine runs. */
export interface VectorProgram {
  readonly name: string
  readonly file: string
}

/** Programs as files. */
export interface Native {
  /** Plain loops. */
  readonly plain: string
  readonly machine: string
  readonly vectors: readonly VectorProgram[]
  /** What was not built, or does not run here, a sentence each. */
  readonly missing: readonly string[]
}

/** The instruction sets that bench/vector.c is written in. */
const VECTORS = [
  { name: "FMA on 128 bits", file: "narrow", flags: ["-mavx", "-mfma", "-DBITS=128"] },
  { name: "AVX2", file: "avx2", flags: ["-mavx2", "-mfma"] },
  { name: "AVX-512", file: "avx512", flags: ["-mavx512f", "-mfma"] },
]

/** Builds into the folder; null where there is no compiler. */
export async function buildNative(folder: string): Promise<Native | null> {
  const compiler = compilerHere()?.command
  if (compiler === undefined) return null
  const build = async (name: string, file: string, flags: readonly string[]) => {
    await run(compiler, ["-O3", ...flags, join(here, `${name}.c`), "-o", join(folder, file), "-lm", "-pthread"])
    return join(folder, file)
  }
  // -ffast-math, or the compiler vectorises no sum.
  const tuned = ["-march=native", "-ffast-math"]
  const [plain, machine] = [await build("adapter", "plain", tuned), await build("machine", "machine", tuned)]
  const vectors: VectorProgram[] = []
  const missing: string[] = []
  for (const { name, file, flags } of VECTORS)
    try {
      const program = await build("vector", file, flags)
      // Without arguments it says whether this machine has the instructions.
      await run(program)
      vectors.push({ name, file: program })
    } catch (error) {
      const { code } = error as { readonly code?: unknown }
      missing.push(`C with ${name} intrinsics: ${code === 3 ? "this machine lacks them" : "does not compile here"}`)
    }
  return { plain, machine, vectors, missing }
}
