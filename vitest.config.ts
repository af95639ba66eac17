import { mkdtempSync, readFileSync, rmSync, statfsSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { defineConfig } from "vitest/config"
import { BaseSequencer, type TestSpecification } from "vitest/node"

/**
 * Files that take more than a few seconds of processor time, the longest first: they start processes, measure, or
 * install. `npm run test:quick` leaves them out; `npm test` begins with them, so that its two workers end together.
 */
const SLOW = [
  "test/docs/commands.test.ts",
  "test/prove/prove.test.ts",
  "test/train/graph/fineTune.test.ts",
  "test/cli/sweep.test.ts",
  "test/package/package.test.ts",
  "test/verify/compare/randomSchemes.test.ts",
  "test/derive/transformer.test.ts",
  "test/train/tuning/torch.test.ts",
  "test/train/gpu/browser.test.ts",
  "test/verify/compare/randomTransformers.test.ts",
  "test/inspect/findings.test.ts",
  "test/web/explorer.test.ts",
  "test/table/fuzz.test.ts",
  "test/cli/examples.test.ts",
  "test/inspect/variety.test.ts",
  "test/cli/sweepFineTune.test.ts",
  "test/cli/cli.test.ts",
  "test/launch/slurm.test.ts",
  "test/cli/cases.test.ts",
  "test/cli/backend.test.ts",
  "test/inspect/large.test.ts",
  "test/train/gpu/teacherStudentBatch.test.ts",
  "test/launch/launch.test.ts",
  "test/verify/experiments.test.ts",
  "test/derive/why.test.ts",
  "test/cli/remembered.test.ts",
  "test/inspect/corrupted.test.ts",
  "test/scripts/models.test.ts",
  "test/sweep/paper.test.ts",
  "test/derive/allSteps.test.ts",
  "test/train/gpu/program.test.ts",
  "test/cli/ownScheme.test.ts",
  "test/verify/coverage/intervalCoverage.test.ts",
  "test/cli/transfer.test.ts",
  "test/train/graph/browser.test.ts",
  "test/table/kinds.test.ts",
  "test/train/tuning/cost/work.test.ts",
  "test/train/gpuPool.test.ts",
  "test/scripts/compareEngines.test.ts",
  "test/cli/sweepTorch.test.ts",
  "test/verify/realModel/realModel.test.ts",
  "test/verify/compare/variants.test.ts",
  "test/inspect/recorder.test.ts",
  "test/verify/compare/preconditioned.test.ts",
  "test/checkpoint/hub/python.test.ts",
  "test/checkpoint/pickle.test.ts",
  "test/sweep/store.test.ts",
  "test/inspect/starts.test.ts",
  "test/scripts/command.test.ts",
  "test/docs/operation.test.ts",
  "test/cli/checkMeasured.test.ts",
  "test/verify/compare/adapters.test.ts",
  "test/verify/transformer/transformer.test.ts",
  "test/cli/precision.test.ts",
  "test/verify/reproduce.test.ts",
  "test/docs/variants.test.ts",
  "test/sweep/export.test.ts",
  "test/verify/compare/followingAdapters.test.ts",
  "test/cli/fetch.test.ts",
  "test/program/models/transformerTorch.test.ts",
  "test/report/firstScreen.test.ts",
  "test/verify/compare/starts.test.ts",
]

/**
 * Slow files that start no process and measure neither memory nor time: they share what they import, and with it what
 * they derive.
 */
const SHARED = [
  ...[
    "adapters",
    "followingAdapters",
    "preconditioned",
    "randomSchemes",
    "randomTransformers",
    "starts",
    "variants",
  ].map((name) => `test/verify/compare/${name}.test.ts`),
  "test/verify/coverage/intervalCoverage.test.ts",
  "test/verify/realModel/realModel.test.ts",
  "test/verify/reproduce.test.ts",
  "test/verify/experiments.test.ts",
  "test/verify/transformer/transformer.test.ts",
  ...["allSteps", "transformer", "why"].map((name) => `test/derive/${name}.test.ts`),
  "test/docs/variants.test.ts",
  ...["findings", "starts", "variety"].map((name) => `test/inspect/${name}.test.ts`),
]

class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const place = ({ moduleId }: TestSpecification) => {
      const found = SLOW.findIndex((path) => moduleId.endsWith(`/${path}`))
      return found === -1 ? SLOW.length : found
    }
    return (await super.sort(files)).sort((x, y) => place(x) - place(y))
  }
}

/**
 * Folder for the files that tests write: thousands of small ones, packages and checkpoints. In memory where the system
 * has a place for that with room and from which programs may be started, since a disk makes half of those tests wait.
 */
function folderForFiles(): string {
  const memory = "/dev/shm"
  try {
    const { bavail, bsize } = statfsSync(memory)
    const mount = readFileSync("/proc/mounts", "utf8")
      .split("\n")
      .find((line) => line.split(" ")[1] === memory)
    if (mount !== undefined && !/\bnoexec\b/.test(mount) && bavail * bsize > 6e9) return memory
  } catch {
    // Not Linux.
  }
  return tmpdir()
}
const place = mkdtempSync(join(folderForFiles(), "tests-"))
process.once("exit", () => rmSync(place, { recursive: true, force: true }))

export default defineConfig({
  // Two files at a time: most of them wait for a process of their own that does not fill the machine.
  test: {
    maxWorkers: 2,
    sequence: { sequencer: LongestFirst },
    projects: [
      // Files share what they import: a third of this lane's time would go into importing it again for each.
      { extends: true, test: { name: "quick", include: ["test/**/*.test.ts"], exclude: SLOW, isolate: false } },
      { extends: true, test: { name: "shared", include: SHARED, isolate: false } },
      { extends: true, test: { name: "slow", include: SLOW.filter((path) => !SHARED.includes(path)) } },
    ],
    testTimeout: 400_000,
    hookTimeout: 400_000,
    // Nothing is taken from the user's cache or left there.
    env: { TMPDIR: place, XDG_CACHE_HOME: join(place, "cache") },
  },
})
