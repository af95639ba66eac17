import { Affine } from "../exponent/affine.js"
import { type Coefficient, Node } from "./node.js"
import { batchSpace, type Loss, type Objective, ONE_SAMPLE, objective } from "./objective.js"

/** The two factors of an adapter at one moment, or the change of them in a step. */
export interface Factors {
  /** r×n. */
  readonly A: Node
  /** n×r. */
  readonly B: Node
  /** Where the start is subtracted from the frozen weights: the factors' starts, and what was added to them. */
  readonly parts?: { readonly start: Factors; readonly moved: Factors }
}

/** A step of one adapter seen from outside: the factors before it, their change, and the factors after it. */
export interface Step {
  readonly before: Factors
  readonly change: Factors
  readonly after: Factors
}

/** A model with adapters: its loss as a function of their factors, and the quantities to watch in a step. */
export interface Layer {
  readonly name: string
  /** How many adapters the model has. */
  readonly adapters: number
  readonly spaces: Spaces
  /** The frozen tensors: what is drawn for each, as the standard deviation constant · n^power of its entries. */
  readonly frozen: readonly { readonly node: Node; readonly deviation: Coefficient }[]
  readonly loss: (factors: readonly Factors[]) => Loss
  /** What the rows of the first gradient in A, and the columns of that in B, are multiples of; null where not said. */
  readonly gradient: { readonly A: Node; readonly B: Node } | null
  readonly quantities: (steps: readonly Step[]) => Readonly<Record<string, Node>>
}

/** Exponents of a model's frozen parts. */
export interface Sizes {
  /** s of the effective multiplier α = n^s. */
  readonly multiplier: Affine
  /** o of the readout, whose entries are n^(−o). */
  readonly readout: Affine
  /** Exponent of the input's entries. */
  readonly input: Affine
}

/** The spaces that an adapter maps between: "nIn" is an input width n^d of its own, "one" stands for the looked-up row of an embedding, or for a scalar output. */
export interface Spaces {
  readonly input: "n" | "nIn" | "one"
  readonly output: "n" | "one"
}

/** The factor n^power. */
export function power(exponent: Affine): Coefficient {
  return { constant: 1, power: exponent }
}

/** α B A applied to an input, less α B₀ A₀ of it where the start is subtracted: written so that nothing cancels. */
export function adapterOutput({ A, B, parts }: Factors, input: Node, multiplier: Affine): Node {
  const scaled = (v: Node) => v.scale(power(multiplier))
  if (parts === undefined) return scaled(B.times(A.times(input)))
  const { start, moved } = parts
  return scaled(B.times(moved.A.times(input)).plus(moved.B.times(start.A.times(input))))
}

/**
 * The setting of [Init] section 2: zA = A Z, zB = α B zA, output ⟨w, h + zB⟩ with readout w = n^(−o) dZ; under a linear
 * loss of one sample the gradient in the layer's output is w.
 *
 * Z (times n^input) and dZ are standard Gaussian, a column of Z for each sample; h = W* Z is the frozen pre-activation,
 * standard Gaussian given Z up to norms and overlaps, so W* itself is never formed. An input space "one" is an embedding's looked-up row (a one-hot Z), an
 * output space "one" is the toy of [LoRA+] (f is zB itself). δ¹ = α B ΔZ_A, δ² = α ΔB Z_A, δ³ = α ΔB ΔZ_A (δ¹ carries
 * ΔZ_A); `f` is the adapter's change of the output, ⟨w, zB⟩.
 */
export function adapterLayer(
  { multiplier, readout, input }: Sizes,
  spaces: Spaces = { input: "nIn", output: "n" },
  target: Objective = ONE_SAMPLE,
): Layer {
  const [batch, minimised] = [batchSpace(target), objective(target)]
  const Z = spaces.input === "one" ? Node.ONE : Node.leaf("Z", "frozen", [spaces.input, batch])
  const h = Node.leaf("h", "frozen", [spaces.output, batch])
  const dZ = spaces.output === "one" ? Node.ONE : Node.leaf("dZ", "frozen", ["n", "one"])
  const w = dZ === Node.ONE ? dZ : dZ.scale(power(readout.negated))
  const applied = (B: Node, v: Node) => B.times(v).scale(power(multiplier))
  const standard = power(Affine.ZERO)
  return {
    name: "adapter",
    adapters: 1,
    spaces,
    frozen: [
      ...(Z === Node.ONE ? [] : [{ node: Z, deviation: power(input) }]),
      { node: h, deviation: standard },
      ...(dZ === Node.ONE ? [] : [{ node: dZ, deviation: standard }]),
      ...minimised.frozen,
    ],
    loss: ([factors]) => minimised.of(w.transpose().times(h.plus(adapterOutput(factors!, Z, multiplier)))),
    gradient: { A: Z, B: dZ },
    quantities: ([step]) => {
      const { before, change, after } = step!
      const zA = (A: Node) => A.times(Z)
      const zB = adapterOutput(after, Z, multiplier)
      return {
        zA: zA(after.A),
        b: after.B,
        zB,
        delta1: applied(before.B, zA(change.A)),
        delta2: applied(change.B, zA(before.A)),
        delta3: applied(change.B, zA(change.A)),
        f: w.transpose().times(zB),
      }
    },
  }
}
