import { InputError } from "../inputError.js"
import { backendOption, openPool } from "./backendOption.js"
import { measuring } from "./measuring.js"
import { outputOptions, print } from "./terminal.js"
import { threads } from "./threads.js"
import { claims, isSettingName, SETTING_NAMES } from "./verify/claims.js"
import { overflow } from "./verify/overflow.js"
import { theoryWide } from "./verify/theoryWide.js"
import type { FindVerification, VerifyOptions } from "./verify/verification.js"

/**
 * What the names may stand for, the first that knows them; sections last, since they bring the whole report with them.
 */
const KINDS: readonly FindVerification[] = [claims, theoryWide, overflow]

/** Derived against measured; 1 if it is refuted. */
export async function verifyCommand(names: readonly string[], options: VerifyOptions): Promise<number> {
  const output = outputOptions(options)
  const backend = backendOption(options.backend)
  const find = (kinds: readonly FindVerification[]) =>
    kinds.reduce<ReturnType<FindVerification>>((found, kind) => found ?? kind(names, options, backend), null)
  const found = find(KINDS) ?? find([(await import("./verify/section.js")).section])
  if (found === null)
    throw new InputError({
      field: "claim",
      given: names.find((name) => !isSettingName(name))!,
      allowed: `theory-wide, overflow, interval-coverage, or ${SETTING_NAMES.join(", ")}`,
      example: "verify init-a/c=-1/2",
    })
  const pool = await openPool(backend, { workers: threads(options.workers), device: options.device })
  if (found.notice) process.stderr.write(`${found.notice(pool.workers)}\n`)
  const { json, readable, refuted } = await measuring({ ...found, pool, store: options.store }, found.run)
  print(output, json, readable)
  return refuted ? 1 : 0
}
