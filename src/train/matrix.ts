/** A row-major matrix of numbers. */
export interface Matrix {
  readonly rows: number
  readonly columns: number
  readonly data: Float64Array
}
