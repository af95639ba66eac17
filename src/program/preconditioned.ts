/** Update rules that see the other factor of the adapter, through r×r matrices that are made of it. */
import { Affine } from "../exponent/affine.js"
import { InputError } from "../inputError.js"
import type { Node } from "./node.js"
import type { Coefficient } from "./operation.js"
import type { FactorPlace, Optimiser } from "./updateRule.js"

const by = (constant: number, biasCorrection?: number): Coefficient => ({
  constant,
  power: Affine.ZERO,
  ...(biasCorrection === undefined ? {} : { biasCorrection }),
})

/** A tensor of the factor's shape with the rank as its rows, or one such tensor as the factor has it. */
const rankFirst = (tensor: Node, rank: FactorPlace["rank"]): Node => (rank === "rows" ? tensor : tensor.transpose())

/**
 * The other factor with the rank as its columns: B beside A, Aᵀ beside B;
 * @throws InputError for a tensor that is no factor.
 */
function tall(other: Node | null, rank: FactorPlace["rank"]): Node {
  if (other !== null) return rank === "rows" ? other : other.transpose()
  throw new InputError({
    field: "optimiser",
    given: "a rule that sees the other factor, for a tensor that is no factor",
    allowed: "such a rule for A and B alone",
    example: "optimiser: { A: scaled-adam, B: scaled-adam }",
  })
}

/**
 * A rule that is given (BᵀB + δI)⁻¹ G_A in place of A's gradient and G_B (AAᵀ + δI)⁻¹ in place of B's: Riemannian
 * preconditioning (arXiv 2402.02347). With gradient descent it is the paper's scaled GD, with Adam its scaled AdamW,
 * whose moments are those of the preconditioned gradient.
 *
 * @param order whether both factors are read before the step, or B's rule reads A after its own, as AdamWr of the
 * authors' repository does (pilancilab/Riemannian_Preconditioned_LoRA, custom_optimizer.py).
 */
export function preconditioned(rule: Optimiser, order: "at once" | "in turn" = "at once"): Optimiser {
  return {
    state: rule.state,
    step: (gradient, state, place) => {
      const { rank, other, otherInTurn, damping } = place
      const F = tall(order === "at once" ? other : otherInTurn, rank)
      const seen = rankFirst(gradient, rank).precondition(F.transpose().times(F), 1, damping)
      return rule.step(rankFirst(seen, rank), state, place)
    },
  }
}

const [BETA_1, BETA_2] = [0.9, 0.999]

/**
 * LoRA-RITE (arXiv 2410.20625, Algorithm 1), for A beside B = U R with orthonormal U: the gradient without B's
 * magnitude is Ḡ = R⁻¹ G; its second moment is V = β₂ P V Pᵀ + (1 − β₂) Ḡ Ḡᵀ, carried by P = Uᵀ U₋ from the last
 * step's basis to this one; m = β₁ P m + (1 − β₁) V^(−1/2) Ḡ, and g = R⁻¹ m. So for B beside Aᵀ. U is the polar
 * factor, which differs from that of a QR decomposition by a rotation, of which nothing depends.
 *
 * The mass ρ that escapes a basis is left out, as it is in the authors' implementation unless asked for (apply_escape);
 * so are its clipping and skipping of large gradients.
 *
 * @param moment "sum": V sums over the rows of Ḡᵀ, so that V^(−1/2) Ḡ has orthonormal rows, as published; "mean": V is
 * their mean, as in the authors' repository (gkevinyen5418/LoRA-RITE, lora_rite.py), so that g is √n times as large.
 */
export function loraRite(moment: "sum" | "mean"): Optimiser {
  return {
    state: [
      { name: "basis", shape: ({ rank, other }) => [other, rank] },
      { name: "second", shape: ({ rank }) => [rank, rank] },
      { name: "mean", shape: ({ rank, own }) => [rank, own] },
    ],
    step: (gradient, [basis, second, mean], { rank, other, damping }) => {
      const F = tall(other, rank)
      const U = F.orthogonalise()
      const gram = F.transpose().times(F)
      const seen = rankFirst(gradient, rank).precondition(gram, "1/2", damping)
      const P = U.transpose().times(basis!)
      const square = seen.times(seen.transpose())
      const { count, exponent } = seen.shape[1]
      const own = moment === "sum" ? square : square.scale({ constant: 1 / count, power: exponent.negated })
      const nextSecond = P.times(second!)
        .times(P.transpose())
        .scale(by(BETA_2))
        .plus(own.scale(by(1 - BETA_2)))
      const white = seen.precondition(nextSecond.scale(by(1, BETA_2)), "1/2", damping)
      const nextMean = P.times(mean!)
        .scale(by(BETA_1))
        .plus(white.scale(by(1 - BETA_1)))
      const direction = nextMean.scale(by(1, BETA_1)).precondition(gram, "1/2", damping, F)
      return { direction: rankFirst(direction, rank), state: [U, nextSecond, nextMean] }
    },
  }
}
