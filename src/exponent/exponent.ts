import type { Affine } from "./affine.js"
import { MaxPlus } from "./maxPlus.js"

/** Whether a quantity is Θ(n^value) or only O(n^value). */
export type Relation = "equal" | "atMost"

/**
 * The exponent γ[v] of a quantity v: a max-plus value that v's size equals, or is at most.
 *
 * −∞ is always an equality: a quantity that is at most zero is zero.
 */
export class Exponent {
  static readonly NEGATIVE_INFINITY = Exponent.equal(MaxPlus.NEGATIVE_INFINITY)

  readonly value: MaxPlus
  readonly relation: Relation

  private constructor(value: MaxPlus, relation: Relation) {
    this.value = value
    this.relation = value.isNegativeInfinity ? "equal" : relation
  }

  static equal(value: MaxPlus): Exponent {
    return new Exponent(value, "equal")
  }

  static atMost(value: MaxPlus): Exponent {
    return new Exponent(value, "atMost")
  }

  /** γ of a sum whose leading terms do not cancel: an equality if every term that can lead is one. */
  static max(...terms: readonly Exponent[]): Exponent {
    const certain = MaxPlus.max(...terms.filter((term) => term.relation === "equal").map((term) => term.value))
    const value = MaxPlus.max(...terms.map((term) => term.value))
    return new Exponent(value, certain.equals(value) ? "equal" : "atMost")
  }

  /** γ of a product. */
  plus(other: Exponent): Exponent {
    const relation = this.relation === "equal" && other.relation === "equal" ? "equal" : "atMost"
    return new Exponent(this.value.plus(other.value), relation)
  }

  /** γ of a power: the exponent times a rational ≥ 0. */
  times(factor: number | string): Exponent {
    return new Exponent(this.value.times(factor), this.relation)
  }

  /** The same value, known only as an upper bound. */
  weakened(): Exponent {
    return Exponent.atMost(this.value)
  }

  substitute(values: ReadonlyMap<string, Affine>): Exponent {
    return new Exponent(this.value.substitute(values), this.relation)
  }

  get isZeroQuantity(): boolean {
    return this.value.isNegativeInfinity
  }

  get key(): string {
    return `${this.relation} ${this.value.key}`
  }

  equals(other: Exponent): boolean {
    return this.key === other.key
  }
}
