import { existsSync, readFileSync } from "node:fs"

/** What this project reads of its own package.json. */
interface PackageDescription {
  readonly version: string
  readonly dependencies: Readonly<Record<string, string>>
}

/** The package's own package.json: the first above this module, which may run from sources, compiled or bundled. */
export function packageFile(): URL {
  for (let path = "../package.json"; path.length < 40; path = `../${path}`) {
    const file = new URL(path, import.meta.url)
    if (existsSync(file)) return file
  }
  throw new Error("package.json not found above the project's own files")
}

/** A file that tsc compiled, by its path from src: what threads and other people's programs load. */
export function compiledFile(path: string): URL {
  return new URL(`dist/src/${path}`, packageFile())
}

/** A file that the build bundled with what it imports: a thread loads it in a third of the time. */
export function bundledFile(name: string): URL {
  return new URL(`dist/command/${name}`, packageFile())
}

/** What the package.json says. */
export function packageDescription(): PackageDescription {
  return JSON.parse(readFileSync(packageFile(), "utf8"))
}

/** The version of this package. */
export function packageVersion(): string {
  return packageDescription().version
}

/**
 * The line that installs an optional package beside this one. In a clone of this repository npm takes it for a peer that
 * was left out on purpose, and installs nothing, unless it is one for development.
 */
export function installLine(name: string): string {
  const isClone = existsSync(new URL("src/", packageFile()))
  return `npm install ${name}${isClone ? " --no-save --save-dev" : ""} --ignore-scripts`
}
