/** A published model of one width, fine-tuned from several starts: which rate is best, which start, and what moves. */
import { join } from "node:path"
import { schemeCurvesFigure } from "../../src/report/figures/schemeCurves.js"
import { range } from "../../src/report/fit.js"
import type { Section, SectionPart } from "../../src/report/section.js"
import type { ReportTable } from "../../src/report/table.js"
import type { Experiment } from "../experiment.js"
import { tunedBlock } from "../tunedBlock.js"
import { type TuningRun, type TuningTables, tuningTables } from "../tunings.js"
import {
  type Best,
  bestOf,
  type Compared,
  commonBest,
  type Derived,
  derivedOf,
  differenceOf,
  type Exponent,
  type Measure,
  measuresOf,
  onlyValue,
  ratioOf,
  reading,
  sizesBySeed,
} from "./reading.js"
import type { Subject } from "./subjects.js"

/**
 * The experiment on a folder with what `sweep --out` wrote of the subject's sweeps.
 *
 * @param folder null where there is none: the section then says how to make one.
 */
export function realModel(subject: Subject, folder: string | null): Experiment {
  const { id, title, sweeps } = subject
  return {
    id,
    title,
    isOneSize: true,
    tasks: () => (folder === null ? 0 : 1),
    run: async (_effort, { onFinished }) => {
      if (folder === null) return withoutTables(subject)
      const tables = await Promise.all(sweeps.map((sweep) => tuningTables(join(folder, sweep.folder))))
      onFinished?.()
      return sectionOf(subject, tables)
    },
  }
}

const question =
  "At one width: which rate is best for each start, which start is better there, and which moves Z_A more?"
const claim =
  "Bounds and sizes derived of the block's program, for each start. They are powers of the width: of one width they say which of two starts has the larger one as n grows, and nothing of how much larger."

function withoutTables({ id, title, make }: Subject): Section {
  const text = `No tables were given. They are made by\n\n${make.map((line) => `    ${line}`).join("\n")}\n\nand read by \`reproduce --${id} FOLDER\`, the folder of \`--out\`.`
  return {
    ...{ id, title, claim },
    answer: { question, text: "Nothing: no tables were given." },
    parts: [{ kind: "text", text }],
    findings: [],
    data: {},
  }
}

/** Two schemes of one table. */
type Pair = readonly [string, string]

/** What is read of one sweep. */
interface Read {
  readonly task: string
  readonly tables: TuningTables
  readonly measures: readonly [Measure, Measure]
  readonly schemes: readonly string[]
  readonly pairs: readonly Pair[]
  readonly derived: ReadonlyMap<string, Derived>
}

function readOf({ block, sites }: Subject, task: string, tables: TuningTables): Read {
  const schemes = [...new Set(tables.runs.map(({ scheme }) => scheme))]
  return {
    ...{ task, tables, schemes },
    measures: measuresOf(tables.metric),
    pairs: schemes.flatMap((first, i) => schemes.slice(i + 1).map((second): Pair => [first, second])),
    derived: new Map(schemes.map((name) => [name, derivedOf(tunedBlock(block, sites, name))])),
  }
}

function sectionOf(subject: Subject, all: readonly TuningTables[]): Section {
  const { id, title, sweeps, model, limits, make } = subject
  const reads = all.map((tables, i) => readOf(subject, sweeps[i]!.task, tables))
  const told = reads.map((read) => ({ read, best: bestTable(read), pairs: pairTable(read), sizes: sizeTable(read) }))
  const parts: SectionPart[] = [
    { kind: "text", text: `${model} Made by \`${make.slice(1).join("`, then `")}\`.` },
    ...told.flatMap(({ read, best, pairs, sizes }, i): SectionPart[] => [
      { kind: "text", text: runsText(read) },
      {
        kind: "figure",
        name: `${id}${i === 0 ? "" : `-${i + 1}`}`,
        caption: `${capital(read.task)}: training loss and what is judged against the rate of A, each run and the means over seeds; runs that diverged are left out`,
        spec: figureOf(read),
      },
      { kind: "table", caption: "The best rate of each start", table: best },
      { kind: "table", caption: "Starts beside each other, each at its best rate", table: pairs },
      ...(sizes.rows.length === 0
        ? []
        : [
            {
              kind: "table",
              caption: `Sizes over all layers of a kind, each start at its best rate of those run, beside what is derived at its largest stable rate`,
              table: sizes,
            } as const,
          ]),
    ]),
    { kind: "text", text: `${LIMITS} ${limits}` },
  ]
  return {
    ...{ id, title, claim },
    answer: { question, text: told.map(answerOf).join(" ") },
    parts,
    findings: [],
    data: Object.fromEntries(
      told.flatMap(({ best, pairs, sizes }, i) => {
        const name = (what: string) => `${id}-${what}${i === 0 ? "" : `-${i + 1}`}`
        return [
          [name("rates"), best],
          [name("starts"), pairs],
          [name("sizes"), sizes],
        ]
      }),
    ),
  }
}

const LIMITS =
  "What this cannot say: one width has no exponent, so that nothing here agrees with a power of n or contradicts it, and there are no verdicts. The derivation is of one block with random frozen weights; this model is pretrained and deep. A ratio of sizes holds what the starts began with as well as what they grew by. Intervals are Student's over few seeds, and as wide as they are: seeds differ in the start and in the order of the examples, and share model and texts. A best rate lies between the rates of a coarse grid, and the least of several noisy values lies below what a new run would have. Trainings are short."

function runsText({ task, tables: { runs, metric, computedBy }, schemes }: Read): string {
  const distinct = (of: (run: TuningRun) => number) => [...new Set(runs.map(of))].sort((x, y) => x - y)
  const listed = (of: (run: TuningRun) => number) =>
    distinct(of)
      .map((each) => Number(each.toPrecision(3)))
      .join(", ")
  const diverged = runs.filter(({ trainingLoss }) => !Number.isFinite(trainingLoss)).length
  const all = `${runs.length} runs by ${computedBy}: ${schemes.join(", ")} at n = ${listed(({ width }) => width)}`
  const each = `rates ${listed(({ rate }) => rate)}; ${distinct(({ seed }) => seed).length} seeds; ${listed(({ steps }) => steps)} steps`
  return `**${capital(task)}.** ${all}; ${each}. Judged by ${metric.replace("_", " ")}. Training loss is the mean of the last tenth of the steps, of one at least. ${diverged === 0 ? "No run" : diverged} diverged.`
}

function figureOf({ tables: { runs }, measures }: Read) {
  return schemeCurvesFigure(
    measures.flatMap(({ name, of }) =>
      runs.flatMap((run) => {
        const value = of(run)
        return Number.isFinite(value) ? [{ scheme: run.scheme, measure: name, rate: run.rate, value }] : []
      }),
    ),
  )
}

function bestTable({ tables, measures, schemes }: Read): ReportTable {
  return {
    columns: ["measure", "scheme", "best rate", "95 %", "seeds beyond the grid", "least value", "seeds"],
    rows: measures.flatMap((measure) =>
      schemes.map((scheme) => {
        const best = bestOf(tables, scheme, measure)
        const only = onlyValue(tables, measure)
        if (best === null || only !== null) return [measure.name, scheme, null, null, null, only, null]
        const { rate, low, high, censored } = best.rate
        const mean = [...best.seeds.values()].reduce((sum, { least }) => sum + least, 0) / best.seeds.size
        return [
          ...[measure.name, scheme, rate.toPrecision(3), censored > 0 ? null : rates(low, high), censored],
          ...[mean.toPrecision(4), best.seeds.size],
        ]
      }),
    ),
  }
}

const rates = (low: number, high: number) => `[${low.toPrecision(2)}, ${high.toPrecision(2)}]`

/** The two questions of a pair by a measure. */
interface Beside {
  /** Of the best rates; null where one may lie beyond the grid. */
  readonly best: Compared | null
  readonly least: Compared | null
  /** Why something is not told. */
  readonly why: string | null
}

function besideOf({ tables }: Read, pair: Pair, measure: Measure): Beside {
  const only = onlyValue(tables, measure)
  if (only !== null) return { best: null, least: null, why: `all runs are alike, at ${only}` }
  const [first, second] = pair.map((scheme) => bestOf(tables, scheme, measure))
  if (first == null || second == null) return { best: null, least: null, why: "all runs of a seed diverged" }
  const each = (of: Best, what: "rate" | "least") =>
    new Map([...of.seeds].map(([seed, found]) => [seed, found[what]] as const))
  const beyond = pair.filter((_, i) => [first, second][i]!.rate.censored > 0)
  return {
    best: beyond.length > 0 ? null : ratioOf(each(first, "rate"), each(second, "rate")),
    least: differenceOf(each(first, "least"), each(second, "least")),
    why: beyond.length > 0 ? `the best rate of ${beyond.join(" and of ")} may lie beyond the grid` : null,
  }
}

/** Which of two best rates is larger, beside the bounds, or why it is not told. */
function rateReading({ derived }: Read, [first, second]: Pair, { best, why }: Beside) {
  if (best === null) return why
  return reading(best.difference, derived.get(first)!.bound, derived.get(second)!.bound)
}

function pairTable(read: Read): ReportTable {
  const { pairs, measures, derived } = read
  return {
    columns: [
      ...["measure", "schemes", "ratio of best rates", "95 %", "derived bounds", "reads"],
      ...["difference of least values", "difference 95 %", "better"],
    ],
    rows: measures.flatMap((measure) =>
      pairs.map((pair) => {
        const beside = besideOf(read, pair, measure)
        const { best, least } = beside
        const bounds = pair.map((name) => `n^(${derived.get(name)!.bound.text})`).join(" / ")
        return [
          ...[measure.name, pair.join(" / ")],
          ...(best === null
            ? [null, null]
            : [best.difference.mean.toPrecision(3), rates(best.difference.low, best.difference.high)]),
          ...[bounds, rateReading(read, pair, beside)],
          ...(least === null
            ? [null, null]
            : [least.difference.mean.toPrecision(3), range(least.difference.low, least.difference.high)]),
          better(pair, least),
        ]
      }),
    ),
  }
}

function better([first, second]: Pair, least: Compared | null): string {
  if (least === null) return "not told"
  const { low, high } = least.difference
  return high < 0 ? first : low > 0 ? second : "undecided"
}

/** The sizes that the starts are compared by. */
const SIZES = ["zA", "zB", "movedA", "movedB"]

/** A size of a pair at a kind of layer and a step. */
interface SizeBeside {
  readonly pair: Pair
  readonly quantity: string
  readonly kind: string
  readonly step: number
  readonly compared: Compared
  readonly exponents: readonly [Exponent | null, Exponent | null]
}

function sizesBeside({ tables, pairs, measures: [loss], derived }: Read): SizeBeside[] {
  const { sizes } = tables
  const kinds = [...new Set(sizes.map(({ kind }) => kind))]
  const steps = [...new Set(sizes.map(({ step }) => step))].filter((step) => step > 0).sort((x, y) => x - y)
  return pairs.flatMap((pair) =>
    SIZES.flatMap((quantity) =>
      kinds.flatMap((kind) =>
        steps.flatMap((step): SizeBeside[] => {
          const [first, second] = pair.map((scheme) => {
            const rate = commonBest(tables, scheme, loss)
            return rate === null ? new Map() : sizesBySeed(sizes, { scheme, rate, step, kind, quantity })
          })
          const compared = ratioOf(first!, second!)
          const exponents = pair.map((name) => derived.get(name)!.exponent(kind, quantity, step))
          return compared === null ? [] : [{ pair, quantity, kind, step, compared, exponents: exponents as never }]
        }),
      ),
    ),
  )
}

function sizeTable(read: Read): ReportTable {
  const power = (exponent: Exponent | null) => (exponent === null ? "none" : `n^(${exponent.text})`)
  return {
    columns: ["size", "layers", "step", "schemes", "first", "second", "ratio", "95 %", "derived", "reads"],
    rows: sizesBeside(read).map(({ pair, quantity, kind, step, compared, exponents }) => {
      const { first, second, difference } = compared
      return [
        ...[quantity, kind, step, pair.join(" / ")],
        ...[first, second, difference.mean].map((value) => value.toPrecision(3)),
        rates(difference.low, difference.high),
        exponents.every((each) => each === null) ? null : exponents.map(power).join(" / "),
        reading(difference, ...exponents),
      ]
    }),
  }
}

/** The answer of one sweep in words. */
function answerOf({ read }: { readonly read: Read }): string {
  const { task, pairs, measures, tables } = read
  const said = pairs.flatMap((pair) =>
    measures.map((measure) => {
      const beside = besideOf(read, pair, measure)
      const { best, least, why } = beside
      const rate =
        best === null
          ? why
          : `the best rate of ${pair[0]} is ${best.difference.mean.toPrecision(2)} times that of ${pair[1]} (95 % ${rates(best.difference.low, best.difference.high)}; ${rateReading(read, pair, beside)})`
      if (least === null) return `by ${measure.name} ${rate}`
      const which = better(pair, least)
      return `by ${measure.name} ${rate}, and ${which === "undecided" ? "which is better there is undecided" : `${which} is better there`}`
    }),
  )
  const last = Math.max(...tables.sizes.map(({ step }) => step))
  const moved = sizesBeside(read)
    .filter(({ quantity, step }) => quantity === "zA" && step === last)
    .map(
      ({ pair, kind, compared: { difference }, exponents }) =>
        `|Z_A| of ${kind} after step ${last} is ${difference.mean.toPrecision(2)} times as large under ${pair[0]} as under ${pair[1]} (${reading(difference, ...exponents)})`,
    )
  return `${capital(task)}: ${[...said, ...moved].join("; ")}.`
}

function capital(text: string): string {
  return `${text[0]!.toUpperCase()}${text.slice(1)}`
}
