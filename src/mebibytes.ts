/** A number of bytes as people read it, rounded up to whole MiB. */
export function mebibytes(bytes: number): string {
  return `${Math.ceil(bytes / 2 ** 20)} MiB`
}
