import { mkdir, mkdtemp, readdir, rm, writeFile } from "node:fs/promises"
import { createRequire } from "node:module"
import { tmpdir } from "node:os"
import { dirname, join } from "node:path"
import { cruise, type IConfiguration, type ICruiseResult } from "dependency-cruiser"
import { expect, test } from "vitest"

const { forbidden, options } = createRequire(import.meta.url)("../.dependency-cruiser.cjs") as IConfiguration

/** The layers in their order, each with a rule of its own. */
const LAYER_RULE = /^(.*)-imports-nothing-above$/
const layers = forbidden!.flatMap(({ name }) => LAYER_RULE.exec(name!)?.[1] ?? [])

/** A layer may import neither the next one, nor a command, nor an experiment. */
const ABOVE = layers.map((layer, i): [string, [string, string][]] => {
  const above = [`src/${layers[i + 1] ?? "cli"}/other.ts`, "src/cli/terminal.ts", "verify/compare/claim.ts"]
  return [`${layer}-imports-nothing-above`, above.map((other) => [`src/${layer}/one.ts`, other])]
})

/** For each other rule that `npm run check` enforces: a file, and what it may not import. */
const REFUSED: Readonly<Record<string, readonly [from: string, to: string][]>> = {
  "no-circular": [["src/fit/one.ts", "src/fit/other.ts"]],
  "kernel-trusts-nothing": [["proofs/kernel.ts", "src/exponent/affine.ts"]],
  "derive-and-train-apart": [["src/derive/read.ts", "src/train/run.ts"]],
  "train-and-derive-apart": [["src/train/run.ts", "src/derive/read.ts"]],
  "train-imports-no-backend": [
    ["src/train/teacherStudent.ts", "src/train/gpu/activations.ts"],
    ["src/train/run.ts", "src/train/wasm/layout.ts"],
    ["src/train/run.ts", "src/train/fused/plan.ts"],
  ],
  "backends-import-no-pool": [
    ["src/train/gpu/teacherStudentBatch.ts", "src/train/pool.ts"],
    ["src/train/wasm/cpu.ts", "src/train/task.ts"],
  ],
  "wasm-imports-no-gpu": [["src/train/wasm/cpu.ts", "src/train/gpu/device.ts"]],
  "instrument-imports-no-experiment": [
    ["verify/compare/claim.ts", "verify/theory/theorySetting.ts"],
    ["verify/compare/check.ts", "verify/experiment.ts"],
  ],
  "experiments-import-no-command": [["verify/layers/layers.ts", "src/cli/terminal.ts"]],
  "explorer-reaches-no-node": [["web/worker/one.ts", "node:fs"]],
  "page-imports-no-engine": [
    ["web/page/one.tsx", "src/derive/derive.ts"],
    ["web/page/one.tsx", "web/worker/deriver.ts"],
  ],
  "nothing-imports-the-explorer": [["src/report/fit.ts", "web/page/one.ts"]],
  "rooms-import-no-report-of-all": [["verify/layers/layers.ts", "verify/experiments.ts"]],
}

const all = { ...REFUSED, ...Object.fromEntries(ABOVE) }

test("every rule about imports has an example, and every folder but the commands' is a layer", async () => {
  expect(Object.keys(all).sort()).toEqual(forbidden!.map(({ name }) => name).sort())
  const folders = (await readdir(new URL("../src", import.meta.url), { withFileTypes: true })).flatMap((entry) =>
    entry.isDirectory() ? [entry.name] : [],
  )
  expect([...layers, "cli"].sort()).toEqual(folders.sort())
})

const examples = Object.entries(all).flatMap(([rule, pairs]) => pairs.map(([from, to]) => ({ rule, from, to })))

test.each(examples)("$rule: $from may not import $to, not even a type", async ({ rule, from, to }) => {
  const folder = await mkdtemp(join(tmpdir(), "imports-"))
  try {
    const write = async (path: string, text: string) => {
      await mkdir(dirname(join(folder, path)), { recursive: true })
      await writeFile(join(folder, path), text)
    }
    const isOfNode = to.startsWith("node:")
    const path = (target: string, source: string) =>
      isOfNode ? target : `./${"../".repeat(source.split("/").length - 1)}${target.replace(/\.ts$/, ".js")}`
    await write(from, `import type { X } from "${path(to, from)}"\nexport type Y = X\n`)
    const circle = rule === "no-circular" ? `import type { Y } from "${path(from, to)}"\nexport type X = Y\n` : null
    if (!isOfNode) await write(to, circle ?? "export type X = 1\n")
    const { tsConfig: _, ...rest } = options!
    const { output } = await cruise(
      ["src", "proofs", "verify", "web"].filter((top) => [from, to].some((file) => file.startsWith(`${top}/`))),
      {
        ...rest,
        baseDir: folder,
        ruleSet: { forbidden: forbidden! },
        validate: true,
      } as Parameters<typeof cruise>[1],
    )
    const { violations } = (output as ICruiseResult).summary
    expect(violations.map((violation) => violation.rule.name)).toContain(rule)
  } finally {
    await rm(folder, { recursive: true })
  }
})
