/** Options that several commands share, as commander takes them. */
import { type Command, Option } from "commander"

/** Collects an option that is given once a value, so that what follows it stays an argument. */
export const listed = (value: string, before: readonly string[] = []) => [...before, value]

/** How tables are printed. */
export const format = () => new Option("--format <format>", "text, markdown, latex or csv").default("text")

/** Values of a scheme's symbols. */
export const setting = () =>
  new Option("--set <symbol=value...>", "values of the scheme's symbols, for instance c=-1/2").default([])

/** The optimiser, in place of the scheme's own; under either spelling. */
export const optimiser = () =>
  new Option(
    "--optimizer, --optimiser <name>",
    "adam, sign, sgd, momentum, lion, muon (raw), muon-original, muon-match-rms-adamw, scaled-sgd, scaled-adam, lora-rite or another of the list that a wrong name is answered with (default: the scheme's own, adam if it names none)",
  )

/** The loss, in place of the scheme's own. */
export const loss = () =>
  new Option(
    "--loss <name>",
    "linear, the theory's, or squared, whose gradient is the residual (default: the scheme's own)",
  )

/** Samples in a batch, in place of the scheme's own. */
export const batch = () =>
  new Option("--batch <samples>", "samples in a batch (default: the scheme's own, 1 if it names none)")

/** The bound of the gradients' norm. */
export const clip = () =>
  new Option(
    "--clip <exponent>",
    "clip the joint norm of all gradients to n^exponent; 0 is max_grad_norm = 1 (default: the scheme's own, none if it names none)",
  )

/** How many threads work. */
export const workers = () =>
  new Option("--workers <count>", "threads; 0 works on the calling thread (default: one per core)")

/** What computes. */
export const backend = () =>
  new Option(
    "--backend <name>",
    "cpu, gpu, graph (ONNX Runtime), or auto: a graphics card where there is one (default: cpu)",
  )

/** The device of the graph engine. */
export const device = () =>
  new Option("--device <name>", "with --backend graph: cpu, or another that `devices` lists (default: cpu)")

/**
 * Columns of a table of LoRA runs for `reproduce`, unless others are named; the family is the model's name up to its
 * first digit or sign.
 */
export const LORA_TABLE = {
  width: "hidden_size",
  rate: "learning_rate",
  loss: "test_nll",
  by: ["rank"],
  model: "model",
  family: "^(?:[^/]+/)?([A-Za-z]+)",
}

/** How a table of sizes recorded in a model is to be read. */
export const recordedOptions = (definition: Command) =>
  definition
    .option("--measured <file>", "a table of sizes recorded in a model of your own, in place of runs of this program")
    .option("--map <file>", "a YAML file that names the quantity of each module: '*.lora_A': zA")
    .option("--updates <count>", "how many updates the first recorded step had seen")
    .option("--module <column>", "column of the module (default: module, layer, name, …)")
    .option("--value <column>", "column of the size (default: value, l1, rms, …)")
    .option("--width <column>", "column of the width", "width")
    .option("--step <column>", "column of the step; none: there is none (default: step, t, … if there is one)")
    .option("--seed <column>", "column of the seed", "seed")
    .option("--by <column...>", "tell rows apart by these columns too", [])
    .option("--pool <column...>", "columns that do not matter: rows that differ in them alone are repetitions", [])
    .option("--wide <what>", "width: each column whose name holds a number is one width")
    .option("--wide-columns <pattern>", "which columns those are: '^w=(\\d+)$'")
    .option("--separator <name>", "comma, semicolon, tab or bar (default: told by the file)")
    .option("--decimal <name>", "point or comma (default: told by the numbers)")
    .option("--table, --table-name <name>", "which table of a DuckDB file that has several")

/** How a user's table is to be read. */
export const tableOptions = (
  definition: Command,
  usual: Partial<typeof LORA_TABLE> = {},
  tableName = "--table, --table-name <name>",
) =>
  definition
    .option("--width <column>", "column of the width", usual.width ?? "width")
    .option("--rate <column>", "column of the learning rate: fit the rate of least loss", usual.rate)
    .option("--loss <column>", "column of the loss, or with --goal max of a score", usual.loss)
    .option("--goal <goal>", "which losses are better: min, or max for scores such as accuracies (default: min)")
    .option("--seed <column>", "column of the seed; seeds may be names", "seed")
    .option("--by <column...>", "fit each combination of these columns", usual.by ?? [])
    .option("--pool <column...>", "columns that do not matter: rows that differ in them alone are repetitions", [])
    .option("--model <column>", "column of the model: each model has a loss curve of its own", usual.model)
    .option(
      "--family <column|pattern>",
      "fit each family: a column, or a pattern over --model such as '^[^/]+/([A-Za-z]+)'",
      usual.family,
    )
    .option("--edge <share>", "a run within the stability edge ends at most this share above the least loss", "0.02")
    .option("--quantity <name>", "only rows whose column `quantity` has this value")
    .option(
      "--step <column>",
      "column of the step, where runs have several rows; none: there is none (default: step, _step, global_step, t, epoch, … if there is one)",
    )
    .option(
      "--run <column>",
      "column that names the run of each row (default: run_name, run_id, Name, … if there is one)",
    )
    .option("--at <which>", "of a run with several rows: last, best, or mean:k of the last k values", "last")
    .option(
      "--state <column>",
      "column that says how a run ended (default: state, status or outcome, if its words are known)",
    )
    .option("--diverged <word...>", "more words for a run that diverged; empty stands for an empty cell")
    .option("--unfinished <word...>", "more words for a run that was ended early")
    .option("--missing <word...>", "more words for a value that was not written down")
    .option("--finished <word...>", "more words for a run whose value counts")
    .option("--wide <what>", "width or rate: each column whose name holds a number is one width, or rate")
    .option(
      "--wide-columns <pattern>",
      "which columns those are; the number is the pattern's first group: '^w=(\\d+)$'",
    )
    .option("--separator <name>", "comma, semicolon, tab or bar (default: told by the file)")
    .option("--decimal <name>", "point or comma (default: told by the numbers)")
    .option(tableName, "which table of a DuckDB file that has several")
