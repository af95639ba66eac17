/** An experiment has this many seeds of its own, for its measurements and what is measured again. */
export const SEEDS_EACH = 1_000_000

/**
 * The first seed of each experiment. Two on the same seeds would see the same random numbers, so their findings would
 * not be independent.
 */
export const FIRST_SEED = {
  teacherStudent: 1,
  theorySetting: 3_000_000,
  nearCrossovers: 7_000_000,
  check: 9_000_000,
  theoryWide: 11_000_000,
  overflow: 12_000_000,
  lostUpdates: 13_000_000,
  catalogue: 14_000_000,
  asymptotics: 15_000_000,
  throughTraining: 16_000_000,
  intervalCoverage: 17_000_000,
  finitePrecision: 19_000_000,
  ratePlane: 41_000_000,
  rankScaling: 42_000_000,
  layers: 43_000_000,
  transformer: 44_000_000,
} as const
