/** Options of `verify` as typed. */
export interface VerifyOptions {
  readonly seeds?: string
  readonly budget?: string
  readonly repetitions?: string
  readonly workers?: string
  readonly store: string
  readonly json?: boolean
  readonly format: string
}
