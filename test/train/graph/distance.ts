/** ‖x − y‖ / ‖x‖, 0 where both are zero. */
export function distance(x: ArrayLike<number>, y: ArrayLike<number>): number {
  let [apart, size] = [0, 0]
  for (let i = 0; i < x.length; i++) {
    apart += (x[i]! - y[i]!) ** 2
    size += x[i]! ** 2
  }
  return apart === 0 ? 0 : Math.sqrt(apart / size)
}
