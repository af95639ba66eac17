import { readFileSync } from "node:fs"
import { createRequire } from "node:module"
import { availableParallelism, cpus } from "node:os"
import { z } from "zod"

const require = createRequire(import.meta.url)
const Package = z.object({ version: z.string(), dependencies: z.record(z.string(), z.string()).optional() })

/** What a result was computed with: versions, processor, backend. Holds no name of a machine or a user. */
export interface Environment {
  readonly loraScaling: string
  readonly node: string
  readonly platform: string
  readonly processor: string
  readonly cores: number
  readonly backend: string
  readonly libraries: Readonly<Record<string, string>>
}

/** The environment of this process. */
export function environment(): Environment {
  const own = Package.parse(JSON.parse(readFileSync(packageFile(), "utf8")))
  const libraries = ["fraction.js", "mathjs", "ml-matrix", "nerdamer", "pure-rand", "simple-statistics"]
  return {
    loraScaling: own.version,
    node: process.version,
    platform: `${process.platform} ${process.arch}`,
    processor: cpus()[0]?.model.trim() ?? "unknown",
    cores: availableParallelism(),
    backend: "cpu float64 (reference interpreter); a teacher-student run names its own",
    libraries: Object.fromEntries(libraries.map((name) => [name, own.dependencies?.[name] ?? "unknown"])),
  }
}

/** The package's own package.json, from sources (src/report) and from compiled files (dist/src/report) alike. */
/** This package.json, wherever it lies above the module. */
export function packageFile(): string {
  for (const path of ["../../package.json", "../../../package.json"]) {
    try {
      return require.resolve(path)
    } catch {}
  }
  throw new Error("package.json not found beside the sources")
}
