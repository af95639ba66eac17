import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises"
import { createRequire } from "node:module"
import { tmpdir } from "node:os"
import { dirname, join } from "node:path"
import { cruise, type IConfiguration, type ICruiseResult } from "dependency-cruiser"
import { expect, test } from "vitest"

const { forbidden, options } = createRequire(import.meta.url)("../.dependency-cruiser.cjs") as IConfiguration

/** For each rule that `npm run check` enforces: a file, and what it may not import. */
const REFUSED: Readonly<Record<string, readonly [from: string, to: string][]>> = {
  "no-circular": [["src/fit/one.ts", "src/fit/other.ts"]],
  "kernel-trusts-nothing": [["proofs/kernel.ts", "src/exponent/affine.ts"]],
  "derive-and-train-apart": [["src/derive/read.ts", "src/train/run.ts"]],
  "train-and-derive-apart": [["src/train/run.ts", "src/derive/read.ts"]],
  "exponent-imports-nothing-above": [["src/exponent/affine.ts", "src/program/node.ts"]],
  "program-imports-nothing-above": [["src/program/node.ts", "src/scheme/scheme.ts"]],
  "scheme-imports-nothing-above": [["src/scheme/scheme.ts", "src/derive/derive.ts"]],
  "derive-imports-nothing-above": [["src/derive/derive.ts", "src/fit/slope.ts"]],
  "train-imports-nothing-above": [
    ["src/train/run.ts", "src/sweep/sweep.ts"],
    ["src/train/gpu/network.ts", "src/cli/devices.ts"],
  ],
  "sweep-imports-nothing-above": [["src/sweep/sweep.ts", "src/report/section.ts"]],
  "fit-imports-nothing-above": [["src/fit/slope.ts", "verify/compare/claim.ts"]],
  "report-imports-nothing-above": [["src/report/section.ts", "src/prove/theorem.ts"]],
  "prove-imports-nothing-above": [["src/prove/theorem.ts", "src/cli/prove.ts"]],
  "train-imports-no-backend": [
    ["src/train/synthetic.ts", "src/train/gpu/activations.ts"],
    ["src/train/run.ts", "src/train/wasm/layout.ts"],
  ],
  "backends-import-no-pool": [
    ["src/train/gpu/network.ts", "src/train/pool.ts"],
    ["src/train/wasm/cpu.ts", "src/train/task.ts"],
  ],
  "wasm-imports-no-gpu": [["src/train/wasm/cpu.ts", "src/train/gpu/device.ts"]],
  "instrument-imports-no-experiment": [
    ["verify/compare/claim.ts", "verify/theory/theorySetting.ts"],
    ["verify/compare/check.ts", "verify/experiment.ts"],
  ],
  "experiments-import-no-command": [["verify/layers/layers.ts", "src/cli/terminal.ts"]],
  "rooms-import-no-report-of-all": [["verify/layers/layers.ts", "verify/experiments.ts"]],
}

test("every rule about imports has an example below", () => {
  expect(Object.keys(REFUSED).sort()).toEqual(forbidden!.map(({ name }) => name).sort())
})

const examples = Object.entries(REFUSED).flatMap(([rule, pairs]) => pairs.map(([from, to]) => ({ rule, from, to })))

test.each(examples)("$rule: $from may not import $to, not even a type", async ({ rule, from, to }) => {
  const folder = await mkdtemp(join(tmpdir(), "imports-"))
  try {
    const write = async (path: string, text: string) => {
      await mkdir(dirname(join(folder, path)), { recursive: true })
      await writeFile(join(folder, path), text)
    }
    const path = (target: string, source: string) =>
      `${"../".repeat(source.split("/").length - 1)}${target.replace(/\.ts$/, ".js")}`
    await write(from, `import type { X } from "./${path(to, from)}"\nexport type Y = X\n`)
    await write(
      to,
      rule === "no-circular"
        ? `import type { Y } from "./${path(from, to)}"\nexport type X = Y\n`
        : "export type X = 1\n",
    )
    const { tsConfig: _, ...rest } = options!
    const { output } = await cruise(
      ["src", "proofs", "verify"].filter((top) => [from, to].some((file) => file.startsWith(`${top}/`))),
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
