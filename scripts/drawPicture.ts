/** Draws the README's picture anew: the figure of the first screen of a quick report. */
import { execFileSync } from "node:child_process"
import { copyFileSync, mkdirSync, mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"

const file = (path: string) => fileURLToPath(new URL(path, import.meta.url))
const place = mkdtempSync(join(tmpdir(), "picture-"))
try {
  const out = join(place, "report")
  const words = ["reproduce", "--quick", "--only", "teacher-student", "--out", out]
  execFileSync(process.execPath, [file("../dist/command/main.js"), ...words], { stdio: "inherit" })
  mkdirSync(file("../docs/pictures"), { recursive: true })
  copyFileSync(join(out, "figures/answer-rates.svg"), file("../docs/pictures/rates.svg"))
} finally {
  rmSync(place, { recursive: true })
}
