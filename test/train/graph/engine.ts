import { type Engine, GraphFailure, INSTALL_ENGINE, openEngine } from "../../../src/train/graph/engine.js"

/**
 * The graph engine of the optional package, or null where it is missing, with a word.
 *
 * Where REQUIRE_GRAPH is set, as in CI, a missing engine fails the tests instead of skipping them.
 */
export async function engineForTests(): Promise<Engine | null> {
  try {
    return await openEngine()
  } catch (error) {
    if (!(error instanceof GraphFailure) || process.env.REQUIRE_GRAPH) throw error
    process.stderr.write(`tests with graphs are skipped: ${INSTALL_ENGINE}\n`)
    return null
  }
}
