import { total, zero } from "./vector"

/** to = Σ parts, one after the other: the order does not depend on who summed which part. */
export function sumParts<T>(parts: usize, stride: usize, count: usize, bytes: usize, to: usize): void {
  for (let at: usize = 0; at < bytes; at += 16) {
    let sum = v128.load(parts + at)
    for (let part: usize = 1; part < count; part++) sum = v128.add<T>(sum, v128.load(parts + part * stride + at))
    v128.store(to + at, sum)
  }
}

/** Σ x². */
export function sumSquares<T>(from: usize, bytes: usize): f64 {
  let squares: f64 = 0
  for (let at: usize = 0; at < bytes; at += 16) {
    const v = v128.load(from + at)
    squares += total<T>(v128.mul<T>(v, v))
  }
  return squares
}
