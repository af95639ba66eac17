import { spawnSync } from "node:child_process"

/** Whether a program that some tests need is on the path. */
export function isInstalled(program: string, ...words: string[]): boolean {
  return spawnSync(program, words, { stdio: "ignore" }).error === undefined
}
