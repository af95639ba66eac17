/** How much losses vary: evenly, or more the higher they lie above the least loss of their curve. */
export interface Spread {
  /** The standard deviation of a run's loss at the least loss of its curve. */
  readonly deviation: number
  /** What a loss varies by besides, in parts of its height above the least; 0 where noise is even. The squares add. */
  readonly growth: number
}

/** The standard deviation of a run's loss at a height above its curve's least. */
export function deviationAt({ deviation, growth }: Spread, height: number): number {
  return growth === 0 ? deviation : Math.hypot(deviation, growth * height)
}

/** What a loss at a height tells beside one at the least loss: 1 where noise is even. */
export function weightAt(spread: Spread, height: number): number {
  return spread.growth === 0 ? 1 : (spread.deviation / deviationAt(spread, height)) ** 2
}
