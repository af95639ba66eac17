import { execFileSync } from "node:child_process"
import fc from "fast-check"
import { expect, test } from "vitest"
import { numbersOf, ranges } from "../../src/launch/slurm/ranges.js"
import { arrayScript, mergeScript } from "../../src/launch/slurm/script.js"
import type { SweepArray } from "../../src/launch/sweepArray.js"

const array: SweepArray = {
  config: "/home/me/sweep.yaml",
  count: 12,
  store: "/home/me/runs.duckdb",
  threads: 2,
  program: ["/usr/bin/node", "/opt/lora-scaling/main.js"],
}

const NOTHING = { atOnce: null, words: [] }

test("the script of an array whose tasks 3, 4, 5 and 9 have runs to do", () => {
  expect(arrayScript(array, { ...NOTHING, time: "1:00:00" }, [3, 4, 5, 9])).toBe(`#!/bin/sh
#SBATCH --array=3-5,9
#SBATCH --output=/home/me/runs.duckdb.parts/%a-of-12.log
#SBATCH --job-name=${/lora-scaling-\w+/.exec(arrayScript(array, NOTHING, [1]))![0]}
#SBATCH --open-mode=append
#SBATCH --cpus-per-task=2
#SBATCH --time=1:00:00
exec /usr/bin/node /opt/lora-scaling/main.js sweep /home/me/sweep.yaml --store /home/me/runs.duckdb.parts/"$SLURM_ARRAY_TASK_ID"-of-12.duckdb --shard "$SLURM_ARRAY_TASK_ID"/12 --workers 2
`)
})

test("whatever stands in a path, the shell and sbatch read it as it is", () => {
  fc.assert(
    fc.property(fc.stringMatching(/^[ -~é\t]{1,20}$/), (name) => {
      const odd = { ...array, config: `/tmp/${name}/sweep.yaml`, program: ["printf", "%s\\0"] }
      const script = arrayScript(odd, NOTHING, [7])
      const env = { SLURM_ARRAY_TASK_ID: "7", PATH: process.env.PATH }
      const words = execFileSync("sh", { input: script, env, encoding: "utf8" }).split("\0")
      expect(words.slice(0, 4)).toEqual(["sweep", odd.config, "--store", "/home/me/runs.duckdb.parts/7-of-12.duckdb"])
    }),
    { numRuns: 40 },
  )
  const percent = { ...array, store: "/tmp/50% of/runs" }
  expect(arrayScript(percent, NOTHING, [1])).toContain('--output="/tmp/50%% of/runs.parts/%a-of-12.log"')
  expect(mergeScript(percent, NOTHING)).toContain('--output="/tmp/50%% of/runs.parts/merge.log"')
  expect(mergeScript(percent, NOTHING)).toMatch(/ merge '\/tmp\/50% of\/runs.parts\/'\*.duckdb --store /)
})

test("ranges stand for their numbers, as few as they can be", () => {
  expect(ranges([1, 2, 3, 5, 7, 8])).toBe("1-3,5,7-8")
  fc.assert(
    fc.property(fc.uniqueArray(fc.integer({ min: 1, max: 40 })), (given) => {
      const numbers = given.sort((x, y) => x - y)
      expect(numbersOf(ranges(numbers))).toEqual(numbers)
    }),
  )
  expect(["7", "[1-3,5%2]", "[2]", "N/A", "", "a-b"].map(numbersOf)).toEqual([[7], [1, 2, 3, 5], [2], [], [], []])
})
