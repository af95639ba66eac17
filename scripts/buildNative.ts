/**
 * Builds the kernel's phases in C with the wider vectors that this machine has: dist/kernel/avx2.node and avx512.node. Where
 * it cannot it says why, and the WebAssembly kernel is used; nothing fails.
 */
import { execFileSync } from "node:child_process"
import { existsSync, mkdirSync, rmSync } from "node:fs"
import { dirname, join } from "node:path"
import { fileURLToPath } from "node:url"
import { compiler } from "./compiler.js"

const root = fileURLToPath(new URL("..", import.meta.url))
const [sources, folder] = [join(root, "src/train/wasm/native"), join(root, "dist/kernel")]
const BUILDS = [
  { name: "avx2", needs: "avx2", flags: ["-mavx2", "-mfma"] },
  { name: "avx512", needs: "avx512f", flags: ["-mavx512f", "-mfma"] },
]

const say = (what: string) => console.log(`kernel: ${what}`)
const refuse = (why: string) => say(`WebAssembly alone, since ${why}`)

mkdirSync(folder, { recursive: true })
const found = compiler()
const headers = join(dirname(process.execPath), "../include/node")
if (process.arch !== "x64" || process.platform === "win32") refuse("AVX is built on x86-64 under Linux and macOS")
else if (found === null) refuse("there is no C compiler")
else if (!existsSync(join(headers, "node_api.h"))) refuse(`Node's headers are not at ${headers}`)
else for (const { name, needs, flags } of BUILDS) say(`${name}, ${build(found, name, needs, flags)}`)

/** By whom it was built, or why not. */
function build(by: NonNullable<typeof found>, name: string, needs: string, flags: readonly string[]): string {
  const run = (program: string, ...words: string[]) => execFileSync(program, words, { stdio: "pipe" })
  const shared = ["-O3", "-fPIC", "-fvisibility=hidden", "-Wall", "-Wextra"]
  const [phases, addon, result] = [join(folder, `${name}.o`), join(sources, "addon.c"), join(folder, `${name}.node`)]
  const link = process.platform === "darwin" ? ["-bundle", "-undefined", "dynamic_lookup"] : ["-shared"]
  rmSync(result, { force: true })
  try {
    // No product is fused with a sum unless the source says so: the same bits by every compiler.
    run(by.command, ...shared, "-ffp-contract=off", ...flags, "-c", join(sources, "phases.c"), "-o", phases)
    // What Node calls when it loads the library runs on any processor, to say that one lacks the instructions.
    run(by.command, ...shared, `-DNEEDS="${needs}"`, `-I${headers}`, ...link, addon, phases, "-o", result)
    run(process.execPath, "-e", "require(process.argv[1])", result)
    return `by ${by.version}`
  } catch (error) {
    rmSync(result, { force: true })
    const { stderr } = error as { readonly stderr?: Buffer }
    const why = /Error: (.*)/.exec(String(stderr ?? error))?.[1] ?? String(stderr ?? error).trim()
    return `not here: ${why.split("\n").at(-1)}`
  } finally {
    rmSync(phases, { force: true })
  }
}
