import { availableParallelism, cpus } from "node:os"
import { packageDescription } from "../packageFile.js"

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
  const own = packageDescription()
  const libraries = ["fraction.js", "ml-matrix", "pure-rand", "simple-statistics"]
  return {
    loraScaling: own.version,
    node: process.version,
    platform: `${process.platform} ${process.arch}`,
    processor: cpus()[0]?.model.trim() ?? "unknown",
    cores: availableParallelism(),
    backend: "cpu float64 (reference interpreter); a teacher-student run names its own",
    libraries: Object.fromEntries(libraries.map((name) => [name, own.dependencies[name] ?? "unknown"])),
  }
}
