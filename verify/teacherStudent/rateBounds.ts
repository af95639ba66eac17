import { Fraction } from "fraction.js"
import { schemeNamed } from "../../src/scheme/catalogue.js"
import { leastAt } from "../compare/bounds.js"
import { derivationOf } from "../compare/derivations.js"
import type { RateLaw, SyntheticScheme } from "./teacherStudent.js"

const NAMES: Readonly<Record<SyntheticScheme, string>> = { "Init[A]": "init-a", "Init[B]": "init-b" }

/** The exponent of the largest stable rate, derived: of the features, or of the output's change at a readout exponent. */
export function boundOfRate({ scheme: name, readout, level }: Pick<RateLaw, "scheme" | "readout" | "level">): Fraction {
  const forms = derivationOf(schemeNamed(NAMES[name]), { o: new Fraction(readout).toFraction() }).largestRate[level]
  if (forms === null) throw new Error(`${name} has no largest rate`)
  return leastAt(forms, new Map())
}
