/** The exponential in a loop, two numbers at a time. */
import type { LoopCode, Value } from "./loopCode.js"

/** Below the first eˣ − 1 is −1; beyond the last it is taken for that of the last, so that quotients stay numbers. */
const [LEAST, MOST] = [-60, 700]

/** eˣ − 1 with a small relative error: 2ᵏ (e^r − 1) + (2ᵏ − 1), x = k ln 2 + r. */
export function exponentialLess1(code: LoopCode, x: Value): Value {
  const { power, rest } = split(code, x, LEAST)
  return code.apply("add", code.apply("mul", power, rest), code.apply("sub", power, code.constant(1)))
}

/** The least number whose exponential has all digits; the exponentials of smaller ones are taken for that of it. */
const LEAST_WHOLE = -708

/** eˣ with a small relative error: 2ᵏ (e^r − 1) + 2ᵏ. */
export function exponential(code: LoopCode, x: Value): Value {
  const { power, rest } = split(code, x, LEAST_WHOLE)
  return code.apply("add", code.apply("mul", power, rest), power)
}

/** Of fdlibm's exponential: e^r = 1 + r + r c / (2 − c), c = r − r² P(r²), for |r| ≤ ln 2 / 2. */
const P = [
  0.16666666666666602, -0.0027777777777015593, 0.00006613756321437934, -0.0000016533902205465252, 4.1381367970572385e-8,
]

/** 2ᵏ and e^r − 1 of x = k ln 2 + r, not below `least` nor above what a quotient bears. */
function split(code: LoopCode, of: Value, least: number): { readonly power: Value; readonly rest: Value } {
  const { apply, constant } = { apply: code.apply.bind(code), constant: code.constant.bind(code) }
  const x = apply("max", apply("min", of, constant(MOST)), constant(least))
  const k = apply("nearest", apply("mul", x, constant(1 / Math.LN2)))
  const high = apply("sub", x, apply("mul", k, constant(0.6931471803691238)))
  const r = apply("sub", high, apply("mul", k, constant(1.9082149292705877e-10)))
  const square = apply("mul", r, r)
  const polynomial = code.polynomial(P, square)
  const c = apply("sub", r, apply("mul", square, polynomial))
  const rest = apply("add", r, apply("div", apply("mul", r, c), apply("sub", constant(2), c)))
  return { power: code.powerOfTwo(k), rest }
}
