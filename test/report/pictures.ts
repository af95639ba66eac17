import type { PNG } from "pngjs"

/** Pixels of a block's side: two lines of text, so that edges drawn a little differently even out. */
const BLOCK = 24

/**
 * The largest difference of two pictures' lightness over blocks, of black against white; a text that is missing or
 * elsewhere differs by 0.15 and more.
 */
export function largestDifference(one: PNG, other: PNG): number {
  const rows = Math.floor(Math.min(one.height, other.height) / BLOCK)
  const columns = Math.floor(Math.min(one.width, other.width) / BLOCK)
  let largest = 0
  for (let i = 0; i < rows; i++)
    for (let j = 0; j < columns; j++)
      largest = Math.max(largest, Math.abs(lightness(one, i, j) - lightness(other, i, j)))
  return largest
}

function lightness({ data, width }: PNG, row: number, column: number): number {
  let sum = 0
  for (let y = row * BLOCK; y < (row + 1) * BLOCK; y++)
    for (let x = column * BLOCK; x < (column + 1) * BLOCK; x++)
      for (let channel = 0; channel < 3; channel++) sum += data[4 * (y * width + x) + channel]!
  return sum / (3 * 255 * BLOCK ** 2)
}
