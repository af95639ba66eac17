/** The normal distribution in a loop, two numbers at a time: what `normalDistribution.ts` computes, without branches. */
import { GAUSS } from "../normalDistribution.js"
import { exponential } from "./exponential.js"
import type { LoopCode, Value } from "./loopCode.js"

/** e^(−x²/2) / √(2π). */
export function density(code: LoopCode, x: Value): Value {
  return code.apply("mul", decay(code, x), code.constant(1 / Math.sqrt(2 * Math.PI)))
}

/** P(N(0, 1) < x). */
export function below(code: LoopCode, x: Value): Value {
  return onItsSide(code, x, tail(code, x))
}

/** P(at < N(0, 1) < at + change), negative for a negative change, as `normalBetween`: from 1 on by tails. */
export function between(code: LoopCode, change: Value, at: Value): Value {
  const { apply, constant } = { apply: code.apply.bind(code), constant: code.constant.bind(code) }
  const after = apply("add", at, change)
  const half = apply("mul", change, constant(0.5))
  const middle = apply("add", at, half)
  const terms = GAUSS.flatMap(([node, weight]) => {
    const distance = apply("mul", half, constant(node))
    return (["add", "sub"] as const).map((side) =>
      apply("mul", constant(weight), density(code, apply(side, middle, distance))),
    )
  })
  const near = apply(
    "mul",
    half,
    terms.reduce((sum, term) => apply("add", sum, term)),
  )
  // On the side where both tails are small, so that no ones are subtracted.
  const isAbove = apply("gt", middle, constant(0))
  const own = (x: Value) => onItsSide(code, apply("select", apply("neg", x), x, isAbove), tail(code, x))
  const rise = apply("sub", own(after), own(at))
  const far = apply("select", apply("neg", rise), rise, isAbove)
  return apply("select", far, near, apply("gt", absolute(code, change), constant(1)))
}

/** e^(−x²/2). */
function decay(code: LoopCode, x: Value): Value {
  return exponential(code, code.apply("mul", x, code.apply("mul", x, code.constant(-0.5))))
}

/**
 * (x + K) e^(x²/2) P(N(0, 1) > x) for x ≥ 0 as a polynomial in t = (x − K) / (x + K), by Chebyshev's interpolation at 64
 * points (as Schonfelder 1978 for erfc): its relative error is below 1e-15.
 */
const K = 3.75
const TAIL = [
  0.7502940722658991, -0.5881884178362853, 0.3529398574780676, -0.15151686542627116, 0.037489325419277776,
  0.0011683519539980216, -0.004162868264109169, 0.0006099110804409553, 0.0004698239608947294, -0.00011721144314314864,
  -7.007651901093769e-5, 1.707191280598671e-5, 1.331171693622048e-5, -1.6591470452352947e-6, -2.7713444918747586e-6,
  -1.4217905718768428e-7, 5.429007536276491e-7, 1.339408531282705e-7, -8.58140960688066e-8, -3.7231523747618056e-8,
  8.730735408673146e-9, 4.5759443036149285e-9, -3.301400343504948e-10,
]

/** P(N(0, 1) > |x|). */
function tail(code: LoopCode, x: Value): Value {
  const { apply, constant } = { apply: code.apply.bind(code), constant: code.constant.bind(code) }
  const inverse = apply("div", constant(1), apply("add", absolute(code, x), constant(K)))
  const t = apply("sub", constant(1), apply("mul", inverse, constant(2 * K)))
  return apply("mul", decay(code, x), apply("mul", inverse, code.polynomial(TAIL, t)))
}

/** P(N(0, 1) < x) given the tail beyond |x|. */
function onItsSide(code: LoopCode, x: Value, beyond: Value): Value {
  const isAbove = code.apply("gt", x, code.constant(0))
  return code.apply("select", code.apply("sub", code.constant(1), beyond), beyond, isAbove)
}

function absolute(code: LoopCode, x: Value): Value {
  return code.apply("max", x, code.apply("neg", x))
}
