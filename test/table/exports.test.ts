/** The same sweep, made with the exponent -1/2, as trackers, tuners, loggers, spreadsheets and people write it. */
import { mkdtemp, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterAll, beforeAll, describe, expect, test } from "vitest"
import type { TableOptions } from "../../src/cli/tableOptions.js"
import { type Fitted, fittedText } from "./fitted.js"
import { csv, type MadeRun, madeRuns, WIDTHS } from "./made.js"

let folder: string
let clean: Fitted
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "exports-"))
  clean = await fitted(csv(HEADER, cells(madeRuns())))
})
afterAll(() => rm(folder, { recursive: true }))

type Options = Partial<TableOptions>
const fitted = (content: string | Uint8Array, options: Options = {}) => fittedText(folder, content, options)

const HEADER = ["width", "lr", "loss"]
const cells = (runs: readonly MadeRun[]) => runs.map(({ width, lr, loss }) => [width, lr, loss])
const runs = madeRuns()
const failed = ({ loss }: MadeRun) => Number.isNaN(loss)
const rows = <T>(row: (run: MadeRun, index: number) => T) => runs.map(row)
const quoted = (row: readonly (string | number)[]) => row.map((cell) => `"${cell}"`)
const comma = (x: number | string) => String(x).replace(".", ",")
const lines = (objects: readonly object[]) => objects.map((each) => JSON.stringify(each)).join("\n")
/** A run's log of a few steps, falling to its loss; runs that diverge end in NaN. */
const steps = [100, 200, 300, 400]
const logOf = ({ loss }: MadeRun, step: number) =>
  Number.isNaN(loss) ? (step < 300 ? 4 : Number.NaN) : loss + (400 - step) / 200
const log = <T>(row: (run: MadeRun, step: number, index: number) => T) =>
  runs.flatMap((run, i) => steps.map((step) => row(run, step, i)))
const byRate = [...new Set(runs.map(({ lr }) => lr))].map((lr) => ({
  lr,
  losses: runs.filter((run) => run.lr === lr).map(({ loss }) => loss),
}))
const utf16 = (text: string) => Buffer.from(`\uFEFF${text}`, "utf16le")
/** Columns padded to one width, as printed. */
const printed = (table: readonly (readonly (string | number)[])[]) =>
  table.map((row) => row.map((cell) => String(cell).padStart(22)).join("")).join("\n")
const text = (loss: number, word = "nan") => (Number.isNaN(loss) ? word : String(loss))

const KINDS: [string, () => string | Uint8Array, Options?, RegExp?][] = [
  [
    "W&B: a table of runs, everything quoted, failed and killed",
    () =>
      csv(
        quoted([
          "Name",
          "ID",
          "State",
          "Created",
          "Sweep",
          "config.hidden_size",
          "config.lr",
          "summary.eval/loss",
        ]) as string[],
        rows((run, i) =>
          quoted([
            `glad-${i}`,
            `x${i}`,
            failed(run) ? (i % 2 ? "failed" : "killed") : "finished",
            "2026-03-01T10:00:00.000Z",
            "s1",
            run.width,
            run.lr,
            text(run.loss, ""),
          ]),
        ),
      ),
    { width: "config.hidden_size", rate: "config.lr", loss: "summary.eval/loss" },
    /4 unfinished/,
  ],
  [
    "W&B: histories of runs, one below the other",
    () =>
      csv(
        ["_step", "_timestamp", "Name", "n", "lr", "train/loss"],
        log((run, step, i) => [step, 1.7e9 + step, `run-${i}`, run.width, run.lr, logOf(run, step)]),
        { word: "NaN" },
      ),
    { width: "n", loss: "train/loss" },
    /column _step.*4 diverged/,
  ],
  [
    "W&B: config in JSON",
    () =>
      JSON.stringify(
        rows((run, i) => ({
          name: `r${i}`,
          state: failed(run) ? "crashed" : "finished",
          config: { model: { width: run.width }, lr: run.lr },
          summary: failed(run) ? {} : { loss: run.loss },
        })),
      ),
    { width: "config.model.width", rate: "config.lr", loss: "summary.loss" },
    /4 unfinished \(crashed\)/,
  ],
  [
    "Optuna: trials_dataframe with its index, TrialState",
    () =>
      csv(
        [
          "",
          "number",
          "value",
          "datetime_start",
          "datetime_complete",
          "duration",
          "params_lr",
          "params_width",
          "user_attrs_seed",
          "state",
        ],
        rows((run, i) => [
          i,
          i,
          run.loss,
          "2026-03-01 10:00:00.123456",
          "",
          "0 days 00:10:00",
          run.lr,
          run.width,
          42,
          failed(run) ? "TrialState.FAIL" : "TrialState.COMPLETE",
        ]),
        { word: "" },
      ),
    { width: "params_width", rate: "params_lr", loss: "value", seed: "user_attrs_seed" },
    /4 unfinished \(TrialState.FAIL\)/,
  ],
  [
    "Optuna: two objectives",
    () =>
      csv(
        ["number", "values_0", "values_1", "params_lr", "params_n", "state"],
        rows((run, i) => [i, run.loss, 100 + i, run.lr, run.width, failed(run) ? "FAIL" : "COMPLETE"]),
        { word: "" },
      ),
    { width: "params_n", rate: "params_lr", loss: "values_0" },
  ],
  [
    "HF Trainer: log histories of runs, evaluations in rows of their own",
    () =>
      lines(
        log((run, step, i) => [
          {
            run: `run-${i}`,
            hidden_size: run.width,
            base_lr: run.lr,
            loss: logOf(run, step) + 0.3,
            learning_rate: run.lr * (1 - step / 500),
            grad_norm: 1,
            epoch: step / 400,
            step,
          },
          {
            run: `run-${i}`,
            hidden_size: run.width,
            base_lr: run.lr,
            eval_loss: logOf(run, step),
            eval_runtime: 3.2,
            epoch: step / 400,
            step,
          },
        ]).flat(),
      ).replaceAll(":null", ":NaN"),
    { width: "hidden_size", rate: "base_lr", loss: "eval_loss" },
    /column step/,
  ],
  [
    "HF Trainer: the scheduled rate alone, warmed up",
    () =>
      csv(
        ["run_name", "hidden_size", "step", "learning_rate", "loss"],
        log((run, step, i) => [`run-${i}`, run.width, step, run.lr * (step === 100 ? 0.5 : 1), logOf(run, step)]),
      ),
    { width: "hidden_size", rate: "learning_rate" },
    /varies within 48 runs, a schedule/,
  ],
  [
    "MLflow: search_runs",
    () =>
      csv(
        [
          "run_id",
          "experiment_id",
          "status",
          "artifact_uri",
          "start_time",
          "end_time",
          "metrics.eval_loss",
          "params.lr",
          "params.width",
          "tags.mlflow.runName",
        ],
        rows((run, i) => [
          `a${i}f`,
          1,
          failed(run) ? "FAILED" : "FINISHED",
          `s3://b/${i}`,
          "2026-03-01 10:00:00+00:00",
          "",
          run.loss,
          run.lr,
          run.width,
          `w${run.width}`,
        ]),
        { word: "" },
      ),
    { width: "params.width", rate: "params.lr", loss: "metrics.eval_loss" },
    /4 unfinished \(FAILED\)/,
  ],
  [
    "TensorBoard: scalars of runs, width and rate added",
    () =>
      csv(
        ["run", "Wall time", "Step", "Value", "width", "lr"],
        log((run, step, i) => [`run_${i}`, 1.7e9 + i + step / 10, step, logOf(run, step), run.width, run.lr]),
      ),
    { loss: "Value" },
    /column Step/,
  ],
  [
    "TensorBoard: tags one below the other, told apart by --by",
    () =>
      csv(
        ["run", "tag", "step", "value", "width", "lr"],
        log((run, step, i) =>
          ["train/loss", "train/grad_norm"].map((tag) => [
            `run_${i}`,
            tag,
            step,
            tag === "train/loss" ? logOf(run, step) : 3 + step,
            run.width,
            run.lr,
          ]),
        ).flat(),
      ),
    { loss: "value", by: ["tag"] },
  ],
  [
    "Lightning: metrics.csv of runs, training and validation in rows of their own",
    () =>
      csv(
        ["version", "n", "base_lr", "epoch", "step", "train_loss_step", "val_loss", "lr-AdamW"],
        log((run, step, i) => [
          [`version_${i}`, run.width, run.lr, 0, step, logOf(run, step) + 0.2, "", ""],
          [`version_${i}`, run.width, run.lr, 0, step, "", logOf(run, step), ""],
          [`version_${i}`, run.width, run.lr, 0, step, "", "", run.lr],
        ]).flat(),
      ),
    { width: "n", rate: "base_lr", loss: "val_loss" },
    /column step/,
  ],
  [
    "Ray Tune: a results frame, the last iteration of each trial",
    () =>
      csv(
        [
          "trial_id",
          "loss",
          "training_iteration",
          "done",
          "date",
          "time_total_s",
          "config/lr",
          "config/width",
          "experiment_tag",
        ],
        rows((run, i) => [
          `t_${i}`,
          run.loss,
          100,
          "True",
          "2026-03-01_10-00-00",
          60 + i,
          run.lr,
          run.width,
          `${i}_lr=${run.lr}`,
        ]),
      ),
    { width: "config/width", rate: "config/lr" },
  ],
  [
    "Ray Tune: result.json of trials, every iteration",
    () =>
      lines(
        log((run, step, i) => ({
          trial_id: `t_${i}`,
          training_iteration: step / 100,
          loss: logOf(run, step),
          done: step === 400,
          config: { lr: run.lr, width: run.width },
        })),
      ).replaceAll(":null", ":NaN"),
    { width: "config.width", rate: "config.lr" },
    /column training_iteration/,
  ],
  [
    "Hydra: a multirun's table",
    () =>
      csv(
        ["job_num", "model.width", "optim.lr", "seed", "val/loss"],
        rows((run, i) => [i, run.width, run.lr, 0, run.loss]),
      ),
    { width: "model.width", rate: "optim.lr", loss: "val/loss" },
  ],
  [
    "pandas: its index without a name",
    () =>
      csv(
        ["Unnamed: 0", ...HEADER],
        rows(({ width, lr, loss }, i) => [i, width, lr, loss]),
        { word: "" },
      ),
    {},
    /4 missing/,
  ],
  [
    "pandas: records by index",
    () =>
      JSON.stringify(
        Object.fromEntries(rows(({ width, lr, loss }, i) => [i, { width, lr, loss: failed(runs[i]!) ? null : loss }])),
      ),
  ],
  [
    "pandas: orient table",
    () =>
      JSON.stringify({
        schema: {
          fields: [
            { name: "index", type: "integer" },
            { name: "width", type: "integer" },
          ],
          primaryKey: ["index"],
          pandas_version: "1.4.0",
        },
        data: rows(({ width, lr, loss }, index) => ({ index, width, lr, loss })),
      }),
  ],
  [
    "pandas: printed, with the index",
    () =>
      printed([["", ...HEADER], ...rows(({ width, lr, loss }, i) => [i, width, lr, text(loss, "NaN")])]).replace(
        /^ {14}/,
        "",
      ),
    {},
    /row labels/,
  ],
  [
    "pandas: to_markdown with the index",
    () =>
      `|    |   width |      lr |    loss |\n|---:|--------:|--------:|--------:|\n${rows(({ width, lr, loss }, i) => `| ${i} | ${width} | ${lr} | ${text(loss)} |`).join("\n")}\n`,
  ],
  [
    "tabulate: a grid",
    () =>
      `+---------+---------+--------+\n|   width |      lr |   loss |\n+=========+=========+========+\n${rows(({ width, lr, loss }) => `| ${width} | ${lr} | ${text(loss)} |\n+---------+---------+--------+`).join("\n")}\n`,
  ],
  [
    "psql",
    () =>
      ` width |   lr    |  loss\n-------+---------+--------\n${rows(({ width, lr, loss }) => `   ${width} | ${lr} | ${text(loss, "NaN")}`).join("\n")}\n(${runs.length} rows)\n`,
  ],
  ["sqlite: columns with a ruler", () => `${printed([HEADER, HEADER.map(() => "------"), ...cells(runs)])}\n`],
  [
    "R: write.table, row names without a header",
    () =>
      `${HEADER.map((name) => `"${name}"`).join(" ")}\n${rows(({ width, lr, loss }, i) => `"${i + 1}" ${width} ${lr} ${text(loss, "NA")}`).join("\n")}\n`,
    {},
    /row labels/,
  ],
  [
    "files put one after another, each with its header",
    () => WIDTHS.map((width) => csv(HEADER, cells(runs.filter((run) => run.width === width)))).join(""),
    {},
    /5 lines repeat the header/,
  ],
  [
    "Excel, German: sep=, decimal comma, Windows-1252",
    () =>
      Buffer.from(
        `sep=;\r\nBreite;Lernrate;Größe des Verlusts\r\n${rows(({ width, lr, loss }) => `${width};${comma(lr.toExponential(5).toUpperCase())};${comma(text(loss, "#ZAHL!"))}`).join("\r\n")}\r\n`,
        "latin1",
      ),
    { width: "Breite", rate: "Lernrate", loss: "Größe des Verlusts" },
    /Windows-1252/,
  ],
  [
    "Excel, French: thousands by narrow spaces",
    () =>
      `largeur;taux;perte\n${rows(({ width, lr, loss }) => `${width.toLocaleString("fr-FR")};${comma(lr.toExponential(5))};${comma(text(loss))}`).join("\n")}\n`,
    { width: "largeur", rate: "taux", loss: "perte" },
  ],
  [
    "Excel, American: thousands in quotes, a mark, 3.16E-05",
    () =>
      `\uFEFFWidth,LR,Loss\r\n${rows(({ width, lr, loss }) => `"${width.toLocaleString("en-US")}",${lr.toExponential(5).toUpperCase()},${text(loss, "#NUM!")}`).join("\r\n")}\r\n`,
    { width: "Width", rate: "LR", loss: "Loss" },
    /4 diverged \(#NUM!\)/,
  ],
  [
    "Excel: Unicode text",
    () => utf16(csv(["Width", "LR", "Loss"], cells(runs), { separator: "\t" }).replaceAll("\n", "\r\n")),
    { width: "Width", rate: "LR", loss: "Loss" },
  ],
  [
    "Excel: empty rows and columns around",
    () =>
      `${csv(
        [...HEADER, "", ""],
        rows(({ width, lr, loss }) => [width, lr, loss, "", ""]),
      )},,,,\n,,,,\n`,
  ],
  [
    "perplexities with thousands, spaces after numbers",
    () =>
      csv(
        ["width", "lr", "ppl"],
        rows(({ width, lr, loss }) => [
          `${width} `,
          `${lr}  `,
          failed(runs[0]!) || Number.isNaN(loss)
            ? "inf"
            : `"${(1000 * loss).toLocaleString("en-US", { maximumFractionDigits: 6 })}"`,
        ]),
      ),
    { loss: "ppl" },
  ],
  [
    "accuracies in per cent",
    () =>
      csv(
        ["width", "lr", "acc"],
        rows(({ width, lr, loss }) => [width, lr, Number.isNaN(loss) ? "0.0%" : `${(100 - 30 * loss).toFixed(6)}%`]),
      ),
    { loss: "acc", goal: "max" },
  ],
  [
    "mixed case words",
    () =>
      csv(
        HEADER,
        rows(({ width, lr, loss }, i) => [width, lr, text(loss, ["NaN", "DIVERGED", "Inf", "nan"][i % 4]!)]),
      ),
    {},
    /4 diverged/,
  ],
  [
    "names as seeds, with a dash",
    () =>
      csv(
        [...HEADER, "Seed"],
        rows(({ width, lr, loss }) => [width, lr, loss, "seed-A"]),
      ),
  ],
  [
    "a column that says which runs diverged, losses of which are finite",
    () =>
      csv(
        [...HEADER, "diverged"],
        rows(({ width, lr, loss }) => [
          width,
          lr,
          Number.isNaN(loss) ? 0.9 : loss,
          Number.isNaN(loss) ? "True" : "False",
        ]),
      ),
    {},
    /4 diverged.*column diverged/,
  ],
  [
    "one column a width, after a word",
    () =>
      csv(
        ["lr", ...WIDTHS.map((n) => `eval_loss (d=${n})`)],
        byRate.map(({ lr, losses }) => [lr, ...losses]),
      ),
    { wide: "width", wideColumns: "d=(\\d+)" },
  ],
  [
    "one column a rate",
    () =>
      csv(
        ["width", ...byRate.map(({ lr }) => `lr=${lr}`)],
        WIDTHS.map((n, i) => [n, ...byRate.map(({ losses }) => losses[i]!)]),
      ),
    { wide: "rate" },
  ],
  [
    "one column a width, in Markdown, best in bold, failures as dashes",
    () =>
      `| lr | ${WIDTHS.join(" | ")} |\n|---|${WIDTHS.map(() => "---:").join("|")}|\n${byRate.map(({ lr, losses }) => `| ${lr} | ${losses.map((loss) => (loss < 1.0005 ? `**${loss}**` : text(loss, "—"))).join(" | ")} |`).join("\n")}\n`,
    { wide: "width" },
  ],
  [
    "a log that stops early where it diverges",
    () =>
      csv(
        ["epoch", "width", "lr", "loss"],
        log((run, step) => [step / 100, run.width, run.lr, logOf(run, step)]).filter(
          ([, , , loss]) => !Number.isNaN(loss!),
        ),
      ),
    {},
    /4 unfinished \(stopped early\)/,
  ],
  [
    "U+2212 in exponents and tabs",
    () =>
      csv(
        HEADER,
        rows(({ width, lr, loss }) => [width, lr.toExponential(5).replace("-", "−"), loss]),
        { separator: "\t" },
      ),
  ],
  [
    "the same rows twice, with run names",
    () =>
      csv(
        ["run_id", ...HEADER],
        [
          ...rows((run, i) => [`r${i}`, run.width, run.lr, run.loss]),
          ...rows((run, i) => [`r${i}`, run.width, run.lr, run.loss]),
        ],
      ),
    {},
    /48 rows are copies/,
  ],
]

describe("read right: the interval is that of the clean table, or nearly", () => {
  test.each(KINDS)("%s", async (_name, content, options = {}, says = /./s) => {
    const { fits, read } = await fitted(content(), options)
    const { low, high, identified } = (fits.find(({ group }) => group === "train/loss") ?? fits[0])!
    expect(identified).toBe(true)
    expect([low! < -0.5, high! > -0.5]).toEqual([true, true])
    expect(high! - low!).toBeLessThan(2 * (clean.fits[0]!.high! - clean.fits[0]!.low!))
    if (read !== "") expect(read).toMatch(says)
    else expect(says.source).toBe(".")
  })
})

describe("refused, with the place and what to do", () => {
  test.each<[string, () => string, RegExp, Options?]>([
    [
      "widths with units",
      () =>
        csv(
          HEADER,
          rows(({ width, lr, loss }) => [`${width / 1024}k`, lr, loss]),
        ),
      /line 2, column width: got "0.25k"/,
    ],
    [
      "a rate as a power",
      () =>
        csv(
          HEADER,
          rows(({ width, lr, loss }) => [width, `10^${Math.log10(lr)}`, loss]),
        ),
      /line 2, column lr: got "10\^-5"/,
    ],
    [
      "a loss with a unit",
      () =>
        csv(
          HEADER,
          rows(({ width, lr, loss }) => [width, lr, `${loss} nats`]),
        ),
      /line 2, column loss: got .* nats"/,
    ],
    [
      "per cent in some cells alone",
      () =>
        csv(
          ["width", "lr", "acc"],
          rows(({ width, lr, loss }, i) => [width, lr, i % 2 ? `${75 - loss}%` : 0.75]),
        ),
      /column acc.*%/,
      { loss: "acc", goal: "max" },
    ],
    ["a title above the header", () => `Results of the sweep,,\n,,\n${csv(HEADER, cells(runs))}`, /header/],
    [
      "two header lines of a pivot",
      () => `,loss,loss,loss\nwidth,256,512,1024\nlr,,,\n1e-3,1,2,3\n`,
      /"loss".*names that differ/,
    ],
    ["a frame of values without names", () => JSON.stringify(cells(runs)), /--width: got "width"/],
    [
      "tags that would be pooled",
      () =>
        csv(
          ["run", "tag", "step", "value", "width", "lr"],
          log((run, step, i) =>
            ["train/loss", "eval/loss"].map((tag) => [`run_${i}`, tag, step, logOf(run, step), run.width, run.lr]),
          ).flat(),
        ),
      /tag.*--by/,
      { loss: "value" },
    ],
    [
      "a LaTeX table",
      () =>
        `\\begin{tabular}{lll}\nwidth & lr & loss \\\\\n${rows(({ width, lr, loss }) => `${width} & ${lr} & ${text(loss)} \\\\`).join("\n")}\n\\end{tabular}\n`,
      /a table with a header|--width/,
    ],
    ["a mean below the rows", () => `${csv(HEADER, cells(runs))}mean,,1.1\n`, /line 50, column lr: got ""/],
    [
      "a rate that is its logarithm",
      () =>
        csv(
          HEADER,
          rows(({ width, lr, loss }) => [width, Math.log10(lr), loss]),
        ),
      /line 2, column lr: got "-5".*logarithm/,
    ],
    [
      "W&B: a chart's export, a column a run",
      () => csv(["Step", "run-1 - train/loss", "run-2 - train/loss"], [[1, 2, 3]]),
      /--width: got "width"/,
    ],
  ])("%s", async (_name, content, says, options = {}) => {
    await expect(fitted(content(), options)).rejects.toThrow(says)
  })
})
