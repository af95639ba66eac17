import { catalogueExponents } from "./catalogueExponents.js"
import { nearCrossovers } from "./coverageSection.js"
import { derived } from "./derived.js"
import type { Experiment } from "./experiment.js"
import { finitePrecision } from "./finitePrecision.js"
import { intervalCoverage } from "./intervalCoverage.js"
import { layers } from "./layers.js"
import { asymptotics } from "./onset.js"
import { rankScaling } from "./rankScaling.js"
import { ratePlane } from "./ratePlane.js"
import { realTable } from "./realTable.js"
import { teacherStudent } from "./teacherStudentSection.js"
import { theorySetting } from "./theorySection.js"
import { throughTraining } from "./throughTraining.js"
import { whichWins } from "./whichWins.js"

/**
 * The report's sections, in reading order.
 *
 * @param table a user's table of runs; without one the report says how to give it.
 */
export function experiments(table?: string): readonly Experiment[] {
  return [
    derived,
    theorySetting,
    catalogueExponents,
    asymptotics,
    throughTraining,
    teacherStudent,
    whichWins,
    ratePlane,
    rankScaling,
    layers,
    finitePrecision,
    realTable(table ?? null),
    nearCrossovers,
    intervalCoverage,
  ]
}
