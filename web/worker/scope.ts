/** A worker's own global, which the types of a page's do not know. */
export const scope = globalThis as unknown as {
  onmessage: (event: { readonly data: unknown }) => void
  postMessage(message: unknown): void
}
