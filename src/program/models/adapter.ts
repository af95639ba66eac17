import { Affine } from "../../exponent/affine.js"
import { isSingle, SINGLE } from "../dimension.js"
import { type Model, type ModelExponents, power, type Site } from "../model.js"
import { Node } from "../node.js"
import { batchSpace, type Objective } from "../objective.js"

/**
 * The setting of [Init] section 2: zA = A Z, zB = α B zA, output ⟨w, h + zB⟩ with readout w = n^(−o) dZ; under a linear
 * loss of one sample the gradient in the layer's output is w.
 *
 * Z (times n^input) and dZ are standard Gaussian, a column of Z for each sample; h = W* Z is the frozen pre-activation,
 * standard Gaussian given Z up to norms and overlaps, so W* itself is never formed. An input space of a single index is
 * an embedding's looked-up row (a one-hot Z), an output space of one is the toy of [LoRA+] (f is zB itself).
 *
 * @param weights "named" where adapters read W*, its rows of norm 1 and h = W* Z; it is never formed then either.
 */
export function adapterModel(
  site: Site,
  { multiplier, readout, input }: ModelExponents,
  target: Objective,
  weights: "implied" | "named" = "implied",
): Model {
  const batch = batchSpace(target)
  const Z = isSingle(site.input) ? Node.ONE : Node.leaf("Z", "frozen", [site.input, batch])
  const W = weights === "named" ? Node.leaf("W", "frozen", [site.output, site.input]) : undefined
  const h = W === undefined ? Node.leaf("h", "frozen", [site.output, batch]) : W.times(Z)
  const dZ = isSingle(site.output) ? Node.ONE : Node.leaf("dZ", "frozen", [site.output, SINGLE])
  const w = dZ === Node.ONE ? dZ : dZ.scale(power(readout.negated))
  const standard = power(Affine.ZERO)
  return {
    name: "adapter",
    sites: [site],
    multiplier,
    frozen: [
      ...(Z === Node.ONE ? [] : [{ node: Z, deviation: power(input) }]),
      W === undefined
        ? { node: h, deviation: standard }
        : { node: W, deviation: power(site.input.exponent.times("-1/2")) },
      ...(dZ === Node.ONE ? [] : [{ node: dZ, deviation: standard }]),
    ],
    forward: (adapted) => ({ output: w.transpose().times(h.plus(adapted(site, Z, W))), watched: [] }),
    minimises: "output",
    watchesParts: true,
    gradient: { A: Z, B: dZ },
  }
}
