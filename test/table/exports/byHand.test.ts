/** Tables as people write them, by hand or by a script of their own. */
import { csv, WIDTHS } from "../made.js"
import { readRight } from "./readRight.js"
import { failed, HEADER, type Kind, log, logOf, rows, runs, text } from "./sweep.js"

const byRate = [...new Set(runs.map(({ lr }) => lr))].map((lr) => ({
  lr,
  losses: runs.filter((run) => run.lr === lr).map(({ loss }) => loss),
}))

const KINDS: Kind[] = [
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

readRight(KINDS)
