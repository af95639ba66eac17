/** Runs of schemes as fused loops beside the reference interpreter: processor time of each, sizes equal first. */
import { markdownTable } from "markdown-table"
import { schemeNamed } from "../src/scheme/catalogue.js"
import { type SchemeDefinition, scheme } from "../src/scheme/scheme.js"
import { fusedProgram } from "../src/train/fused/runFused.js"
import { type RunResult, run } from "../src/train/run.js"

const [RANK, STEPS] = [4, 3]

/** The schemes of the table: one layer, two, six, and a block of each kind. */
const SCHEMES: readonly SchemeDefinition[] = [
  ...["init-a", "two-layers-init-a"].map(schemeNamed),
  {
    ...schemeNamed("two-layers-init-a"),
    name: "six-layers-init-a",
    network: { layers: 6, activation: "relu", residual: false },
  },
  ...["llama-block/init-a", "bert-block/init-a"].map(schemeNamed),
]

/** Prints a table: milliseconds of processor time a run. */
export function benchSchemes(
  { widths, seeds }: { readonly widths: readonly number[]; readonly seeds: number },
  say: (line: string) => void,
): void {
  say(`${STEPS} steps, r = ${RANK}, ${seeds} runs each; processor time of all threads, garbage collection in it\n`)
  const rows = SCHEMES.flatMap((definition) => {
    const ready = scheme(definition, definition.example ?? {})
    const fused = fusedProgram(ready, RANK)
    return widths.map((width) => {
      const config = { width, rank: RANK, steps: STEPS }
      const all = Array.from({ length: seeds }, (_, i) => i + 1)
      const loops = (of: readonly number[]) => fused?.runs(config, of) ?? []
      const interpreted = (of: readonly number[]) => of.map((seed) => run(ready, { ...config, seed }))
      const apart = difference(loops([1])[0]!, interpreted([1])[0]!)
      if (!(apart < 1e-9)) throw new Error(`${definition.name}, n = ${width}: sizes apart by ${apart}`)
      const [here, there] = [loops, interpreted].map((runs) => processorTime(() => runs(all)) / seeds)
      return [definition.name, String(width), here!.toPrecision(3), there!.toPrecision(3), (there! / here!).toFixed(1)]
    })
  })
  const head = ["scheme", "n", "fused loops", "reference interpreter", "ratio"]
  say(markdownTable([head, ...rows], { align: ["l", "r", "r", "r", "r"] }))
}

/** The largest difference of a mean square over the mean square. */
function difference(own: RunResult, other: RunResult): number {
  return Math.max(
    ...own.history.flatMap(({ meanSquares }, i) =>
      Object.entries(meanSquares).map(([name, size]) => {
        const expected = other.history[i]!.meanSquares[name]!
        return size === expected ? 0 : Math.abs(size - expected) / Math.max(expected, 1e-20)
      }),
    ),
  )
}

function processorTime(work: () => unknown): number {
  const before = process.cpuUsage()
  work()
  const { user, system } = process.cpuUsage(before)
  return (user + system) / 1000
}
