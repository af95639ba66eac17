import { Fraction } from "fraction.js"
import { derive } from "../../src/derive/derive.js"
import type { Affine } from "../../src/exponent/affine.js"
import { parseAffine } from "../../src/exponent/grammar.js"
import { onModel } from "../../src/scheme/onModel.js"
import { scheme } from "../../src/scheme/scheme.js"
import { COMPARED, type RateLaw } from "./teacherStudent.js"

type Bounded = Pick<RateLaw, "scheme" | "readout" | "level">

/** Derived once a scheme, with the readout's exponent free. */
const known = new Map<string, ReturnType<typeof derive>["largestRate"]>()

/**
 * The exponents whose least is that of the largest stable rate, derived from the network that trains, the least first:
 * of the features, or of the output's change at a readout exponent.
 */
export function boundsOfRate({ scheme: name, readout, level }: Bounded): readonly Fraction[] {
  const { definition } = COMPARED.find(({ title }) => title === name)!
  const rates = known.get(name) ?? derive(scheme(onModel("teacher-student", definition), {}, ["o"])).largestRate
  known.set(name, rates)
  const forms = rates[level]
  if (forms === null) throw new Error(`${name} has no largest rate`)
  const at = new Map<string, Affine>([["o", parseAffine(new Fraction(readout).toFraction())]])
  return forms.map((form) => form.substitute(at).constant).sort((x, y) => x.compare(y))
}

/** The exponent of the largest stable rate: the least of its bounds. */
export function boundOfRate(law: Bounded): Fraction {
  return boundsOfRate(law)[0]!
}
