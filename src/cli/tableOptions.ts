/** The options of commands that read a table of measurements. */
import type { CurveRules } from "../fit/curves.js"
import { InputError } from "../inputError.js"
import { integer, oneOf, positive } from "../optionText.js"
import { SEPARATORS, type SeparatorName } from "../table/delimited.js"
import type { TableReading } from "../table/measured.js"
import type { At, RunRules } from "../table/runs.js"

/** How a table's columns, words and numbers are to be read, as typed. */
export interface TableOptions {
  readonly width: string
  readonly rate?: string
  readonly loss?: string
  readonly seed: string
  readonly by: readonly string[]
  readonly pool: readonly string[]
  readonly model?: string
  readonly family?: string
  readonly quantity?: string
  readonly step?: string
  readonly run?: string
  readonly state?: string
  readonly at: string
  readonly goal?: string
  readonly edge: string
  readonly wide?: string
  readonly wideColumns?: string
  readonly separator?: string
  readonly decimal?: string
  /** The table of a DuckDB file that has several. */
  readonly tableName?: string
  readonly diverged?: readonly string[]
  readonly unfinished?: readonly string[]
  readonly missing?: readonly string[]
  readonly finished?: readonly string[]
}

/**
 * The options as a reading of a table, and as rules for its curves.
 *
 * @param of the column of the size; null where losses against rates are meant.
 * @throws InputError for options of another form.
 */
export function readingOf(options: TableOptions, of: string | null): { reading: TableReading; rules: CurveRules } {
  const { rate = "rate", loss = "loss", model = null, family = null, quantity } = options
  const value = of ?? loss
  const goal = goalOf(options.goal, of === null ? value : null)
  const { separator, decimal, wide, wideColumns = null, tableName } = options
  const read = {
    table: tableName,
    separator:
      separator === undefined ? undefined : oneOf("--separator", separator, Object.keys(SEPARATORS) as SeparatorName[]),
    decimal:
      decimal === undefined
        ? undefined
        : ({ point: ".", comma: "," } as const)[oneOf("--decimal", decimal, ["point", "comma"])],
  }
  const reading: TableReading = {
    columns: { ...options, rate: of === null ? rate : null, value, model, family },
    rules: rulesOf(options, goal),
    read,
    wide: wide === undefined ? undefined : { what: oneOf("--wide", wide, ["width", "rate"]), pattern: wideColumns },
    quantity,
  }
  return { reading, rules: { family, share: positive("--edge", options.edge), goal } }
}

/** Scores that are better when larger, by the usual names. */
const SCORE =
  /(^|[^a-z])(acc|accuracy|score|f1|auc|auroc|bleu|rouge|reward|return|em|exact_match|win_?rate|r2|map|mrr|ndcg|recall|precision|pass(@|_at_)?\d*)([^a-z]|$)/i

/** @throws InputError where a loss has the name of a score and nothing says which values are better. */
function goalOf(goal: string | undefined, loss: string | null): "min" | "max" {
  if (goal !== undefined) return oneOf("--goal", goal, ["min", "max"])
  if (loss !== null && SCORE.test(loss) && !/loss|error|nll|perplexity/i.test(loss))
    throw new InputError({
      field: "--loss",
      given: loss,
      allowed:
        "a loss, or with --goal a column of this name: is it better when larger, --goal max; when smaller, --goal min",
      example: "--goal max",
    })
  return "min"
}

function rulesOf(options: TableOptions, goal: "min" | "max"): RunRules {
  const { diverged, unfinished, missing, finished } = options
  const own = { diverged, unfinished, missing, finished }
  const words = Object.fromEntries(
    Object.entries(own).flatMap(([kind, list]) => (list === undefined ? [] : [[kind, list]])),
  )
  return { at: atOf(options.at), goal, words }
}

function atOf(text: string): At {
  if (text === "last" || text === "best") return text
  const mean = /^mean:(\d+)$/.exec(text)?.[1]
  if (mean !== undefined) return { mean: integer("--at mean", mean) }
  throw new InputError({
    field: "--at",
    given: text,
    allowed: "last, best, or mean:k, the mean of the last k values",
    example: "--at mean:10",
  })
}
