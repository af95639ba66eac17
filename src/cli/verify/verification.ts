import type { SweepOptions } from "../../sweep/sweep.js"
import type { BackendOption } from "../backendOption.js"
import type { Readable } from "../terminal.js"

/** Options of `verify` as typed. */
export interface VerifyOptions {
  readonly seeds?: string
  readonly budget?: string
  readonly full?: boolean
  readonly workers?: string
  readonly backend?: string
  readonly device?: string
  readonly store: string
  readonly json?: boolean
  readonly format: string
}

/** One thing that `verify` runs: claims by their names, a section of the report, or an experiment of its own. */
export interface Verification {
  /** What the progress bar says. */
  readonly label: string
  /** How many times `onFinished` is called. */
  readonly tasks: number
  /** What is said on stderr before it begins, for a number of threads. */
  readonly notice?: (workers: number) => string
  readonly run: (options: SweepOptions) => Promise<VerificationOutcome>
}

/** What is printed, and whether a claim is refuted. */
interface VerificationOutcome {
  readonly json: unknown
  readonly readable: Readable
  readonly refuted: boolean
}

/**
 * Finds what the names stand for; null if they name something else.
 * @throws InputError for options that it does not
 * take.
 */
export type FindVerification = (
  names: readonly string[],
  options: VerifyOptions,
  backend: BackendOption,
) => Verification | null
