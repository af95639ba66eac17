/**
 * Builds dist: the kernels beside what tsc and rolldown make, then what is written from both. Where dist was built from
 * these very sources and is whole, nothing is done: `npm ci` builds, `npm test` and the first `npx lora-scaling` ask
 * again.
 */
import { spawn } from "node:child_process"
import { once } from "node:events"
import { fileURLToPath } from "node:url"
import { digestOfSources, isBuiltFrom, noteBuilt } from "./builtFrom.js"
import { compiler } from "./compiler.js"

const root = fileURLToPath(new URL("..", import.meta.url))

const from = await digestOfSources(root, [compiler()?.version ?? "no C compiler"])
if (await isBuiltFrom(root, from)) console.log("dist is built from these sources")
else {
  const ended = await Promise.all(["build:kernel", "build:command"].map(script))
  if (ended.some((code) => code !== 0)) process.exit(1)
  await import("./finishBuild.js")
  await noteBuilt(root, from)
}

/** The exit status of a script of the package. */
async function script(name: string): Promise<number | null> {
  const [code] = await once(spawn("npm", ["run", name], { cwd: root, stdio: "inherit" }), "exit")
  return code
}
