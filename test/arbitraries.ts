import fc from "fast-check"
import { Affine } from "../src/exponent/affine.js"
import { MaxPlus } from "../src/exponent/maxPlus.js"

/** A rational with a small denominator, as text. */
const rational = fc.tuple(fc.integer({ min: -6, max: 6 }), fc.constantFrom(1, 2, 3, 4, 6)).map(([p, q]) => `${p}/${q}`)

/** An affine form in up to three symbols. */
export const affine = fc
  .tuple(rational, fc.array(fc.tuple(fc.constantFrom("c", "a0", "rho"), rational), { maxLength: 3 }))
  .map(([constant, terms]) =>
    terms.reduce((form, [name, q]) => form.plus(Affine.symbol(name).times(q)), Affine.constant(constant)),
  )

/** A max-plus element of up to four forms, −∞ included. */
export const maxPlus = fc.array(affine, { maxLength: 4 }).map((forms) => MaxPlus.of(...forms))

/** A value for every symbol. */
export const point = fc
  .tuple(rational, rational, rational)
  .map(([c, a0, rho]) => new Map(Object.entries({ c, a0, rho }).map(([name, q]) => [name, Affine.constant(q)])))
