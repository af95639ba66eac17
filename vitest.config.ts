import { defineConfig } from "vitest/config"

export default defineConfig({
  // Two files at a time: most of them wait for a process of their own that does not fill the machine.
  test: { include: ["test/**/*.test.ts"], testTimeout: 400_000, hookTimeout: 400_000, maxWorkers: 2 },
})
