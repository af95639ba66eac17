import { CASES, coverageTable, intervalCoverages, judgeCoverage, shareError } from "../../verify/intervalCoverage.js"
import { environment } from "../report/environment.js"
import { integer, interruption, outputOptions, print, progress } from "./terminal.js"
import type { VerifyOptions } from "./verifyOptions.js"

/** How often the project's 95 % intervals contain a known exponent; 1 if one does so too rarely or too often. */
export async function intervalCoverageCommand(options: VerifyOptions): Promise<number> {
  const output = outputOptions(options)
  const repetitions = options.repetitions === undefined ? 1000 : integer("--repetitions", options.repetitions, 20)
  const bar = progress("repeating", CASES.length)
  try {
    const coverages = await intervalCoverages(repetitions, { signal: interruption.signal, onFinished: bar.tick })
    bar.stop()
    const cases = coverages.map((coverage) => ({ ...coverage, verdict: judgeCoverage(coverage) }))
    const heading = `95 % intervals, ${repetitions} repetitions: a share has a standard error of ${(100 * shareError(repetitions)).toFixed(1)} %`
    const json = { schema: "lora-scaling/interval-coverage/1", environment: environment(), cases }
    print(output, json, [[heading, coverageTable(coverages)]])
    return cases.some(({ verdict }) => verdict === "contradicts") ? 1 : 0
  } finally {
    bar.stop()
  }
}
