const SPECIAL: Readonly<Record<string, string>> = {
  "\\": "\\textbackslash{}",
  "&": "\\&",
  "%": "\\%",
  $: "\\$",
  "#": "\\#",
  _: "\\_",
  "{": "\\{",
  "}": "\\}",
  "~": "\\textasciitilde{}",
  "^": "\\textasciicircum{}",
  "<": "$<$",
  ">": "$>$",
  "|": "$|$",
  '"': "''",
  "--": "-{}-",
  // After the end of a table's row these two would be read as an option.
  "[": "{[}",
  "*": "{*}",
  "…": "\\dots{}",
  "–": "--",
  "—": "---",
  "‘": "`",
  "’": "'",
  "“": "``",
  "”": "''",
  " ": "~",
}

/** Symbols that pdflatex knows as mathematics only. */
const MATH: Readonly<Record<string, string>> = {
  "−": "-",
  "·": "\\cdot",
  "×": "\\times",
  "±": "\\pm",
  "∞": "\\infty",
  "≤": "\\le",
  "≥": "\\ge",
  "≠": "\\ne",
  "≈": "\\approx",
  "∼": "\\sim",
  "∝": "\\propto",
  "∈": "\\in",
  "∘": "\\circ",
  "⊕": "\\oplus",
  "⊗": "\\otimes",
  "√": "\\surd",
  "∑": "\\textstyle\\sum",
  Σ: "\\Sigma",
  "∂": "\\partial",
  "∇": "\\nabla",
  "→": "\\to",
  "←": "\\leftarrow",
  "↔": "\\leftrightarrow",
  "⇒": "\\Rightarrow",
  "⟨": "\\langle",
  "⟩": "\\rangle",
  "‖": "\\|",
  "∧": "\\wedge",
  "∨": "\\vee",
  "½": "\\frac12",
  "¼": "\\frac14",
  "¾": "\\frac34",
  ℝ: "\\mathbb{R}",
  ℚ: "\\mathbb{Q}",
  ᵀ: "^{\\top}",
  "⁻": "^{-}",
  "⁺": "^{+}",
  "₋": "_{-}",
  ᵗ: "^{t}",
  ₜ: "_{t}",
  "′": "'",
  "″": "''",
  µ: "\\mu",
  ϵ: "\\epsilon",
  ε: "\\varepsilon",
  φ: "\\varphi",
}

const GREEK: Readonly<Record<string, string>> = {
  α: "alpha",
  β: "beta",
  γ: "gamma",
  δ: "delta",
  ζ: "zeta",
  η: "eta",
  θ: "theta",
  ι: "iota",
  κ: "kappa",
  λ: "lambda",
  μ: "mu",
  ν: "nu",
  ξ: "xi",
  π: "pi",
  ρ: "rho",
  σ: "sigma",
  τ: "tau",
  χ: "chi",
  ψ: "psi",
  ω: "omega",
  Γ: "Gamma",
  Δ: "Delta",
  Θ: "Theta",
  Λ: "Lambda",
  Ξ: "Xi",
  Π: "Pi",
  Φ: "Phi",
  Ψ: "Psi",
  Ω: "Omega",
}

/** What needs a word of LaTeX: a letter under a bar (two code points), dashes that would join, anything not plain. */
const NOT_PLAIN = /([A-Za-z])\u0304|--|[\\&%$#_{}~^<>|"[*]|[^\x20-\x7e]/gu

/**
 * A text as LaTeX that pdflatex compiles, whatever it holds; a sign it has no name for is printed as its code.
 *
 * Needs amssymb.
 */
export function escapeLatex(text: string): string {
  return text
    .replace(/[ \t\n\v\f\r]+/g, " ")
    .replace(NOT_PLAIN, (found, barred: string | undefined) =>
      barred === undefined ? sign(found) : `$\\bar{${barred}}$`,
    )
}

function sign(c: string): string {
  const math = MATH[c] ?? (GREEK[c] && `\\${GREEK[c]}`)
  if (math !== undefined) return `$${math}$`
  const [up, down] = ["⁰¹²³⁴⁵⁶⁷⁸⁹".indexOf(c), "₀₁₂₃₄₅₆₇₈₉".indexOf(c)]
  if (up >= 0) return `$^{${up}}$`
  if (down >= 0) return `$_{${down}}$`
  if (SPECIAL[c] !== undefined) return SPECIAL[c]
  // The accented letters of Western languages, but for Icelandic's own.
  if (/[À-ÖØ-öø-ÿ]/.test(c) && !/[ÐðÞþ]/.test(c)) return c
  return `{[}U+${c.codePointAt(0)!.toString(16).toUpperCase()}]`
}
