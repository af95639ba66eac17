/** The Python that the engine `torch` runs on: where it is looked for, and what it lacks. */
import { execFile } from "node:child_process"
import { existsSync } from "node:fs"
import { homedir } from "node:os"
import { isAbsolute, join } from "node:path"
import { fileURLToPath } from "node:url"
import { promisify } from "node:util"
import { packageFile } from "../../../packageFile.js"
import { TuningFailure } from "../engine.js"

/** The variable that names a Python of one's own. */
const VARIABLE = "LORA_SCALING_PYTHON"

/** A file of the package's folder of Python. */
function shipped(name: string): string {
  return fileURLToPath(new URL(`python/${name}`, packageFile()))
}

/** Where the engine is installed for a user who names no Python: a folder of the user's cache. */
function environmentFolder(): string {
  const { XDG_CACHE_HOME: given = "" } = process.env
  return join(isAbsolute(given) ? given : join(homedir(), ".cache"), "lora-scaling", "torch")
}

/** What a user without the engine has to do. */
export function installTorch(): string {
  const folder = environmentFolder()
  return `python3 -m venv ${folder} && ${join(folder, "bin/pip")} install -r ${shipped("requirements.txt")}`
}

/** What is known of a Python without starting torch. */
export interface FoundPython {
  /** Its path; null where none was found. */
  readonly python: string | null
  /** Python's version and those of the packages by their names; null for one that is missing. */
  readonly versions: Readonly<Record<string, string | null>>
  /** The packages that it lacks. */
  readonly missing: readonly string[]
}

/**
 * The first Python that has every package: the one of $LORA_SCALING_PYTHON alone if it is set, else the one that the
 * line above makes, else python3 of the path. If none has all, the first that is there, with what it lacks.
 */
export async function findPython(): Promise<FoundPython> {
  const own = process.env[VARIABLE]
  const places = own === undefined ? [join(environmentFolder(), "bin/python"), "python3"] : [own]
  let first: FoundPython | null = null
  for (const python of places) {
    if (python.includes("/") && !existsSync(python)) continue
    const found = await versionsOf(python)
    if (found?.missing.length === 0) return found
    first ??= found
  }
  return first ?? { python: null, versions: {}, missing: ["python"] }
}

/** @throws TuningFailure with the line to install if no Python has every package. */
export async function requirePython(): Promise<string> {
  const { python, missing } = await findPython()
  if (python !== null && missing.length === 0) return python
  throw missingPackages(missing)
}

/** The refusal of a Python that lacks packages. */
export function missingPackages(missing: readonly string[]): TuningFailure {
  return new TuningFailure(
    `a Python is missing ${missing.join(", ")} (${VARIABLE} names another one); ${installTorch()}`,
  )
}

async function versionsOf(python: string): Promise<FoundPython | null> {
  try {
    const { stdout } = await promisify(execFile)(python, [shipped("lora_scaling_worker.py"), "--versions"])
    const versions = JSON.parse(stdout) as Record<string, string | null>
    return { python, versions, missing: Object.keys(versions).filter((name) => versions[name] === null) }
  } catch {
    return null
  }
}
