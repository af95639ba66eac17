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

/** Between a point inside a region and one outside, its boundary, by bisection: each step leaves half of the bracket. */
export function boundary(isInside: (x: number) => boolean, inside: number, outside: number, steps: number): number {
  let [a, b] = [inside, outside]
  for (let i = 0; i < steps; i++) {
    const middle = (a + b) / 2
    if (isInside(middle)) a = middle
    else b = middle
  }
  return (a + b) / 2
}
