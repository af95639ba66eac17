import { readdir, readFile, stat } from "node:fs/promises"
import { setTimeout as pause } from "node:timers/promises"

/** Kills a process whose command line has a word as soon as a file beside its store shows that it stored something. */
export async function killTask(part: string): Promise<void> {
  for (;;) {
    const length = await stat(`${part}.journal.wal`).then(
      ({ size }) => size,
      () => 0,
    )
    const process = length > 0 ? await processWith(part) : null
    if (process !== null) {
      globalThis.process.kill(process, "SIGKILL")
      return
    }
    await pause(5)
  }
}

/** The process that has a word in its command line (Linux). */
async function processWith(word: string): Promise<number | null> {
  for (const pid of (await readdir("/proc")).filter((name) => /^\d+$/.test(name))) {
    const words = (await readFile(`/proc/${pid}/cmdline`, "utf8").catch(() => "")).split("\0")
    if (words.includes(word)) return Number(pid)
  }
  return null
}
