import { execFile } from "node:child_process"
import { mkdtemp, rm, symlink } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { promisify } from "node:util"

const run = promisify(execFile)

/** The checkout that these scripts belong to. */
export const ROOT = new URL("..", import.meta.url).pathname

/** A checkout of another commit, built. */
export interface BuiltCommit {
  readonly folder: string
  readonly close: () => Promise<void>
}

/**
 * The commit checked out and built in a temporary folder, with the libraries that are installed here.
 *
 * @throws Error with what git or the build wrote if either fails.
 */
export async function builtCommit(reference: string): Promise<BuiltCommit> {
  const folder = await mkdtemp(join(tmpdir(), "commit-"))
  const close = async () => {
    await run("git", ["worktree", "remove", "--force", folder], { cwd: ROOT }).catch(() => {})
    await rm(folder, { recursive: true, force: true })
  }
  try {
    await run("git", ["worktree", "add", "--detach", "--force", folder, reference], { cwd: ROOT })
    await symlink(join(ROOT, "node_modules"), join(folder, "node_modules"))
    await run("npm", ["run", "build"], { cwd: folder, maxBuffer: 1e8 })
    return { folder, close }
  } catch (error) {
    await close()
    throw error
  }
}
