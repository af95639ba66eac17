/** Aborted by Ctrl-C; everything long-running listens to it. */
export const interruption = new AbortController()
