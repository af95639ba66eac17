import { z } from "zod"
import { FAR, type RegimeKind } from "../fit/regime.js"
import { range } from "./fit.js"
import type { ReportTable } from "./table.js"

const side = z.object({
  scheme: z.string(),
  optimiser: z.string(),
  width: z.number(),
  rank: z.number(),
  inputWidth: z.number().optional().describe("where it is not the width"),
  alpha: z.number().optional(),
  multiplier: z.number().optional().describe("what B A is multiplied by, where alpha was given"),
  ratio: z.number().optional().describe("the rate of B over that of A, where given"),
})
const bracket = z.object({ low: z.number().nullable(), high: z.number().nullable() })

/** The JSON of `transfer`: two answers, which are not the same thing, and the regime that says which one matters. */
export const TransferJson = z.object({
  schema: z.literal("lora-scaling/transfer/1"),
  scheme: z.string().describe("the scheme of the first side"),
  level: z.enum(["features", "output"]),
  from: side.extend({ rate: z.number().describe("with a ratio, that of A") }),
  to: side,
  answer: z.object({
    rate: z.number().nullable().describe("the rate to use, with a ratio that of A; null where none follows"),
    rateB: z.number().nullable(),
    says: z.string().describe("the answer in words"),
    why: z.array(z.string()),
    unknown: z.array(z.string()).describe("what the answer does not know"),
    held: z.array(z.string()).describe("what was held fixed"),
  }),
  peft: z.string().nullable().describe("Python: PEFT's LoraConfig and the optimiser, where asked for"),
  bound: z
    .object({
      exponent: z.string().describe("of the largest stable rate in the width; the rank is n^rho"),
      rate: z.number().describe("the rate that keeps its distance to the largest stable one"),
      crosses: z.boolean().describe("another term of the bound rules at the target; the smaller rate is given"),
      edge: bracket
        .nullable()
        .describe("the largest stable rate at the target lies between, if it was seen at the origin"),
    })
    .nullable()
    .describe("from the derived bound; null where the scheme has two free rates, or between two schemes"),
  observed: z
    .object({
      group: z.string(),
      exponent: z.number(),
      interval: bracket,
      rate: z.number(),
      rates: bracket.describe("95 %: the slope's interval as rates; null is unbounded"),
    })
    .nullable()
    .describe("from the slope of the optimal rate in the given table; null without one"),
  read: z.array(z.string()).describe("how the given table was read, and what its slope is flagged with"),
  regime: z.object({
    kind: z.enum(["unknown", "far below", "near", "beyond"]),
    edge: bracket.nullable().describe("the largest stable rate at the origin, as seen"),
    says: z.array(z.string()),
  }),
  assumptions: z.array(z.string()),
})
export type TransferJson = z.infer<typeof TransferJson>

/** What differs between the sides besides the width: a table's slope in the width says nothing of it. */
export function changedBesidesWidth({ from, to }: Pick<TransferJson, "from" | "to">): string[] {
  const names = { inputWidth: "input width", rank: "rank", alpha: "alpha", ratio: "ratio of the rates" } as const
  const isChanged = (size: keyof typeof names | "multiplier") => from[size] !== to[size]
  const changed = (Object.keys(names) as (keyof typeof names)[]).filter(isChanged).map((size) => names[size])
  return changed.length === 0 && isChanged("multiplier") ? ["multiplier of B A"] : changed
}

/** What the regime means for the two answers, a sentence each. */
export function regimeSays(
  kind: RegimeKind,
  { bound, observed, from, to }: Pick<TransferJson, "bound" | "observed" | "from" | "to">,
): string[] {
  const others = changedBesidesWidth({ from, to })
  const first = {
    unknown:
      "The bound is an exponent: how the largest stable rate moves, not where it is. Whether this rate is near it is unknown; --held and --failed, or a table with a stability edge at this width, would tell.",
    "far below": `The rate is at least ${FAR} times below one that held at this width: the bound is not what decides here. ${others.length === 0 ? "The observed slope answers" : "Runs would tell"}, and which of two schemes is better at such a rate is no test of their bounds.`,
    near: "The rate is close to the largest stable one: the bound decides, and a rate moved by another exponent may leave it.",
    beyond: "The rate is beyond the largest stable one at its own width: it is no good rate to move.",
  }[kind]
  const ceiling = bound?.edge?.high ?? null
  return [
    first,
    ...(bound !== null && observed !== null
      ? [
          "The bound's rate keeps the distance to instability; the observed rate follows the least loss. They answer different questions and need not agree.",
        ]
      : []),
    ...(observed !== null && ceiling !== null && observed.rate >= ceiling
      ? ["The observed rate is beyond the largest rate that the bound leaves stable at the target: take the bound's."]
      : []),
    ...(observed !== null && others.length > 0
      ? [`The observed slope is in the width alone: it says nothing of the change of ${others.join(", ")}.`]
      : []),
    ...(observed !== null && (observed.rates.low === null || observed.rates.high === null)
      ? ["The table does not bound the observed slope: more widths, or rates beyond the grid's edge, would."]
      : []),
  ]
}

/**
 * The two answers as a table.
 *
 * @param isGiven whether a table of runs was given.
 */
export function transferTable({ bound, observed }: TransferJson, isGiven: boolean): ReportTable {
  const rate = (value: number | null) => (value === null ? "unbounded" : Number(value.toPrecision(3)).toString())
  const between = ({ low, high }: { low: number | null; high: number | null }) => `${rate(low)} ... ${rate(high)}`
  return {
    columns: ["answer", "exponent", "95 %", "rate", "between", "rests on"],
    rows: [
      bound === null
        ? ["derived bound", null, null, null, null, "none: the scheme has two free rates, or no bound"]
        : [
            "derived bound",
            bound.exponent,
            null,
            rate(bound.rate),
            null,
            `the largest stable rate${bound.crosses ? "; its terms cross on the way, the smaller rate is given" : ""}`,
          ],
      ...(bound?.edge
        ? [["stability edge there", bound.exponent, null, null, between(bound.edge), "the edge seen"]]
        : []),
      observed === null
        ? [
            "observed slope",
            null,
            null,
            null,
            null,
            isGiven ? "none: the table's runs do not bound it" : "none: give a table with --fit",
          ]
        : [
            "observed slope",
            observed.exponent.toFixed(3),
            range(
              observed.interval.low ?? Number.NEGATIVE_INFINITY,
              observed.interval.high ?? Number.POSITIVE_INFINITY,
            ),
            rate(observed.rate),
            between(observed.rates),
            `rates of least loss of ${observed.group}`,
          ],
    ],
  }
}
