/** What is measured of one module; data that threads hand over. */

/** One factor at one checkpoint. */
export interface FactorMeasures {
  /** Frobenius norm. */
  readonly norm: number
  /** Root mean square of the entries. */
  readonly rms: number
  /** The largest entry's size. */
  readonly largest: number
  /** Fourth moment over the squared second: 3 for a normal distribution, 9/5 for a uniform one. */
  readonly kurtosis: number
  /** Singular values, falling. */
  readonly spectrum: readonly number[]
  /** Entries that are no finite number. */
  readonly broken: number
}

/** One module at one checkpoint. The product BA is without its multiplier. */
export interface PointMeasures {
  readonly a: FactorMeasures
  readonly b: FactorMeasures
  /** Singular values of BA, falling. */
  readonly spectrum: readonly number[]
  /** How far each factor is from the first checkpoint's, Frobenius. */
  readonly distance: { readonly a: number; readonly b: number }
  /** DoRA's magnitudes, one a row of W; null where the module has none. */
  readonly magnitude: MagnitudeMeasures | null
}

/** DoRA's vector of magnitudes at one checkpoint. */
export interface MagnitudeMeasures {
  readonly norm: number
  readonly least: number
  readonly largest: number
  /** ‖m − m of the first checkpoint‖ / ‖m of the first‖; null where that is zero. */
  readonly moved: number | null
}

/** How one factor moved between two checkpoints. */
export interface MoveMeasures {
  /** Frobenius norm of its change. */
  readonly norm: number
  /** The largest change of an entry. */
  readonly largest: number
  /** Share of entries that are the same to the bit. */
  readonly unchanged: number
  /** The angle in degrees between the factor before and after, as vectors; null where one is zero. */
  readonly angle: number | null
  /**
   * Quantiles 5, 50 and 95 % of half an ulp of its entries, in the precision that it is stored in; null for whole
   * numbers.
   */
  readonly halfUlp: readonly [number, number, number] | null
}

/** A module between two checkpoints: Δ(BA) = BΔA + ΔBA + ΔBΔA, all Frobenius norms without the multiplier. */
export interface IntervalMeasures {
  readonly a: MoveMeasures
  readonly b: MoveMeasures
  /** ‖B ΔA‖, B before. */
  readonly byA: number
  /** ‖ΔB A‖, A before. */
  readonly byB: number
  /** ‖ΔB ΔA‖. */
  readonly byBoth: number
  /** The same terms as operators: the largest singular value. */
  readonly operators: { readonly byA: number; readonly byB: number; readonly byBoth: number }
}

/** All of one module. */
export interface ModuleMeasures {
  readonly points: readonly PointMeasures[]
  /** One fewer than the points. */
  readonly intervals: readonly IntervalMeasures[]
  /** From the first to the last checkpoint; null with one. */
  readonly whole: IntervalMeasures | null
  /**
   * Canonical correlations, rising, of each factor's change in the first half of the checkpoints with that in the
   * second: 1 for a direction in which it moved both times; null with fewer than three checkpoints, or where it moved
   * in fewer directions than its rank.
   */
  readonly persistence: { readonly a: readonly number[] | null; readonly b: readonly number[] | null }
  /** ‖W‖ of the base model's weight, Frobenius; null where it is not given. */
  readonly base: number | null
}
