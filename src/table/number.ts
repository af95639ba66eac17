/** Numbers as people and programs write them. */

/** The mark between a number's whole part and its decimals. */
export type DecimalMark = "." | ","

/** Minus signs that are not ASCII's: U+2212, the small and the full-width one. */
const MINUS = /[\u2212\uFE63\uFF0D]/g
/** What may part thousands besides the other mark: spaces (U+00A0, U+2009, U+202F too), apostrophes, underscores. */
const THOUSANDS = "[ \\u00A0\\u2009\\u202F'\\u2019_]"

const whole = (mark: DecimalMark) =>
  `(?:\\d{1,3}(?:${mark === "." ? "," : "\\."}\\d{3})+|\\d{1,3}(?:${THOUSANDS}\\d{3})+|\\d+)`
const pattern = (mark: DecimalMark) => {
  const point = mark === "." ? "\\." : ","
  return new RegExp(`^([+-]?)(?:(${whole(mark)})(?:${point}(\\d*))?|${point}(\\d+))(?:[eE]([+-]?\\d+))?(\\s*%)?$`)
}
const PATTERNS: Readonly<Record<DecimalMark, RegExp>> = { ".": pattern("."), ",": pattern(",") }

/**
 * The number that a text says, or null: 1.5, 1,5 with a decimal comma, 3e-4, −2 with U+2212, 1,024 and 1 024, 75 %.
 *
 * Words such as nan are no numbers here: they are outcomes, see `outcomeOf`.
 */
export function parseNumber(text: string, mark: DecimalMark): number | null {
  const match = PATTERNS[mark].exec(text.trim().replace(MINUS, "-"))
  if (match === null) return null
  const [, sign, digits = "0", decimals, only, power = "0", percent] = match
  const plain = `${sign}${digits.replace(/\D/g, "")}.${decimals || only || "0"}e${power}`
  return Number(plain) / (percent === undefined ? 1 : 100)
}

/** What a cell tells of the decimal mark: one of the two, a group of thousands or decimals ("1,024"), or nothing. */
export function markOf(text: string): DecimalMark | "either" | null {
  const plain = text.trim().replace(MINUS, "-")
  const marks = plain.replace(/[^.,]/g, "")
  if (marks === "" || !/^[+-]?[\d.,'’_\s]+(?:[eE][+-]?\d+)?\s*%?$/.test(plain)) return null
  const last = marks.at(-1) as DecimalMark
  const other = last === "." ? "," : "."
  if (marks.includes(other)) return parseNumber(plain, last) === null ? null : last
  if (marks.length > 1) return parseNumber(plain, other) === null ? null : other
  // One mark before three digits, after one to three that do not begin with 0: 1,024 may be 1024 or a little more than
  // 1.
  return /^[+-]?[1-9]\d{0,2}[.,]\d{3}$/.test(plain) ? "either" : last
}
