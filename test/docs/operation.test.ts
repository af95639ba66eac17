/**
 * The walk-through of an operation in CONTRIBUTING.md, carried out: docs/examples/operation.patch on a copy of the
 * sources.
 */
import { execFileSync } from "node:child_process"
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join, resolve } from "node:path"
import ts from "typescript"
import { afterAll, beforeAll, expect, test } from "vitest"

const PATCH = resolve("docs/examples/operation.patch")

/** The files with a table that has a row for every operation. */
const TABLES = [
  "src/program/operations/table.ts",
  "src/program/tensorNames.ts",
  "src/derive/read.ts",
  "src/derive/words.ts",
  "src/train/numbers.ts",
  "src/train/gpu/programOperations.ts",
  "src/train/graph/operations.ts",
]

let copy: string

beforeAll(() => {
  copy = mkdtempSync(join(tmpdir(), "operation-"))
  for (const path of ["src", "verify", "proofs", "package.json", "tsconfig.json"])
    cpSync(path, join(copy, path), { recursive: true })
  // What the build left there is the kernels, which know no operations.
  for (const path of ["node_modules", "dist"]) symlinkSync(resolve(path), join(copy, path))
  execFileSync("git", ["apply", "-C1", PATCH], { cwd: copy })
})
afterAll(() => rmSync(copy, { recursive: true, force: true }))

/** What the compiler says of the given files of the copy. */
function messages(paths: readonly string[]): Map<string, string[]> {
  const { config } = ts.readConfigFile(join(copy, "tsconfig.json"), ts.sys.readFile)
  const { options } = ts.parseJsonConfigFileContent(
    { ...config, include: [], files: ["src/cli/commands.ts"] },
    ts.sys,
    copy,
  )
  const program = ts.createProgram(
    paths.map((path) => join(copy, path)),
    { ...options, noEmit: true },
  )
  const text = ({ messageText }: ts.Diagnostic) => ts.flattenDiagnosticMessageText(messageText, "\n")
  return new Map(
    paths.map((path) => {
      const file = program.getSourceFile(join(copy, path))!
      return [path, [...program.getSyntacticDiagnostics(file), ...program.getSemanticDiagnostics(file)].map(text)]
    }),
  )
}

function run(...given: readonly string[]): string {
  const tsx = join("node_modules", "tsx", "dist", "cli.mjs")
  return execFileSync(process.execPath, [tsx, "src/cli/commands.ts", ...given], { cwd: copy, encoding: "utf8" })
}

test("the patch touches one table a reading, and compiles", () => {
  const touched = [...readFileSync(PATCH, "utf8").matchAll(/^\+\+\+ b\/(.+)$/gm)].map(([, path]) => path!)
  expect(touched).toEqual(expect.arrayContaining(TABLES))
  for (const [path, said] of messages(touched)) expect(said, path).toEqual([])
})

test("a table without the operation's row does not compile, and the compiler names the operation", () => {
  const patched = TABLES.map((path) => [path, readFileSync(join(copy, path), "utf8")] as const)
  for (const path of TABLES) cpSync(path, join(copy, path))
  const said = messages(TABLES)
  for (const [path, text] of patched) writeFileSync(join(copy, path), text)
  for (const path of TABLES) expect(said.get(path)!.join("\n"), path).toMatch(/'normalise' is missing/)
})

// By hand: B moves by n^c along dZ at t = 1, A by n^c along Z at t = 2, A Z by n^(c + 1) and B A Z by n^(2 c + 1).
test("the scheme that uses it is derived", () => {
  const { stable, why } = JSON.parse(run("derive", "normalised-init-a", "--why", "stable", "--json"))
  expect(stable).toBe("c <= -1/2")
  expect(why.reasons[0].because).toBe("zB at t = 2 asks 2 * c + 1 <= 0")
  expect(why.reasons[0].chain.map(({ formula }: { formula: string }) => formula)).toContain("normalise(gradient of A)")
})

test("and holds against measurement", () => {
  const { claims } = JSON.parse(run("check", "normalised-init-a", "--seeds", "4", "--workers", "0", "--json"))
  expect(claims.length).toBeGreaterThan(20)
  for (const { id, verdict } of claims) expect(verdict, id).toBe("agrees")
})
