/**
 * A sweep of fine-tunings by both engines: how far the losses of all steps are from each other, and where each has its
 * best rate.
 *
 *     npm run compare:engines -- examples/real/engines.yaml
 *
 * Exits 1 where losses differ by more than 1e-4 of themselves at a rate up to the best one, or a best rate by more than
 * a step of the grid. Beyond the best rate runs come near to diverging, and rounding grows with every step.
 */
import { Command } from "commander"
import { InputError } from "../src/inputError.js"
import { renderTable } from "../src/report/table.js"
import { plan } from "../src/sweep/plan.js"
import { rateGrid } from "../src/sweep/rates.js"
import { readConfig } from "../src/sweep/readConfig.js"
import { groupsOf } from "../src/table/groups.js"
import type { TuningEngineName } from "../src/train/tuning/engine.js"
import { runTuning, type TuningResult } from "../src/train/tuning/run.js"
import { runScript } from "./command.js"

/** How far losses of one step may be from each other, in parts of them. */
const CLOSE = 1e-4

/** A run by both engines. */
interface Pair {
  readonly curve: string
  readonly rate: number
  readonly graph: TuningResult
  readonly torch: TuningResult
}

async function compare(file: string): Promise<number> {
  const config = await readConfig(file)
  if (config.experiment !== "finetune" || Array.isArray(config.rates))
    throw new InputError({
      field: "config",
      given: file,
      allowed: "a sweep of fine-tunings over a grid of rates",
      example: "examples/real/engines.yaml",
    })
  const runsBy = async (engine: TuningEngineName) => {
    const own = plan({ ...config, engine }).first
    const results: TuningResult[] = []
    for (const { task } of own)
      if (task.kind === "finetune") results.push(await runTuning(task.config, task.files, task))
    return { own, results }
  }
  const [graph, torch] = [await runsBy("graph"), await runsBy("torch")]
  const pairs = graph.own.flatMap(({ task, config: { scheme } }, i): Pair[] =>
    task.kind === "finetune"
      ? [
          {
            curve: `${scheme}, width ${task.config.width}, seed ${task.config.seed}`,
            rate: task.config.rates.A > 0 ? task.config.rates.A : task.config.rates.B,
            graph: graph.results[i]!,
            torch: torch.results[i]!,
          },
        ]
      : [],
  )
  const grid = rateGrid(config.rates)
  const curves = [...groupsOf(pairs, ({ curve }) => curve)].map(([curve, own]) => judged(curve, own, grid))
  process.stdout.write(renderTable({ columns: COLUMNS, rows: pairs.map(row) }, "text"))
  process.stdout.write(`\n${curves.map(({ text }) => `${text}\n`).join("")}`)
  return curves.every(({ isEqual }) => isEqual) ? 0 : 1
}

const COLUMNS = ["run", "rate", "steps", "largest difference of a loss", "perplexity graph", "torch"]

function row({ curve, rate, graph, torch }: Pair): (string | number)[] {
  const numbers = [
    difference({ graph, torch }).toExponential(1),
    graph.metric.toPrecision(7),
    torch.metric.toPrecision(7),
  ]
  return [curve, rate.toPrecision(3), graph.losses.length, ...numbers]
}

/** The largest difference of a step's losses, in parts of them; infinite where only one engine diverged. */
function difference({ graph, torch }: Pick<Pair, "graph" | "torch">): number {
  if (graph.losses.length !== torch.losses.length) return Number.POSITIVE_INFINITY
  return graph.losses.reduce((most, loss, i) => Math.max(most, Math.abs(torch.losses[i]! / loss - 1)), 0)
}

/** What the runs of one scheme, width and seed say. */
function judged(curve: string, own: readonly Pair[], grid: readonly number[]): { text: string; isEqual: boolean } {
  const best = (engine: "graph" | "torch") =>
    own.reduce((least, pair) =>
      pair[engine].metric < least[engine].metric || Number.isNaN(least[engine].metric) ? pair : least,
    ).rate
  const [ours, theirs] = [best("graph"), best("torch")]
  const place = (rate: number) => grid.findIndex((each) => Math.abs(each / rate - 1) < CLOSE)
  const apart = Math.abs(place(ours) - place(theirs))
  const calm = own.filter(({ rate }) => rate <= Math.min(ours, theirs))
  const most = Math.max(...calm.map(difference))
  return {
    isEqual: apart <= 1 && most <= CLOSE,
    text: `${curve}: best rate ${ours.toPrecision(3)} by graph, ${theirs.toPrecision(3)} by torch, ${apart} steps of the grid apart; up to it losses of ${own[0]!.graph.losses.length} steps differ by ${most.toExponential(1)} of themselves at most`,
  }
}

await runScript(
  new Command("compare:engines")
    .description("A sweep of fine-tunings by both engines: how far losses are from each other, and the best rates.")
    .argument("[file]", "the sweep", "examples/real/engines.yaml")
    .action(async (file: string) => {
      process.exitCode = await compare(file)
    }),
)
// The worker of the engine torch would wait for more.
process.exit()
