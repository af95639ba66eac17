import { Command, CommanderError, Option } from "commander"
import { HubFailure } from "../checkpoint/hub/failure.js"
import { Underivable } from "../derive/underivable.js"
import { InputError } from "../inputError.js"
import { LaunchFailure } from "../launch/launcher.js"
import { packageVersion } from "../packageFile.js"
import type { CheckCommandOptions } from "./check.js"
import type { DeriveOptions } from "./derive.js"
import type { DevicesOptions } from "./devices.js"
import type { EnginesOptions } from "./engines.js"
import { EXAMPLES } from "./examples.js"
import type { ExploreOptions } from "./explore.js"
import type { FetchCommandOptions } from "./fetch.js"
import type { FitOptions } from "./fit.js"
import type { InspectOptions } from "./inspect.js"
import { interruption } from "./interruption.js"
import type { LaunchCommandOptions } from "./launch.js"
import type { MergeOptions } from "./merge.js"
import type { ProveOptions } from "./prove.js"
import type { ReproduceOptions } from "./reproduce.js"
import type { SchemesOptions } from "./schemes.js"
import {
  backend,
  batch,
  clip,
  device,
  format,
  LORA_TABLE,
  listed,
  loss,
  optimiser,
  recordedOptions,
  setting,
  tableOptions,
  workers,
} from "./sharedOptions.js"
import type { SweepCommandOptions } from "./sweep.js"
import type { TrainOptions } from "./train.js"
import type { TransferOptions } from "./transfer.js"
import type { VerifyOptions } from "./verify/verification.js"

const program = new Command("lora-scaling")
  .description("Scaling exponents of LoRA fine-tuning: derived exactly, measured with intervals, and compared.")
  .version(packageVersion())
  .exitOverride()
  .addHelpText(
    "after",
    "\nExit codes: 0 done, 1 a claim was contradicted (by `reproduce`: without a named cause), 2 bad input, 130 interrupted.",
  )

/** A command whose action returns the exit code. */
function command<T extends unknown[]>(definition: Command, action: (...given: T) => Promise<number>): void {
  withExamples(definition)
    .option("--json", "print JSON (its schema is in the package)")
    .exitOverride()
    .action(async (...given) => {
      process.exitCode = await action(...(given as unknown as T))
    })
}

/** Ends a command's help with its examples. */
function withExamples(definition: Command): Command {
  const examples = (EXAMPLES[definition.name()] ?? []).map((words) => `  lora-scaling ${words}`)
  return definition.addHelpText("after", `\nExamples:\n${examples.join("\n")}`)
}

command(
  program
    .command("derive <scheme>")
    .description("exponents per step and for all t; stability, efficiency, largest rate")
    .addOption(setting())
    .option(
      "--free <symbol...>",
      "leave these symbols free: o (readout), rho (rank), s (multiplier), d (input width)",
      [],
    )
    .option("--level <level>", "what stable means in efficient: features or output", "features")
    .option(
      "--align <parts=exponent>",
      "how a sum of two parts grows, n^exponent: A',Z=3/4; may be repeated",
      listed,
      [],
    )
    .option("--steps <count>", "how many steps to list", "5")
    .option(
      "--why <what>",
      "how a statement's inequalities or a quantity's exponents come about: stable, efficient, zB, f",
    )
    .option("--from <t>", "ask for feature learning and efficiency from this step (default: the end of the transient)")
    .option("--stable-includes-za", "let efficient require zA = O(1) too, as LoRA+ does")
    .addOption(optimiser())
    .addOption(loss())
    .addOption(batch())
    .addOption(clip())
    .addOption(format()),
  async (name: string, options: DeriveOptions) => (await import("./derive.js")).deriveCommand(name, options),
)
command(
  program
    .command("schemes [name]")
    .description("the catalogue: each scheme with its largest rate; all that is derived of one, by its name")
    .option("--wide", "every bound and source, a row a scheme")
    .addOption(format()),
  async (name: string | undefined, options: SchemesOptions) =>
    (await import("./schemes.js")).schemesCommand(name, options),
)
command(
  program
    .command("prove [theorem...]")
    .description(
      "theorems (by name, or a .json file) before independent checkers; with --scheme, a claim: proven or refuted",
    )
    .option(
      "--checker <name>",
      "kernel, z3, cvc5, or all that are installed (default: kernel); may be repeated",
      listed,
    )
    .option("--fresh", "ask solvers again, also where they judged the same text before")
    .option("--scheme <scheme>", 'the scheme of a claim such as "zB <= 0 for all t iff c <= -1/2"')
    .option("--set <symbol=value>", "a value of one of the scheme's symbols; may be repeated", listed, [])
    .option("--free <symbol>", "leave a symbol of the scheme free: o, rho, s or d; may be repeated", listed, [])
    .addOption(optimiser())
    .option("--proof", "print the proof as numbered steps (Markdown, or --format latex)")
    .addOption(format()),
  async (given: string[], options: ProveOptions) => (await import("./prove.js")).proveCommand(given, options),
)
command(
  program
    .command("train <scheme>")
    .description("one run in the theory's setting, its coordinates step by step")
    .requiredOption("--width <n>", "the width")
    .option("--rank <r>", "the rank", "4")
    .option("--steps <count>", "training steps", "5")
    .option("--seed <seed>", "the seed", "1")
    .addOption(setting())
    .option("--lr <rate>", "one learning rate as a number, in place of n^c")
    .option("--lr-a <rate>", "the rate of A as a number")
    .option("--lr-b <rate>", "the rate of B as a number")
    .addOption(optimiser())
    .addOption(loss())
    .addOption(batch())
    .addOption(clip())
    .option(
      "--precision <format>",
      "read the program in float64, float32, bfloat16, float16 or e4m3, and count roundings",
    )
    .option(
      "--in <part=format...>",
      "another format for weights, activations, gradients, state or a tensor by name: weights=float32 zA=float64",
      [],
    )
    .option("--accumulator <format>", "format of the partial sums of products, or same (default: float32)")
    .option("--rounding <mode>", "nearest or stochastic (default: nearest)")
    .option("--overflow <rule>", "special (infinity, in e4m3 NaN) or saturate (default: special)")
    .option(
      "--loss-scale <scale>",
      "a number, or dynamic: halved on overflow, doubled after 2000 good steps (default: 1)",
    )
    .addOption(backend())
    .addOption(device())
    .addOption(format()),
  async (name: string, options: TrainOptions) => (await import("./train.js")).trainCommand(name, options),
)
command(
  program
    .command("sweep <config>")
    .description("the runs of a YAML or JSON file, on all cores, into a store; resumable")
    .option("--store <file>", "the DuckDB file of finished runs; the same command again goes on from it")
    .option("--shard <i/N>", "only the i-th of N disjoint parts; put the stores together with merge")
    .option("--out <path>", "write the table of results: a .parquet or .csv file, or a folder for both")
    .option("--plan", "say how many runs there are and what they take, and stop; needs no store")
    .addOption(backend())
    .addOption(workers()),
  async (path: string, options: SweepCommandOptions) => (await import("./sweep.js")).sweepCommand(path, options),
)
command(
  program
    .command("launch <where> <config> [words...]")
    .description("a sweep as an array of tasks: on a Slurm cluster (slurm) or on this machine (local); resumable")
    .requiredOption("--array <count>", "how many tasks, each with a shard of the runs and a store of its own")
    .requiredOption("--store <file>", "the DuckDB file that gets all runs; the same command again goes on from it")
    .option("--out <path>", "write the table of results: a .parquet or .csv file, or a folder for both")
    .option("--cpus <count>", "threads of a task", "1")
    .option("--at-once <count>", "how many tasks may run at once (default: as Slurm has room, or one a core)")
    .option("--dry-run", "print the scripts, or the commands, and stop")
    .option("--no-wait", "submit to Slurm and stop; the same command again watches, resumes and merges")
    .option("--time <limit>", "Slurm: time limit of a task, 2:00:00; what it has stored by then is kept")
    .option("--gpus <count>", "Slurm: graphics cards of a task, 1 or a100:1")
    .option("--memory <size>", "Slurm: memory of a task, 16G")
    .option("--partition <name>", "Slurm: the partition")
    .option("--account <name>", "Slurm: the account")
    .addHelpText("after", "\nWords after -- go to sbatch as they are: -- --qos=long --constraint=h100"),
  async (where: string, path: string, words: string[], options: LaunchCommandOptions) =>
    (await import("./launch.js")).launchCommand(where, path, words, options),
)
command(
  program
    .command("merge <store...>")
    .description("put the runs of several stores into one")
    .requiredOption("--store <file>", "the store that gets them; it may have runs already"),
  async (paths: string[], options: MergeOptions) => (await import("./merge.js")).mergeCommand(paths, options),
)
command(
  tableOptions(
    program
      .command("fit <file>")
      .description(
        "exponents of a table (CSV, JSON, Markdown, Parquet, DuckDB): a size, or the optimal rate, against width",
      )
      .option("--value <column>", "column of the size", "value"),
  ).addOption(format()),
  async (path: string, options: FitOptions) => (await import("./fit.js")).fitCommand(path, options),
)
command(
  program
    .command("inspect <path...>")
    .description(
      "what happened in a fine-tuning run, told from its files: PEFT, kohya, diffusers or GGUF adapters, folders of checkpoints or of runs",
    )
    .option(
      "--base <path>",
      "the base model (.safetensors, an index of shards, .gguf or its folder): sizes beside W, names",
    )
    .option("--modules", "print a row a module too")
    .option("--pickle", "read adapter_model.bin and .pt files too: parsed for numbers, never run")
    .option("--html <file>", "write a page with figures")
    .option("--table <file>", "write a CSV with a row a run, checkpoint, module and quantity, for fit and check")
    .addOption(workers())
    .addOption(format()),
  async (paths: string[], options: InspectOptions) => (await import("./inspect.js")).inspectCommand(paths, options),
)
command(
  tableOptions(
    program
      .command("transfer")
      .description(
        "a good rate moved to another width, rank, alpha, ratio, scheme or optimiser: the answer in words first",
      )
      .option("--scheme <scheme>", "the scheme whose bound is used", "init-a")
      .option("--to-scheme <scheme>", "the scheme to move it to (default: the same)")
      .requiredOption("--lr <rate>", "a good rate at the first width; with a ratio, that of A")
      .requiredOption(
        "--from-width <n>",
        "the width that it is good at; of a layer whose input has another, the output's",
      )
      .option("--to-width <n>", "the width to move it to (default: the same)")
      .option("--from-input-width <n>", "the input width of the layer (default: the width)")
      .option("--to-input-width <n>", "the input width to move it to (default: the same)")
      .option("--from-rank <r>", "the rank that it is good at")
      .option("--to-rank <r>", "the rank to move it to (default: the same)")
      .option("--from-alpha <alpha>", "lora_alpha (default: what B A is multiplied by stays)")
      .option("--to-alpha <alpha>", "lora_alpha to move it to (default: the same)")
      .option(
        "--convention <name>",
        "what B A is multiplied by: alpha/r, alpha/sqrt(r) or none, alpha itself (default: the scheme's, or alpha/r)",
      )
      .option("--to-convention <name>", "the same after the move, for instance with use_rslora (default: the same)")
      .option("--from-ratio <ratio>", "the rate of B over that of A, loraplus_lr_ratio (default: 1)")
      .option("--to-ratio <ratio>", "the ratio to move it to (default: the same)")
      .option("--level <level>", "what is kept bounded: features or output", "features")
      .addOption(setting())
      .addOption(optimiser())
      .addOption(new Option("--to-optimizer, --to-optimiser <name>", "the optimiser to move it to (default: the same)"))
      .option("--peft", "print PEFT's LoraConfig and the optimiser's arguments too")
      .option("--held <rate>", "a rate at the first width that is known to train stably")
      .option("--failed <rate>", "a rate at the first width that is known to diverge")
      .option(
        "--fit <file>",
        "a table or store of losses against rates, for the observed slope; its columns as for fit",
      )
      .option("--group <name>", "the group of the table to use, as fit names it"),
  ).addOption(format()),
  async (options: TransferOptions) => (await import("./transfer.js")).transferCommand(options),
)
command(
  program
    .command("verify [claim...]")
    .description(
      "derived against measured, a verdict each; a section of the report by its name, such as teacher-student; theory-wide, overflow [case...]: experiments of their own",
    )
    .option("--full", "a section of the report at its full size, not the quick one")
    .option("--seeds <count>", "seeds per width (default: 64)")
    .option("--budget <time>", "spend about this long, for instance 60s: as many seeds as fit")
    .option("--store <file>", "keep runs in this DuckDB file and resume from it", ":memory:")
    .addOption(backend())
    .addOption(device())
    .addOption(workers())
    .addOption(format()),
  async (names: string[], options: VerifyOptions) => (await import("./verify.js")).verifyCommand(names, options),
)
command(
  recordedOptions(
    program
      .command("check [scheme]")
      .description("coordinate check: every quantity and alignment of a scheme, derived and measured, a verdict each")
      .option("--all", "every scheme of the catalogue, each at its own example")
      .addOption(setting())
      .addOption(optimiser())
      .addOption(loss())
      .addOption(batch())
      .addOption(clip())
      .option("--seeds <count>", "seeds per width (default: 32)")
      .option("--store <file>", "keep runs in this DuckDB file and resume from it", ":memory:")
      .option("--figure <file>", "draw sizes against width to this SVG file")
      .addOption(workers())
      .addOption(backend())
      .addOption(device()),
  ).addOption(format()),
  async (name: string | undefined, options: CheckCommandOptions) =>
    (await import("./check.js")).checkCommand(name, options),
)
command(
  program
    .command("devices")
    .description(
      "what --backend gpu and --backend graph find here: graphics cards, their limits, providers, and what is missing",
    )
    .addOption(format()),
  async (options: DevicesOptions) => (await import("./devices.js")).devicesCommand(options),
)
command(
  program
    .command("engines")
    .description(
      "what fine-tunes pretrained models: the engines that are installed, what is missing, how to install it",
    )
    .addOption(format()),
  async (options: EnginesOptions) => (await import("./engines.js")).enginesCommand(options),
)
command(
  program
    .command("fetch <name...>")
    .description(
      "models or data sets of the Hugging Face hub, by their names, into the cache that its own tools have too; every file checked",
    )
    .option("--dataset", "the names are of data sets")
    .option(
      "--files <path...>",
      "these files alone, * for any text; by default safetensors, JSON and tokenizer of a model, tables and texts of a data set; pickles and scripts by their full names alone",
    ),
  async (names: string[], options: FetchCommandOptions) => (await import("./fetch.js")).fetchCommand(names, options),
)
command(
  tableOptions(
    program
      .command("reproduce")
      .description("every experiment into one report: HTML, Markdown, LaTeX, figures, numbers; resumable")
      .option("--quick", "small budgets, minutes (the default)")
      .option("--full", "large budgets, hours")
      .option("--budget <k>", "times the seeds of the size", "1")
      .option("--only <id...>", "only these sections")
      .option("--table <file>", "a table of your own runs, for the section on real runs; its columns as below")
      .option("--real-family <folder>", "what a sweep of examples/real/family.yaml wrote; by default the kept tables")
      .option("--real-encoder <folder>", "what a sweep of examples/real/encoder.yaml wrote; likewise")
      .option("--real-decoder <folder>", "with text and arithmetic of sweeps of examples/real/decoder-*.yaml; likewise")
      .option("--out <folder>", "the report's folder", "report")
      .option("--store <file>", "the DuckDB file of finished runs (default: <out>.duckdb)")
      .addOption(backend())
      .addOption(device())
      .addOption(workers()),
    LORA_TABLE,
    // Here --table names the file.
    "--table-name <name>",
  ),
  async (options: ReproduceOptions) => (await import("./reproduce.js")).reproduceCommand(options),
)

withExamples(program.command("explore"))
  .description("the explorer in a browser, served on this machine: phase diagrams, training, rates; nothing leaves it")
  .option("--port <port>", "the port; 0 takes one that is free", "4380")
  .exitOverride()
  .action(async (options: ExploreOptions) => {
    process.exitCode = await (await import("./explore.js")).exploreCommand(options)
  })

// A reader that has enough (`| head`) is no failure: the command goes on to its own exit code.
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  if (error.code !== "EPIPE") throw error
})

process.once("SIGINT", () => interruption.abort(new Error("interrupted")))

/** What is said in a line: bad input, and what keeps a command from its work. */
function isTold(error: unknown): error is Error {
  return [InputError, Underivable, LaunchFailure, HubFailure].some((kind) => error instanceof kind)
}

try {
  await program.parseAsync()
} catch (error) {
  if (interruption.signal.aborted) {
    process.stderr.write("interrupted; what was finished is kept\n")
    process.exitCode = 130
  } else if (isTold(error)) {
    process.stderr.write(`error: ${error.message}\n`)
    process.exitCode = 2
  } else if (error instanceof CommanderError) process.exitCode = error.exitCode === 0 ? 0 : 2
  else throw error
}
