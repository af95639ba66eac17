import type { Op } from "../operation.js"
import type { Row } from "./row.js"

/** An operation of optimisers: no loss passes through it. */
const update = <O extends Op>(): Row<O> => ({ gradient: null, change: null })

export const sign = update<"sign">()
export const rootRatio = update<"rootRatio">()
export const orthogonalise = update<"orthogonalise">()
export const precondition = update<"precondition">()
export const norm = update<"norm">()
export const clip = update<"clip">()
