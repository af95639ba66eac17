/** What a graphics card has, by its maker's data sheet. */
export interface Card {
  readonly name: string
  /** Bytes of memory. */
  readonly memory: number
  /** Floating-point operations a second of dense products, at most: in 16 bits, and in float32. */
  readonly peak: { readonly half: number; readonly single: number }
  /** Bytes a second to and from memory, at most. */
  readonly bandwidth: number
}

const GB = 1e9
const T = 1e12

/** Cards that a plan is reckoned for: the paper's own first. */
export const CARDS: readonly Card[] = [
  // https://www.nvidia.com/en-us/data-center/products/a10-gpu/
  { name: "A10, 24 GB", memory: 24 * GB, peak: { half: 125 * T, single: 31.2 * T }, bandwidth: 600 * GB },
  // https://www.nvidia.com/en-us/data-center/a100/
  { name: "A100, 80 GB", memory: 80 * GB, peak: { half: 312 * T, single: 19.5 * T }, bandwidth: 2039 * GB },
  // https://www.nvidia.com/en-us/data-center/h100/ (SXM, without sparsity)
  { name: "H100, 80 GB", memory: 80 * GB, peak: { half: 989 * T, single: 67 * T }, bandwidth: 3350 * GB },
]
