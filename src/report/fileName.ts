/** The name of a section's file, without its ending: it starts with the section's. */
export function fileName({ id }: { readonly id: string }, name: string): string {
  return name === id || name.startsWith(`${id}-`) ? name : `${id}-${name}`
}
