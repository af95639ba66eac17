import fc from "fast-check"
import { inverse, Matrix as LinearAlgebra, pseudoInverse, QrDecomposition, SingularValueDecomposition } from "ml-matrix"
import { describe, expect, test } from "vitest"
import { InputError } from "../../src/inputError.js"
import { dimension } from "../../src/program/dimension.js"
import { Node } from "../../src/program/node.js"
import type { OptimiserName } from "../../src/program/optimiser.js"
import { distance, drawn, N, product, R, RATE, start, steps } from "./layerSteps.js"

describe("rules that depend on BA alone: A → RA, B → BR⁻¹ leaves every BA as it is", () => {
  const mixed = fc.record({ seed: fc.nat(1000), mix: fc.nat(1000) })
  const both = (optimiser: OptimiserName, seed: number, mix: number) => {
    const T = LinearAlgebra.add(drawn(mix, "T", R, R), LinearAlgebra.eye(R).mul(3))
    const { A, B } = start(seed)
    const other = { A: T.mmul(A), B: B.mmul(inverse(T)) }
    return [steps(optimiser, seed, { A, B }, 5), steps(optimiser, seed, other, 5)] as const
  }
  test.each(["lora-rite", "lora-rite-mean", "scaled-sgd"] as const)("%s", (optimiser) => {
    fc.assert(
      fc.property(mixed, ({ seed, mix }) => {
        const [first, second] = both(optimiser, seed, mix)
        first.forEach(({ before, after }, t) => {
          expect(distance(product(after), product(second[t]!.after))).toBeLessThan(1e-6)
          expect(distance(product(before), product(after))).toBeGreaterThan(1e-6)
        })
      }),
      { numRuns: 20 },
    )
  })
  test.each(["adam", "sgd", "scaled-adam", "muon"] as const)("%s does not have this", (optimiser) => {
    const [first, second] = both(optimiser, 1, 2)
    expect(distance(product(first[0]!.after), product(second[0]!.after))).toBeGreaterThan(1e-3)
  })
})

test("scaled GD is its formula: A − η (BᵀB)⁻¹ G_A, B − η G_B (AAᵀ)⁻¹", () => {
  for (const { before, gradients, after } of steps("scaled-sgd", 3, start(3), 3)) {
    const { A, B } = before
    const [overA, overB] = [inverse(B.transpose().mmul(B)), inverse(A.mmul(A.transpose()))]
    const nextA = LinearAlgebra.sub(A, overA.mmul(gradients.A).mul(RATE))
    const nextB = LinearAlgebra.sub(B, gradients.B.mmul(overB).mul(RATE))
    expect(distance(nextA, after.A)).toBeLessThan(1e-9)
    expect(distance(nextB, after.B)).toBeLessThan(1e-9)
  }
})

test.each([
  ["scaled-adam", false],
  ["scaled-adam-in-turn", true],
] as const)("%s is Adam on preconditioned gradients, B's by A after its step: %s", (optimiser, inTurn) => {
  const moments = { A: [0, 0].map(() => LinearAlgebra.zeros(R, N)), B: [0, 0].map(() => LinearAlgebra.zeros(N, R)) }
  steps(optimiser, 5, start(5), 3).forEach(({ before, gradients, after }, t) => {
    const adam = (side: "A" | "B", seen: LinearAlgebra) => {
      const [m, v] = moments[side] as [LinearAlgebra, LinearAlgebra]
      moments[side] = [
        LinearAlgebra.add(LinearAlgebra.mul(m, 0.9), LinearAlgebra.mul(seen, 0.1)),
        LinearAlgebra.add(LinearAlgebra.mul(v, 0.999), LinearAlgebra.mul(LinearAlgebra.mul(seen, seen), 0.001)),
      ]
      const [mean, square] = moments[side] as [LinearAlgebra, LinearAlgebra]
      const hat = LinearAlgebra.div(mean, 1 - 0.9 ** (t + 1))
      return LinearAlgebra.sub(
        before[side],
        LinearAlgebra.div(hat, LinearAlgebra.sqrt(LinearAlgebra.div(square, 1 - 0.999 ** (t + 1)))).mul(RATE),
      )
    }
    const nextA = adam("A", inverse(before.B.transpose().mmul(before.B)).mmul(gradients.A))
    const A = inTurn ? nextA : before.A
    const nextB = adam("B", gradients.B.mmul(inverse(A.mmul(A.transpose()))))
    expect(distance(nextA, after.A)).toBeLessThan(1e-9)
    expect(distance(nextB, after.B)).toBeLessThan(1e-9)
  })
})

/**
 * LoRA-RITE as its authors' repository computes it, by QR decompositions and pseudo-inverses, for the factors left = Bᵀ's
 * transpose B and right = Aᵀ of their Z = left rightᵀ; without clipping, skipping and escaped mass.
 */
test.each([
  ["lora-rite", false],
  ["lora-rite-mean", true],
] as const)("%s moves BA as an implementation by QR decompositions does", (optimiser, isMean) => {
  const zero = () => ({ basis: LinearAlgebra.zeros(N, R), v: LinearAlgebra.zeros(R, R), m: LinearAlgebra.zeros(N, R) })
  const states = { A: zero(), B: zero() }
  const decay = (t: number, beta: number) => (beta * (1 - beta ** (t - 1))) / (1 - beta ** t)
  // The factors here stay those of the program: BA is what is compared, and it does not depend on the split.
  steps(optimiser, 7, start(7), 4).forEach(({ before, gradients, after }, step) => {
    const t = step + 1
    const moved = (side: "A" | "B", own: LinearAlgebra, other: LinearAlgebra, gradient: LinearAlgebra) => {
      const { basis, v, m } = states[side]
      const qr = new QrDecomposition(other)
      const [Q, over] = [qr.orthogonalMatrix, pseudoInverse(qr.upperTriangularMatrix)]
      const seen = gradient.mmul(over)
      const P = Q.transpose().mmul(basis)
      const mix = (beta: number, now: LinearAlgebra, carried: LinearAlgebra) =>
        LinearAlgebra.add(LinearAlgebra.mul(now, 1 - decay(t, beta)), LinearAlgebra.mul(carried, decay(t, beta)))
      const square = LinearAlgebra.div(seen.transpose().mmul(seen), isMean ? N : 1)
      const nextV = mix(0.999, square, P.mmul(v).mmul(P.transpose()))
      const white = seen.mmul(inverseRoot(nextV))
      const nextM = mix(0.9, white, m.mmul(P.transpose()))
      states[side] = { basis: Q, v: nextV, m: nextM }
      return LinearAlgebra.sub(own, LinearAlgebra.mul(nextM.mmul(over.transpose()), RATE))
    }
    const right = moved("A", before.A.transpose(), before.B, gradients.A.transpose())
    const left = moved("B", before.B, before.A.transpose(), gradients.B)
    expect(distance(left.mmul(right.transpose()), product(after))).toBeLessThan(1e-6)
  })
})

/** S^(−1/2) on what S spans: the root of the pseudo-inverse, by singular values. */
function inverseRoot(S: LinearAlgebra): LinearAlgebra {
  const { leftSingularVectors: U, diagonal, rightSingularVectors: V } = new SingularValueDecomposition(S)
  const over = diagonal.map((value) => (value > 1e-12 * diagonal[0]! ? value ** -0.5 : 0))
  return U.mmul(LinearAlgebra.diag(over)).mmul(V.transpose())
}

test("the matrix must be one of the tensor's rows", () => {
  const [n, r] = [dimension("n"), dimension("r")]
  const x = Node.leaf("x", "frozen", [r, n])
  const damping = { constant: 0, power: null }
  expect(() => x.precondition(x.transpose().times(x), 1, damping)).toThrow(InputError)
  expect(x.precondition(x.times(x.transpose()), 1, damping).shape).toEqual([r, n])
})
