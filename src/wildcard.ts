/** Texts as regular expressions. */

/** What finds the text itself, whatever characters stand in it. */
export function escaped(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&")
}

/** A whole text in which each * stands for any text. */
export function wildcard(pattern: string): RegExp {
  return new RegExp(`^${pattern.split("*").map(escaped).join(".*")}$`)
}
