/** Options of `verify` as typed. */
export interface VerifyOptions {
  readonly seeds?: string
  readonly budget?: string
  readonly full?: boolean
  readonly workers?: string
  readonly backend?: string
  readonly store: string
  readonly json?: boolean
  readonly format: string
}
