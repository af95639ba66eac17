/**
 * Whether two versions of the project derive and prove the same: what `schemes`, `derive` and `prove` print as JSON,
 * for the whole catalogue and some variants, kept in a folder a version and compared by meaning.
 *
 *     npm run compare -- against REF          this checkout (built) beside another commit, which is built first
 *     npm run compare -- dump FOLDER          one version's outputs; --build for another checkout's
 *     npm run compare -- folders BEFORE AFTER two such folders
 */
import { execFile } from "node:child_process"
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises"
import { availableParallelism, tmpdir } from "node:os"
import { join } from "node:path"
import { promisify } from "node:util"
import { Command } from "commander"
import pMap from "p-map"
import { builtCommit, ROOT } from "./builtCommit.js"
import { differences } from "./derivationDifferences.js"

const run = promisify(execFile)

/**
 * Derivations beyond the catalogue's own: symbols left free, the output's level, other losses, clipping, alignments.
 */
const VARIANTS = [
  "init-a --level output --free o",
  "init-a --free rho s",
  "init-a --free d",
  "init-a --from 2",
  "init-a --align A',Z=k",
  "init-a --set c=-1/2 --stable-includes-za",
  "lora-plus --set cA=-1 --set cB=0",
  "init-ab --free o",
  "sgd-init-a --loss squared --batch 4",
  "sgd-init-a --clip 0",
  "sgd-init-b --loss squared",
  "init-b --optimiser muon",
  "init-a --optimiser momentum --loss squared",
  "two-layers-init-a --free o",
]

const command = new Command("compare")
command
  .command("dump <folder>")
  .option("--build <checkout>", "a built checkout", ROOT)
  .action((folder: string, { build }: { build: string }) => dump(build, folder))
command
  .command("folders <before> <after>")
  .option("--ignore <field...>", "fields that are not compared", [])
  .action((before: string, after: string, { ignore }: { ignore: string[] }) => compare(before, after, ignore))
command.command("against <reference>").option("--ignore <field...>", "fields that are not compared", []).action(against)
await command.parseAsync()

async function against(reference: string, { ignore }: { ignore: string[] }): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), "compare-"))
  const built = await builtCommit(reference)
  try {
    await dump(built.folder, join(folder, "before"))
    await dump(ROOT, join(folder, "after"))
    await compare(join(folder, "before"), join(folder, "after"), ignore)
  } finally {
    await built.close()
    await rm(folder, { recursive: true })
  }
}

/** Writes each output of the checkout's command to a file named after what was asked. */
async function dump(checkout: string, folder: string): Promise<void> {
  const { bin } = JSON.parse(await readFile(join(checkout, "package.json"), "utf8")) as { bin: Record<string, string> }
  // Nothing is taken from a cache that another version filled.
  const cache = await mkdtemp(join(tmpdir(), "cache-"))
  const env = { ...process.env, XDG_CACHE_HOME: cache }
  const ask = async (...given: string[]) => {
    const parameters = [join(checkout, bin["lora-scaling"]!), ...given, "--json"]
    const { stdout } = await run("node", parameters, { env, maxBuffer: 1e8 }).catch((error) => {
      // A claim that fails is an output too; bad input is not.
      if (error.code === 1) return error as { stdout: string }
      throw error
    })
    await writeFile(join(folder, `${given.join(" ").replaceAll("/", "÷")}.json`), stdout)
    return stdout
  }
  await mkdir(folder, { recursive: true })
  try {
    const { schemes } = JSON.parse(await ask("schemes")) as { schemes: { name: string }[] }
    const derivations = [...schemes.map(({ name }) => name), ...VARIANTS]
    await pMap(derivations, (given) => ask("derive", ...given.split(" "), "--steps", "8"), {
      concurrency: availableParallelism(),
    })
    await ask("prove", "--checker", "kernel")
  } finally {
    await rm(cache, { recursive: true })
  }
}

/** Prints each difference; exit code 1 if there is one. */
async function compare(before: string, after: string, ignored: readonly string[]): Promise<void> {
  const [old, now] = [await readdir(before), await readdir(after)]
  const lines = [
    ...old.filter((name) => !now.includes(name)).map((name) => `${name}: only before`),
    ...now.filter((name) => !old.includes(name)).map((name) => `${name}: only after`),
  ]
  const common = old.filter((name) => now.includes(name)).sort()
  for (const name of common) {
    const [x, y] = await Promise.all([before, after].map((folder) => readFile(join(folder, name), "utf8")))
    lines.push(...differences(JSON.parse(x!), JSON.parse(y!), ignored).map((text) => `${name}: ${text}`))
  }
  process.stdout.write(`${[...lines, `${common.length} outputs compared, ${lines.length} differences`].join("\n")}\n`)
  if (lines.length > 0) process.exitCode = 1
}
