/** What the page and its workers say to each other: plain data, so that it travels. */

import type { ClaimsJson } from "../src/report/claims.js"
import type { DerivationJson } from "../src/report/derivationSchema.js"
import type { TransferJson } from "../src/report/transfer.js"
import type { TransferQuestion } from "../src/report/transferQuestion.js"
import type { WhyJson } from "../src/report/whySchema.js"

/** A scheme as chosen or written. */
export interface SchemeAsked {
  /** A name of the catalogue, `llama-block/init-a` too; null for one's own. */
  readonly name: string | null
  /** The YAML or JSON of one's own scheme. */
  readonly text: string
  /** Another update rule than the scheme's; empty for its own. */
  readonly optimiser: string
}

/** What is asked of a derivation. */
export interface DerivationAsked extends SchemeAsked {
  /** The symbols of the two axes; null: chosen by the scheme, and "" as the second: none. */
  readonly axes: readonly [string | null, string | null]
  /** Values of symbols, as texts of the command line's grammar; those that are missing are the scheme's own. */
  readonly point: Readonly<Record<string, string>>
  readonly level: "features" | "output"
}

/** A symbol of the scheme with its value, and what a slider for it spans. */
export interface SymbolInfo {
  readonly name: string
  readonly words: string
  readonly value: string
  readonly low: number
  readonly high: number
}

/** The statements whose sets are drawn. */
export const SETS = ["stable", "internallyStable", "stableOutput", "featureLearning", "efficient"] as const
export type SetName = (typeof SETS)[number]

/** A point of the plane, in the order of its axes. */
export type Point = readonly [number, number]

/** An edge of a set, and the inequality or equality that it comes from. */
export interface EdgeShape {
  readonly ends: readonly [Point, Point]
  readonly claim: string
  /** Whether the edge itself is not part of the set. */
  readonly open: boolean
}

/** A polyhedron as far as the window shows it: two corners are a segment. */
export interface Shape {
  readonly corners: readonly Point[]
  readonly edges: readonly EdgeShape[]
}

/** A quantity's limit over an axis: straight from one end to the other. */
export interface LineShape {
  readonly quantity: string
  readonly ends: readonly [Point, Point]
}

/** What holds at the point. */
export interface PointReading {
  /** Which statements hold; null where the model has none such. */
  readonly holds: Readonly<Record<SetName, boolean | null>>
  /** The region of the phase diagram; null outside all. */
  readonly region: number | null
  /** The exponents at the point, as texts: t = 1, 2, …, and in the limit. */
  readonly quantities: readonly {
    readonly name: string
    readonly words: string
    readonly steps: readonly string[]
    /** In the region's symbols. */
    readonly form: string
    readonly limit: string
  }[]
}

/** A derivation, drawn. */
export interface Diagram {
  readonly name: string
  readonly title: string
  readonly symbols: readonly SymbolInfo[]
  readonly axes: readonly [SymbolInfo, SymbolInfo | null]
  /** What `derive --json` prints. */
  readonly json: DerivationJson
  /** The command that prints it. */
  readonly command: string
  /** The phase diagram's polyhedra, by their place in the JSON. */
  readonly regions: readonly (Shape & { readonly region: number; readonly where: string })[]
  readonly sets: Readonly<Record<SetName, readonly Shape[] | null>>
  /** With one axis alone. */
  readonly lines: readonly LineShape[]
  readonly reading: PointReading
  readonly milliseconds: number
}

/** What the deriving worker can be asked, by kind. */
export interface Questions {
  readonly catalogue: { readonly asked: null; readonly answer: Catalogue }
  readonly diagram: { readonly asked: DerivationAsked; readonly answer: Diagram }
  readonly transfer: { readonly asked: TransferAsked; readonly answer: Transferred }
  readonly why: { readonly asked: DerivationAsked & { readonly of: string }; readonly answer: WhyJson }
}
export type QuestionKind = keyof Questions

/** The schemes and update rules to choose from. */
export interface Catalogue {
  readonly schemes: readonly { readonly name: string; readonly title: string; readonly onModels: boolean }[]
  readonly optimisers: readonly string[]
}

/** A question to the calculator: the scheme before, and after where it changes. */
export interface TransferAsked {
  readonly from: SchemeAsked
  readonly to: SchemeAsked | null
  readonly question: TransferQuestion
}

/** The calculator's answer, and the command that gives it. */
export interface Transferred {
  readonly json: TransferJson
  readonly command: string
}

/** What computes the runs: the reference interpreter, the WebAssembly kernel, or a graphics card. */
export const ENGINES = ["interpreter", "kernel", "gpu"] as const
export type Engine = (typeof ENGINES)[number]

/** What is to be trained: a scheme at a point, over widths 2^from … 2^to. */
export interface TrainAsked extends SchemeAsked {
  readonly point: Readonly<Record<string, string>>
  readonly from: number
  readonly to: number
  readonly seeds: number
  readonly steps: number
  readonly engine: Engine
}

/** A verdict as `check --json` prints it. */
export type Claim = ClaimsJson["claims"][number]

/** A quantity's root mean squares over seeds, step by step, at one width. */
export interface WidthMeasured {
  readonly width: number
  readonly sizes: Readonly<Record<string, readonly number[]>>
}

/** What the training worker tells as it goes on. */
export type TrainNews =
  | {
      readonly kind: "begun"
      readonly widths: readonly number[]
      readonly backend: string
      /** Derived exponents, step by step: null is −∞. */
      readonly derived: Readonly<Record<string, readonly (number | null)[]>>
    }
  | ({ readonly kind: "width" } & WidthMeasured)
  | { readonly kind: "done"; readonly claims: readonly Claim[]; readonly milliseconds: number }
  | { readonly kind: "refused"; readonly refusal: Refusal }

/** Why there is no answer. */
export interface Refusal {
  /** Input to be corrected, a program without exponents, or a mistake of this project. */
  readonly kind: "input" | "underivable" | "bug"
  readonly message: string
  readonly field: string | null
  /** The field's line in the text of one's own scheme, from 1. */
  readonly line: number | null
}

/** A question on its way. */
export interface Asked {
  readonly id: number
  readonly kind: QuestionKind
  readonly asked: unknown
}

/** Its answer, or why there is none. */
export type Reply = { readonly id: number } & ({ readonly answer: unknown } | { readonly refusal: Refusal })
