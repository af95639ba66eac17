import { execFile, spawn } from "node:child_process"
import { readFileSync } from "node:fs"
import { createRequire } from "node:module"
import { availableParallelism } from "node:os"
import { setTimeout } from "node:timers/promises"
import { promisify } from "node:util"
import pMap from "p-map"
import { check, Refusal } from "../../proofs/kernel.js"
import type { Cache } from "../cache.js"
import { InputError } from "../inputError.js"
import { packageVersion } from "../packageFile.js"
import { smtText, Unstatable } from "./smt.js"
import type { Theorem } from "./theorem.js"

/** The programs that judge a theorem; none uses the engine or the prover. */
export const CHECKERS = ["kernel", "z3", "cvc5"] as const
export type Checker = (typeof CHECKERS)[number]

type Solver = Exclude<Checker, "kernel">

/** What a checker says of a theorem. */
export interface CheckerVerdict {
  readonly checker: Checker
  readonly version: string
  readonly verdict: "accepted" | "refused" | "unknown"
  /** Why it was not accepted. */
  readonly reason: string | null
  /** How long the checker took, also where the verdict is remembered. */
  readonly milliseconds: number
  /** Whether the checker said so before, of the same text, and was not asked again. */
  readonly remembered: boolean
}

/** Milliseconds a solver may take for one check. */
const TIME_LIMIT = 30_000

/**
 * How many theorems a checker judges at once: the kernel blocks, z3 runs one call at a time, cvc5 is a process for
 * each.
 */
const AT_ONCE: Readonly<Record<Checker, number>> = { kernel: 1, z3: 1, cvc5: availableParallelism() }

/** A theorem and what each checker says of it. */
export interface JudgedTheorem {
  readonly theorem: Theorem
  /** In the order of the checkers asked. */
  readonly verdicts: readonly CheckerVerdict[]
}

/** How theorems are judged. */
export interface JudgeOptions {
  /** Milliseconds a solver may take for one check; by default 30 seconds. */
  readonly timeLimit?: number
  /** Where solvers' verdicts are kept; without one each is asked. The kernel always is. */
  readonly cache?: Cache
  readonly signal?: AbortSignal
  /** Called once for each theorem's worth of verdicts. */
  readonly onFinished?: () => void
}

/**
 * Theorems before each of the checkers in turn.
 *
 * @throws InputError where a checker is not installed.
 */
export async function judgeAll(
  theorems: readonly Theorem[],
  checkers: readonly Checker[],
  { timeLimit, cache, signal, onFinished }: JudgeOptions = {},
): Promise<JudgedTheorem[]> {
  const { judge, close } = createJudge(timeLimit, cache)
  let count = 0
  const verdictsOf = (checker: Checker) =>
    pMap(
      theorems,
      async (theorem) => {
        const verdict = await judge(checker, theorem)
        count++
        if (count % checkers.length === 0) onFinished?.()
        return verdict
      },
      { concurrency: AT_ONCE[checker], ...(signal && { signal }) },
    )
  try {
    // One checker after the other, so that the kernel does not hold up the answers of the others.
    const columns: CheckerVerdict[][] = []
    for (const checker of checkers) columns.push(await verdictsOf(checker))
    return theorems.map((theorem, row) => ({ theorem, verdicts: columns.map((column) => column[row]!) }))
  } finally {
    close()
  }
}

/** Judges theorems, z3 one after the other; `close` ends the solvers' threads. */
export interface Judge {
  readonly judge: (checker: Checker, theorem: Theorem) => Promise<CheckerVerdict>
  readonly close: () => void
}

type CheckerAnswer = Pick<CheckerVerdict, "verdict" | "reason">

/**
 * A judge; solvers are loaded when first asked.
 *
 * @param isEnough given a solver's lines so far, whether it is asked no further checks of the text; by default it is
 * asked all.
 */
export function createJudge(
  timeLimit = TIME_LIMIT,
  cache?: Cache,
  isEnough: (lines: readonly string[]) => boolean = () => false,
): Judge {
  let z3: Promise<Z3> | undefined
  const isDone = (answer: string) => isEnough(answer.split("\n").slice(0, -1))
  const solvers: Readonly<Record<Solver, (text: string) => Promise<string>>> = {
    z3: async (text) => {
      z3 ??= loadZ3(timeLimit)
      return (await z3).answer(text, isDone)
    },
    cvc5: (text) => cvc5(text, timeLimit, isDone),
  }
  const versions = new Map<Solver, Promise<string>>()
  const versionOf = (checker: Solver) => {
    if (!versions.has(checker)) versions.set(checker, solverVersion(checker))
    return versions.get(checker)!
  }
  const asked = async (find: () => CheckerAnswer | Promise<CheckerAnswer>) => {
    const before = performance.now()
    return { ...(await find()), milliseconds: performance.now() - before, remembered: false }
  }
  return {
    judge: async (checker, theorem) => {
      if (checker === "kernel")
        return { checker, version: packageVersion(), ...(await asked(() => kernelFinding(theorem))) }
      const version = await versionOf(checker)
      const text = textOf(theorem)
      if (typeof text !== "string") return { checker, version, ...text, milliseconds: 0, remembered: false }
      const key = [checker, version, text]
      const known = cache === undefined ? null : decided(cache.get(key))
      if (known !== null) return { checker, version, ...known, remembered: true }
      const found = await asked(async () => smtFinding(await solvers[checker](text)))
      // Another time or machine may decide what this one did not.
      if (found.verdict !== "unknown")
        cache?.set(key, { verdict: found.verdict, reason: found.reason, milliseconds: found.milliseconds })
      return { checker, version, ...found }
    },
    close: () => void z3?.then(({ close }) => close()),
  }
}

/** What was kept of a verdict; null for anything else. */
function decided(kept: unknown): Pick<CheckerVerdict, "verdict" | "reason" | "milliseconds"> | null {
  if (typeof kept !== "object" || kept === null) return null
  const { verdict, reason, milliseconds } = kept as Partial<CheckerVerdict>
  const isVerdict = verdict === "accepted" ? reason === null : verdict === "refused" && typeof reason === "string"
  return isVerdict && typeof milliseconds === "number" ? { verdict: verdict!, reason: reason!, milliseconds } : null
}

function kernelFinding(theorem: Theorem): CheckerAnswer {
  try {
    check(theorem)
    return { verdict: "accepted", reason: null }
  } catch (error) {
    if (!(error instanceof Refusal)) throw error
    return { verdict: "refused", reason: error.message }
  }
}

/** The theorem's SMT-LIB text, or why it has none. */
function textOf(theorem: Theorem): string | CheckerAnswer {
  try {
    return smtText(theorem)
  } catch (error) {
    if (!(error instanceof Unstatable)) throw error
    return { verdict: "unknown", reason: error.message }
  }
}

/** Every check of the text must be unsatisfiable. */
function smtFinding(answer: string): CheckerAnswer {
  const lines = answer.split("\n").filter((line) => line.trim() !== "")
  if (lines.length > 0 && lines.every((line) => line === "unsat")) return { verdict: "accepted", reason: null }
  return lines.includes("sat")
    ? { verdict: "refused", reason: "the negation has a model" }
    : { verdict: "unknown", reason: lines.join(" ").slice(0, 200) }
}

/** The version of a solver that is installed here. @throws InputError where it is not. */
async function solverVersion(checker: Solver): Promise<string> {
  if (checker === "cvc5") {
    const { stdout } = await promisify(execFile)("cvc5", ["--version"]).catch(() => {
      throw missing("cvc5")
    })
    return /version (\S+)/.exec(stdout)?.[1] ?? stdout.split("\n")[0]!
  }
  try {
    const file = createRequire(import.meta.url).resolve("z3-solver/package.json")
    return (JSON.parse(readFileSync(file, "utf8")) as { version: string }).version
  } catch {
    throw missing("z3")
  }
}

interface Z3 {
  /** The solver's lines, a line a check, up to where they are enough. */
  readonly answer: (text: string, isDone: (answer: string) => boolean) => Promise<string>
  readonly close: () => void
}

/** @throws InputError where z3-solver, an optional package, is not installed. */
async function loadZ3(timeLimit: number): Promise<Z3> {
  const { init } = await import("z3-solver").catch(() => {
    throw missing("z3")
  })
  const { Z3, em } = await init()
  /** What a context says to a text after those that it was given before. */
  const said = async (context: ReturnType<typeof Z3.mk_context>, text: string): Promise<string> => {
    // Not Z3.eval_smtlib2_string: it lends its thread a text on the caller's stack, which may be gone before it is
    // read.
    const bytes = new TextEncoder().encode(`${text}\0`)
    const place = em._malloc(bytes.length)
    try {
      em.HEAPU8.set(bytes, place)
      const threads = () => Object.keys(em.PThread.pthreads)
      let started: string[] = []
      const answer: string = await em.async_call(() => {
        const before = threads()
        em._async_Z3_eval_smtlib2_string(context, place)
        started = threads().filter((thread) => !before.includes(thread))
      })
      // The answer comes before the call's thread clears a timer of ten minutes, which would keep the process alive.
      while (threads().some((thread) => started.includes(thread))) await setTimeout(1)
      return answer
    } finally {
      em._free(place)
    }
  }
  return {
    answer: async (text, isDone) => {
      const config = Z3.mk_config()
      const context = Z3.mk_context(config)
      try {
        let answer = ""
        for (const part of `(set-option :timeout ${timeLimit})\n${text}`.split(/(?<=^\(check-sat\)\n)/m)) {
          answer += await said(context, part)
          if (isDone(answer)) break
        }
        return answer
      } finally {
        Z3.del_context(context)
        Z3.del_config(config)
      }
    },
    close: () => em.PThread.terminateAllThreads(),
  }
}

/** @throws InputError where no cvc5 is on the path. */
function cvc5(text: string, timeLimit: number, isDone: (answer: string) => boolean): Promise<string> {
  return new Promise((resolve, reject) => {
    const solver = spawn("cvc5", ["--incremental", "--lang", "smt2", `--tlimit-per=${timeLimit}`])
    let answer = ""
    solver.stdout.on("data", (data) => {
      answer += data
      if (isDone(answer)) solver.kill()
    })
    solver.on("error", () => reject(missing("cvc5")))
    solver.on("close", () => resolve(answer))
    solver.stdin.on("error", () => {})
    solver.stdin.end(text)
  })
}

/** Whether the checker can be asked here. */
export async function isInstalled(checker: Checker): Promise<boolean> {
  if (checker === "kernel") return true
  return solverVersion(checker).then(
    () => true,
    () => false,
  )
}

function missing(checker: Solver): InputError {
  const example = { z3: "npm install z3-solver", cvc5: "apt-get install cvc5" }[checker]
  return new InputError({ field: "--checker", given: checker, allowed: "a checker that is installed", example })
}
