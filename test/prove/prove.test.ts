import { execFile } from "node:child_process"
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { promisify } from "node:util"
import { afterAll, describe, expect, test } from "vitest"
import { type Certificate, check, Refusal } from "../../proofs/kernel.js"
import { derive } from "../../src/derive/derive.js"
import { disagreements } from "../../src/prove/agreement.js"
import { createJudge, isInstalled } from "../../src/prove/checkers.js"
import { parseClaim, requireSymbols } from "../../src/prove/claim.js"
import { decide } from "../../src/prove/prover.js"
import { smtText } from "../../src/prove/smt.js"
import {
  comparedRecurrence,
  readTheorem,
  schemeOf,
  smtFile,
  type Theorem,
  theoremFile,
  theoremNames,
} from "../../src/prove/theorem.js"
import { schemeNamed } from "../../src/scheme/catalogue.js"
import { scheme } from "../../src/scheme/scheme.js"

const theorems = theoremNames().map((name) => readTheorem(name))
const command = (...args: string[]) =>
  promisify(execFile)(process.execPath, ["dist/command/main.js", "prove", ...args]).then(
    ({ stdout }) => ({ stdout, stderr: "", code: 0 }),
    (error: { stdout: string; stderr: string; code: number }) => error,
  )

describe.each(theorems.map((theorem) => [theorem.statement.name, theorem] as const))("%s", (name, theorem) => {
  test("is about the recurrence of the program that trains", () =>
    expect(disagreements(theorem.recurrence, derive(schemeOf(theorem.statement)), 4)).toEqual([]))
  test("says in its formula what it says in words", () => {
    const { atoms, direction, where } = parseClaim(theorem.statement.claim)
    expect(theorem.claim).toEqual({ atoms, direction, where })
  })
  test("is accepted by the kernel", () => expect(() => check(theorem)).not.toThrow())
  test("has its SMT-LIB text in the repository", async () =>
    expect(await readFile(smtFile(name), "utf8")).toBe(smtText(theorem)))
})

/**
 * The claim with one thing changed: a bound moved by 1/100, a constraint or an atom left out, a direction, a step, a
 * quantity.
 */
function mutants({ claim }: Theorem): Theorem["claim"][] {
  const { atoms, direction, where } = claim
  const without = <T>(items: readonly T[], i: number) => items.filter((_, k) => k !== i)
  const replaced = <T>(items: readonly T[], i: number, item: T) => items.map((old, k) => (k === i ? item : old))
  const moved = (form: Readonly<Record<string, string>>, by: number) => {
    const [p, q = "1"] = (form[""] ?? "0").split("/")
    return { ...form, "": `${100 * Number(p) + by * Number(q)}/${100 * Number(q)}` }
  }
  const swap: Readonly<Record<string, string>> = { zB: "zA", zA: "zB", delta1: "delta2", delta2: "delta1", f: "zB" }
  return [
    ...where.flatMap((piece, p) =>
      piece.flatMap((constraint, i) => [
        ...[-1, 1].map((by) => ({
          ...claim,
          where: replaced(where, p, replaced(piece, i, { ...constraint, form: moved(constraint.form, by) })),
        })),
        { ...claim, where: replaced(where, p, without(piece, i)) },
      ]),
    ),
    ...(where.length === 0 ? [{ ...claim, where: [[]] }] : [{ ...claim, where: [] }]),
    ...(direction === "iff" ? [] : [{ ...claim, direction: "iff" as const }]),
    ...atoms.flatMap((atom, i) => [
      { ...claim, atoms: replaced(atoms, i, { ...atom, from: Math.max(1, atom.from - 1) }) },
      {
        ...claim,
        atoms: replaced(atoms, i, { ...atom, relation: atom.relation === "==" ? ("<=" as const) : ("==" as const) }),
      },
      ...[-1, 1].map((by) => ({ ...claim, atoms: replaced(atoms, i, { ...atom, bound: `${by}/100` }) })),
      ...(swap[atom.quantity]
        ? [{ ...claim, atoms: replaced(atoms, i, { ...atom, quantity: swap[atom.quantity]! }) }]
        : []),
      ...(atoms.length > 1 ? [{ ...claim, atoms: without(atoms, i) }] : []),
    ]),
  ]
}

describe("mutants", () => {
  // One check that is not unsatisfiable is enough: nothing is accepted then.
  const { judge, close } = createJudge(100, undefined, (lines) => lines.some((line) => line !== "unsat"))
  afterAll(close)
  test("no checker accepts a false one, and the engine says where each is false", async () => {
    const count = { false: 0, true: 0 }
    const solvers = (await isInstalled("cvc5")) ? (["z3", "cvc5"] as const) : (["z3"] as const)
    for (const theorem of theorems)
      for (const claim of mutants(theorem)) {
        const decision = decide(theorem.recurrence, claim)
        const mutant = { ...theorem, claim }
        if (decision.proven) {
          count.true++
          expect(() => check({ ...mutant, certificate: decision.certificate })).not.toThrow()
          continue
        }
        count.false++
        expect(() => check(mutant)).toThrow(Refusal)
        // Each mostly runs into its time limit: they do so side by side.
        for (const { checker, verdict } of await Promise.all(solvers.map((solver) => judge(solver, mutant))))
          expect(verdict, `${checker} ${JSON.stringify(claim)}`).not.toBe("accepted")
        // The refutation is itself a theorem: where the symbols have these values the claim's other side holds.
        const { values, fails } = decision.counterexample
        const at = Object.entries(values).flatMap(([symbol, value]) => [
          { [symbol]: "1", "": negated(value) },
          { [symbol]: "-1", "": value },
        ])
        const { recurrence } = theorem
        const there = { ...recurrence, domain: [...recurrence.domain, ...at] }
        const opposite = decide(there, { ...claim, direction: "if", where: [[]] })
        expect(opposite.proven).toBe(fails === null)
      }
    process.stdout.write(
      `mutants: ${count.false} false, none accepted by the kernel, ${solvers.join(" or ")}; ${count.true} true, recognised\n`,
    )
    expect(count.false).toBeGreaterThanOrEqual(300)
  }, 600_000)
})

function negated(value: string): string {
  return value.startsWith("-") ? value.slice(1) : `-${value}`
}

describe("corrupted certificates are refused by the line that fails", () => {
  /** Applies a change to every leaf until one is refused. */
  const refusal = (
    name: string,
    change: (tree: Extract<Certificate, { facts: unknown }>) => object,
  ): Refusal | null => {
    const theorem = readTheorem(name)
    const changed = (tree: Certificate): Certificate => {
      if ("split" in tree) return { ...tree, atMost: changed(tree.atMost), above: changed(tree.above) }
      return "facts" in tree ? ({ ...tree, ...change(tree) } as Certificate) : tree
    }
    try {
      check({ ...theorem, certificate: changed(theorem.certificate) })
      return null
    } catch (error) {
      if (error instanceof Refusal) return error
      throw error
    }
  }
  test.each([
    [
      "a multiplier changed",
      "init-a-stable",
      /facts\[\d+\]/,
      ({ facts }: { facts: readonly object[] }) => ({
        facts: facts.map((fact) => ({
          ...fact,
          multipliers: ("multipliers" in fact ? (fact.multipliers as string[]) : []).map(() => "0"),
        })),
      }),
    ],
    [
      "a negative multiplier",
      "init-a-stable",
      /facts\[\d+\]/,
      ({ facts }: { facts: readonly object[] }) => ({
        facts: facts.map((fact) => ({
          ...fact,
          multipliers: ("multipliers" in fact ? (fact.multipliers as string[]) : []).map(() => "-1"),
        })),
      }),
    ],
    ["a fact removed", "phase-diagram", /t=\d|certificate/, () => ({ facts: [] })],
    ["too few steps", "init-a-stable", /certificate/, () => ({ steps: 1 })],
    ["another verdict", "init-a-stable", /certificate/, () => ({ verdict: { holds: true } })],
    [
      "another growth",
      "toy-init-a",
      /increments/,
      ({ verdict }: { verdict: object }) => ({
        verdict: "increments" in verdict ? { ...verdict, increments: { bM: { c: "3" } } } : verdict,
      }),
    ],
  ] as const)("%s", (_, name, line, change) => {
    const found = refusal(name, change as never)
    expect(found).toBeInstanceOf(Refusal)
    expect(found!.line).toMatch(line)
  })
  test("the halves of a split exchanged", () => {
    const theorem = readTheorem("init-a-stable")
    const { certificate } = theorem
    if (!("split" in certificate)) throw new Error("a theorem that needs no split")
    const { atMost, above } = certificate
    expect(() => check({ ...theorem, certificate: { ...certificate, atMost: above, above: atMost } })).toThrow(Refusal)
  })
})

describe("a claim is about its scheme's symbols", () => {
  const asked = (text: string) => () => requireSymbols(parseClaim(text), ["cA", "cB"])
  test.each([
    ["stable for all t iff c <= -1/2", /"c".*allowed: the scheme's symbols: cA, cB/],
    ["stable for all t for every cC", /"cC", did you mean cA/],
    ["stable for all t for some cA", /for some cA, cB/],
  ])("refused: %s", (text, says) => expect(asked(text)).toThrow(says))
  test.each([
    "stable for all t for some cA, cB",
    "stable for all t for some cB and cA",
    "stable for all t for every cA",
    "stable for all t iff cA <= -1",
    "stable for all t if never",
  ])("%s", (text) => expect(asked(text)).not.toThrow())
})

describe("a claim is about its scheme's program and domain", () => {
  const open = (domain: string) =>
    scheme({
      name: "open",
      title: "",
      start: { A: { exponent: "a0" }, B: "zero" },
      rates: { A: "c", B: "c" },
      domain,
    })
  test("a block is not proven by the recursion of one layer", () =>
    expect(() => comparedRecurrence(scheme(schemeNamed("llama-block/init-a")))).toThrow(/model llama-block/))
  test("an equality of the domain is one: nothing is refuted at values outside", () => {
    // At a0 = -1/2, Z_A is max(0, c + 1) from t = 2 on.
    const recurrence = comparedRecurrence(open("a0 == -1/2"))
    expect(decide(recurrence, parseClaim("zA <= 0 for all t iff c <= -1 and a0 >= -1/2")).proven).toBe(true)
    expect(decide(recurrence, parseClaim("zA <= 0 for all t iff c <= -1 and a0 >= 0")).proven).toBe(false)
  })
  test("a strict inequality of the domain, which no certificate has, is refused", () =>
    expect(() => comparedRecurrence(open("a0 < -1/2"))).toThrow(/a domain with < or >/))
})

describe("the command line", () => {
  test("the kernel and z3 accept all theorems", async () => {
    const { stdout, code } = await command("--checker", "kernel", "--checker", "z3", "--json")
    const judged = JSON.parse(stdout).theorems as { verdicts: { verdict: string }[] }[]
    expect(code).toBe(0)
    expect(judged).toHaveLength(theorems.length)
    expect(judged.flatMap(({ verdicts }) => verdicts.map(({ verdict }) => verdict))).toEqual(
      theorems.flatMap(() => ["accepted", "accepted"]),
    )
  }, 400_000)
  test.each([
    ["efficient for all t > 1 if c == -1/2", 1, /t = 2/],
    ["efficient for all t >= 3 if c == -1/2", 0, /proven/],
    ["efficient and internally stable for all t >= 3 for some c", 1, /refuted/],
    ["zB <= 0 for all t iff c <= -1/2", 0, /proven/],
  ])("%s", async (claim, code, says) => {
    const result = await command("--scheme", "init-a", "--checker", "kernel", claim)
    expect(result.code).toBe(code)
    expect(result.stdout).toMatch(says)
  })
  test("options with values leave the claim an argument", async () => {
    const claim = "stable for all t iff c <= o - 1 + rho / 2 and c <= o"
    const free = ["--free", "rho", "--free", "o", "--set", "s=-rho/2"]
    expect((await command("--scheme", "sgd-init-a", "--checker", "kernel", ...free, claim)).code).toBe(0)
  })
  test("growth is refuted by the step at which it passes the bound", async () => {
    // zB is c, 3c + 1, 5c + 2, …, (2t - 1) c + t - 1: 1/500 above the bound it takes a while to be positive.
    const { code, stdout } = await command("--scheme", "toy-init-a", "stable for all t if c == -249/500", "--json")
    expect(code).toBe(1)
    const { values, fails } = JSON.parse(stdout).counterexample
    expect(values).toEqual({ c: "-249/500" })
    expect(fails.step).toBe(126)
  })
  test("a corrupted file: exit 1 and the line", async () => {
    const file = join(await mkdtemp(join(tmpdir(), "lora-scaling-")), "corrupted.json")
    const text = await readFile(theoremFile("init-a-stable"), "utf8")
    await writeFile(
      file,
      text.replaceAll(/"multipliers": \[[^\]]*"1"/g, (found) => found.replace(/"1"$/, '"0"')),
    )
    const { code, stderr } = await command(file, "--checker", "kernel")
    expect(code).toBe(1)
    expect(stderr).toMatch(/certificate\.[\w.]*facts\[\d+\]: does not follow from its multipliers/)
  })
  test.each([
    ["zQ <= 0 for all t iff c <= 1"],
    ["zB < 0"],
    ["stable for all t iff k <= -1/2"],
    ["stable for all t for some k"],
  ])("bad input: %s", async (claim) => {
    const { code, stderr } = await command("--scheme", "init-a", claim)
    expect(code).toBe(2)
    expect(stderr).toMatch(/^error: claim/)
  })
  test.each([
    // The residual feeds back; B0 of the toy lies along the gradient, which the recursion of a layer does not say.
    ["squared-sgd-init-a", []],
    ["toy-init-b", ["--set", "rho=1/4"]],
  ])("%s %j: a program that the recursion does not describe is refused", async (name, set) => {
    const { code, stderr } = await command(
      "--scheme",
      name,
      ...set,
      "--checker",
      "kernel",
      "stable for all t iff c <= -1/2",
    )
    expect(code).toBe(2)
    expect(stderr).toContain("a program that differs from the recursion, first in")
  })
  test("without cvc5 the others judge, and asking for it is an error that says how to install it", async () => {
    const bare = (...args: string[]) =>
      promisify(execFile)(process.execPath, ["dist/command/main.js", "prove", ...args], { env: { PATH: "" } }).then(
        ({ stdout }) => ({ stdout, stderr: "", code: 0 }),
        (error: { stdout: string; stderr: string; code: number }) => error,
      )
    const judged = await bare("init-a-stable", "--checker", "all", "--fresh", "--json")
    expect(judged.code).toBe(0)
    const [theorem] = JSON.parse(judged.stdout).theorems
    expect(theorem.verdicts.map(({ checker }: { checker: string }) => checker)).toEqual(["kernel", "z3"])
    const refused = await bare("init-a-stable", "--checker", "cvc5")
    expect(refused.code).toBe(2)
    expect(refused.stderr).toMatch(/^error: --checker: .*cvc5/)
  })
  test("the kernel alone judges unless others are asked for; the output names who judged", async () => {
    const { stdout } = await command("init-a-stable")
    expect(stdout).toMatch(/^Theorems before kernel \d+\.\d+\.\d+\n/)
    expect(stdout).not.toContain("z3")
  })
  test("a solver's verdict is remembered, said to be, and not believed once its file is changed", async () => {
    const cache = await mkdtemp(join(tmpdir(), "verdicts-"))
    const ask = async (...args: string[]) => {
      const env = { ...process.env, XDG_CACHE_HOME: cache }
      const all = ["dist/command/main.js", "prove", "--checker", "kernel", "--checker", "z3", ...args]
      return (await promisify(execFile)(process.execPath, all, { env })).stdout
    }
    const judged = async (...args: string[]) => {
      const { theorems: found } = JSON.parse(await ask(...args, "--json"))
      return {
        remembered: found[0].verdicts.map((verdict: { remembered: boolean }) => verdict.remembered),
        verdicts: found[0].verdicts.map(({ verdict }: { verdict: string }) => verdict),
      }
    }
    expect(await judged("init-a-stable")).toMatchObject({
      remembered: [false, false],
      verdicts: ["accepted", "accepted"],
    })
    expect(await judged("init-a-stable")).toMatchObject({
      remembered: [false, true],
      verdicts: ["accepted", "accepted"],
    })
    expect(await ask("init-a-stable")).toContain("(all remembered, not asked again; --fresh asks)")
    expect((await judged("init-a-stable", "--fresh")).remembered).toEqual([false, false])
    expect((await judged("init-b-features")).remembered).toEqual([false, false])
    const folder = join(cache, "lora-scaling/verdicts")
    for (const name of await readdir(folder)) {
      const text = await readFile(join(folder, name), "utf8")
      await writeFile(join(folder, name), text.replace("accepted", "refused"))
    }
    expect(await judged("init-a-stable")).toMatchObject({
      remembered: [false, false],
      verdicts: ["accepted", "accepted"],
    })
    await rm(cache, { recursive: true })
  })
  test("the proof for people, in Markdown and LaTeX", async () => {
    expect((await command("init-a-stable", "--proof")).stdout).toMatch(/1\. Where .*holds? at every step|1\. Where/)
    expect((await command("init-a-stable", "--proof", "--format", "latex")).stdout).toContain("\\begin{enumerate}")
  })
})
