import { Fraction } from "fraction.js"
import { onModel } from "../../src/scheme/onModel.js"
import { leastAt } from "../compare/bounds.js"
import { derivationOf } from "../compare/derivationOf.js"
import { COMPARED, type RateLaw } from "./teacherStudent.js"

/** The exponent of the largest stable rate, derived from the network that trains: of the features, or of the output's change at a readout exponent. */
export function boundOfRate({ scheme: name, readout, level }: Pick<RateLaw, "scheme" | "readout" | "level">): Fraction {
  const { definition } = COMPARED.find(({ title }) => title === name)!
  const forms = derivationOf(onModel("teacher-student", definition), { o: new Fraction(readout).toFraction() })
    .largestRate[level]
  if (forms === null) throw new Error(`${name} has no largest rate`)
  return leastAt(forms, new Map())
}
