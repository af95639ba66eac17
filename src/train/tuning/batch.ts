/** Sequences of tokens, as every engine is given them. */

/** Sequences of equal length. */
export interface Batch {
  /** Tokens by their numbers. */
  readonly ids: readonly (readonly number[])[]
  /** 1 for a token, 0 for padding. */
  readonly mask: readonly (readonly number[])[]
  /** Segments by their numbers; all 0 if left out. Only BERT reads them. */
  readonly segments?: readonly (readonly number[])[]
  /**
   * A class a sequence; or of each token its own number, −100 where its loss does not count, to be told from those
   * before it; none is told from padding.
   */
  readonly labels: readonly number[] | readonly (readonly number[])[]
}

/** A token whose loss does not count. */
export const IGNORED = -100
