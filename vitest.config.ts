import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { defineConfig } from "vitest/config"

/** Nothing is taken from the user's cache or left there. */
const cache = mkdtempSync(join(tmpdir(), "tests-"))
process.once("exit", () => rmSync(cache, { recursive: true, force: true }))

export default defineConfig({
  // Two files at a time: most of them wait for a process of their own that does not fill the machine.
  test: {
    include: ["test/**/*.test.ts"],
    testTimeout: 400_000,
    hookTimeout: 400_000,
    maxWorkers: 2,
    env: { XDG_CACHE_HOME: cache },
  },
})
