import type { SymbolInfo } from "../messages.js"

/** A linear map of an axis to the drawing, and back. */
export interface Scale {
  (value: number): number
  readonly inverse: (at: number) => number
  readonly ticks: readonly number[]
}

/** The scale from [low, high] to [from, to] with ticks at multiples of 1/2. */
export function scale(low: number, high: number, from: number, to: number): Scale {
  const map = (value: number) => from + ((value - low) / (high - low)) * (to - from)
  const step = high - low > 24 ? 4 : high - low > 8 ? 2 : high - low > 4 ? 1 : high - low > 1.2 ? 0.5 : 0.25
  const ticks: number[] = []
  for (let tick = Math.ceil(low / step) * step; tick <= high + 1e-9; tick += step) ticks.push(tick)
  return Object.assign(map, {
    inverse: (at: number) => low + ((at - from) / (to - from)) * (high - low),
    ticks,
  })
}

/** The scale of a symbol. */
export function symbolScale({ low, high }: SymbolInfo, from: number, to: number): Scale {
  return scale(low, high, from, to)
}

/** Labels at the ends of lines, moved down so that none covers another at its side. */
export function spread<T extends { readonly x: number; readonly y: number }>(labels: readonly T[]): T[] {
  const placed: T[] = []
  for (const label of [...labels].sort((p, q) => p.y - q.y)) {
    const above = placed.filter(({ x }) => Math.abs(x - label.x) < 40).at(-1)
    placed.push({ ...label, y: above === undefined ? label.y : Math.max(label.y, above.y + 16) })
  }
  return placed
}
