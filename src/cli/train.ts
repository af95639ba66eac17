import { InputError } from "../inputError.js"
import { integer, positive } from "../optionText.js"
import { environment } from "../report/environment.js"
import type { ReportTable } from "../report/table.js"
import { optimiserText, tensorsOf } from "../scheme/definition.js"
import { type Rates, type SchemeDefinition, scheme } from "../scheme/scheme.js"
import type { VariantOptions } from "../scheme/variant.js"
import type { PrecisionRecord } from "../train/preciseStep.js"
import { type RunConfig, type RunResult, run } from "../train/run.js"
import { backendOption, openPool } from "./backendOption.js"
import { type PrecisionOptions, precisionOption } from "./precisionOption.js"
import { outputOptions, print, schemeWith, settings } from "./terminal.js"

/** Options of `train` as typed. */
export interface TrainOptions extends VariantOptions, PrecisionOptions {
  readonly width: string
  readonly rank: string
  readonly steps: string
  readonly seed: string
  readonly set: readonly string[]
  readonly lr?: string
  readonly lrA?: string
  readonly lrB?: string
  readonly backend?: string
  readonly device?: string
  readonly json?: boolean
  readonly format: string
}

/** One run in the theory's setting, its coordinates step by step. */
export async function trainCommand(name: string, options: TrainOptions): Promise<number> {
  const output = outputOptions(options)
  const definition = withRates(await schemeWith(name, options), options)
  const config = {
    width: integer("--width", options.width),
    rank: integer("--rank", options.rank),
    steps: integer("--steps", options.steps),
    seed: integer("--seed", options.seed, 0),
    ...precisionOption(options),
  }
  const result = await trained(definition, settings(options.set), config, options)
  const history = result.history.map(({ step, loss, meanSquares }) => ({
    step,
    loss,
    rms: Object.fromEntries(Object.entries(meanSquares).map(([quantity, value]) => [quantity, Math.sqrt(value)])),
  }))
  const names = Object.keys(history[0]?.rms ?? {})
  const precision = result.precision
  print(
    output,
    {
      schema: "lora-scaling/train/1",
      definition,
      config,
      environment: environment(),
      ...(result.backend === undefined ? {} : { backend: result.backend }),
      ...(result.failed === undefined ? {} : { failed: result.failed }),
      outcome: result.outcome,
      history,
      ...(precision === undefined ? {} : { precision }),
    },
    [
      [
        `${definition.title}; ${optimiserText(definition)}, n = ${config.width}, r = ${config.rank}, seed ${config.seed}${result.backend === undefined ? "" : `, ${result.backend}`}: ${outcomeText(result.outcome)}; root mean squares`,
        {
          columns: ["t", "loss before", ...names],
          rows: history.map(({ step, loss, rms }) => [
            step,
            loss.toPrecision(4),
            ...names.map((q) => rms[q]!.toPrecision(4)),
          ]),
        },
      ],
      ...(precision === undefined ? [] : [roundingTable(precision)]),
    ],
  )
  return 0
}

/** The run by the reference interpreter, or by what the option asks for. */
async function trained(
  definition: SchemeDefinition,
  values: Readonly<Record<string, string>>,
  config: RunConfig,
  options: TrainOptions,
): Promise<RunResult> {
  const { seed, ...shared } = config
  const backend = backendOption(options.backend)
  if ((backend === "gpu" || backend === "graph") && config.precision !== undefined)
    throw new InputError({
      field: "--precision",
      given: options.precision,
      allowed: "none with gpu or graph, which compute in float32",
      example: "--backend cpu --precision float16",
    })
  if (config.precision !== undefined) return run(scheme(definition, values), config)
  const pool = await openPool(backend, { workers: 0, device: options.device })
  try {
    const task = { kind: "scheme", definition, values, config: shared, seeds: [seed] } as const
    const [result] = await pool.run(pool.claim?.(task) ?? task)
    for (const failed of result!.failed ?? []) process.stderr.write(`${backend}: ${failed}\n`)
    return result!
  } finally {
    await pool.close()
  }
}

function outcomeText(outcome: RunResult["outcome"]): string {
  switch (outcome.kind) {
    case "finished":
      return "finished"
    case "diverged":
      return `diverged at step ${outcome.step}`
    case "overflowed":
      return `overflowed at step ${outcome.step} in ${outcome.tensor}`
  }
}

/** What rounding did, a row a tensor; the loss scale and the steps not taken in the heading. */
function roundingTable({ tensors, skipped, lossScale }: PrecisionRecord): [string, ReportTable] {
  const scale = lossScale === 1 ? "" : `; loss scale ${lossScale} at the end`
  const notTaken = skipped.length === 0 ? "" : `; steps not taken: ${skipped.join(", ")}`
  return [
    `What rounding did${scale}${notTaken}`,
    {
      columns: ["tensor", "format", "entries", "overflows", "underflows", "lost updates", "largest"],
      rows: Object.entries(tensors).map(([name, record]) => [
        name,
        record.format,
        record.entries,
        record.overflows,
        record.underflows,
        record.lostUpdates,
        record.largest.toPrecision(4),
      ]),
    },
  ]
}

/** Rates given as numbers replace the scheme's powers of the width. */
function withRates(definition: SchemeDefinition, { lr, lrA, lrB, set }: TrainOptions): SchemeDefinition {
  const [a, b] = [lrA ?? lr, lrB ?? lr]
  if (a === undefined && b === undefined) return definition
  if (a === undefined || b === undefined)
    throw new InputError({
      field: a === undefined ? "--lr-a" : "--lr-b",
      given: "nothing",
      allowed: "both rates as numbers, or neither",
      example: "--lr-a 1e-3 --lr-b 1e-2",
    })
  const rateSymbol = set.find((text) => /^(c|cA|cB|cd|cb|cm)=/.test(text))
  if (rateSymbol !== undefined)
    throw new InputError({
      field: "--set",
      given: rateSymbol,
      allowed: "no rate exponent beside --lr",
      example: "--lr 0.01",
    })
  const extras = tensorsOf(definition).slice(2)
  if (extras.length > 0 && a !== b)
    throw new InputError({
      field: "--lr-a",
      given: `${a}, and ${b} for B`,
      allowed: `one rate, --lr: ${definition.name} trains ${extras.join(", ")} too`,
      example: "--lr 1e-3",
    })
  const constant = (own: Rates): Rates =>
    Object.fromEntries(
      Object.entries(own).map(([tensor, rate]) => [tensor, rate === "frozen" ? rate : "0"]),
    ) as unknown as Rates
  return {
    ...definition,
    rates: Array.isArray(definition.rates) ? definition.rates.map(constant) : constant(definition.rates as Rates),
    rateConstants: {
      A: positive("--lr-a", a),
      B: positive("--lr-b", b),
      ...Object.fromEntries(extras.map((tensor) => [tensor, positive("--lr", a)])),
    },
  }
}
