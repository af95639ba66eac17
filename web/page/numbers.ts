/** Numbers and formulas as the page writes them. */

/** A rational's text with true minus signs: −1/2. */
export function minus(text: string): string {
  return text
    .replaceAll("-inf", "−∞")
    .replace(/(^|[\s(,[=])-(?=[\w(])/g, "$1−")
    .replaceAll(" - ", " − ")
}

/** A condition or form as people read it: ≤ in place of <=, 2c in place of 2 * c. */
export function readable(text: string): string {
  return minus(text)
    .replace(/(\d) \* /g, "$1\u2009")
    .replaceAll("<=", "≤")
    .replaceAll(">=", "≥")
    .replaceAll("==", "=")
    .replace(/\brho\b/g, "ρ")
}

/** The value of a rational's text: "-1/2" is −0.5. */
export function numberOf(text: string): number {
  const [above, below = "1"] = text.split("/")
  return Number(above) / Number(below)
}

/** The multiple of 1/16 nearest to a number, as the text of a fraction. */
export function sixteenth(value: number): string {
  let [above, below] = [Math.round(value * 16), 16]
  while (below > 1 && above % 2 === 0) [above, below] = [above / 2, below / 2]
  return below === 1 ? String(above) : `${above}/${below}`
}
