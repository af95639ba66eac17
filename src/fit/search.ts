/** Where a function with one minimum is least, by golden-section search: each step leaves 0.618 of the bracket. */
export function minimum(f: (x: number) => number, low: number, high: number, steps: number): number {
  const golden = (Math.sqrt(5) - 1) / 2
  const at = (x: number) => ({ x, y: f(x) })
  let [a, b] = [low, high]
  let [left, right] = [at(b - golden * (b - a)), at(a + golden * (b - a))]
  for (let i = 0; i < steps; i++) {
    if (right.y < left.y) {
      a = left.x
      left = right
      right = at(a + golden * (b - a))
    } else {
      b = right.x
      right = left
      left = at(b - golden * (b - a))
    }
  }
  return (a + b) / 2
}

/**
 * Between a point inside a region and one outside, its boundary, by bisection: each step leaves half of the bracket.
 */
export function boundary(isInside: (x: number) => boolean, inside: number, outside: number, steps: number): number {
  let [a, b] = [inside, outside]
  for (let i = 0; i < steps; i++) {
    const middle = (a + b) / 2
    if (isInside(middle)) a = middle
    else b = middle
  }
  return (a + b) / 2
}

/**
 * Where a function that is ≥ 0 at one point and < 0 at another crosses 0: by the secant, the value of an end that stays
 * halved (the Illinois method, Dowell and Jarratt 1971), and by halving where that is slow, until the bracket is as
 * short as asked for.
 */
export function crossing(f: (x: number) => number, inside: number, outside: number, precision: number): number {
  const a = { x: inside, y: f(inside) }
  const b = { x: outside, y: f(outside) }
  let stays: typeof a | null = null
  for (let i = 1; a.y > 0 && Math.abs(b.x - a.x) > precision; i++) {
    const x = i % 4 === 0 ? (a.x + b.x) / 2 : a.x + (a.y / (a.y - b.y)) * (b.x - a.x)
    const y = f(x)
    const [moves, other] = y >= 0 ? [a, b] : [b, a]
    if (stays === other) other.y /= 2
    stays = other
    moves.x = x
    moves.y = y
  }
  return a.x
}
