/** The C compiler of this machine. */
import { execFileSync } from "node:child_process"

/** The first of CC, cc, gcc and clang that runs, with the first line of what it says of itself; null for none. */
export function compiler(): { readonly command: string; readonly version: string } | null {
  for (const command of [process.env.CC, "cc", "gcc", "clang"])
    try {
      if (command)
        return {
          command,
          version: execFileSync(command, ["--version"], { encoding: "utf8", stdio: "pipe" }).split("\n")[0]!,
        }
    } catch {}
  return null
}
