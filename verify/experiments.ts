import { intervalCoverage } from "./coverage/intervalCoverage.js"
import { nearCrossovers } from "./coverage/nearCrossovers.js"
import type { Experiment } from "./experiment.js"
import { finitePrecision } from "./finitePrecision/finitePrecision.js"
import { layers } from "./layers/layers.js"
import { rankScaling } from "./rankScaling/rankScaling.js"
import { ratePlane } from "./ratePlane/ratePlane.js"
import { keptFamily, realFamily } from "./realFamily/realFamily.js"
import { type RealTableSource, realTable } from "./realTable/realTable.js"
import { teacherStudent } from "./teacherStudent/teacherStudentSection.js"
import { whichWins } from "./teacherStudent/whichWins.js"
import { asymptotics } from "./theory/asymptotics.js"
import { catalogueExponents } from "./theory/catalogueExponents.js"
import { derived } from "./theory/derived.js"
import { theorySetting } from "./theory/theorySection.js"
import { throughTraining } from "./theory/throughTraining.js"
import { transformer } from "./transformer/transformer.js"

/**
 * The report's sections, in reading order.
 *
 * @param table a user's table of runs; without one the report says how to give it.
 * @param family a folder that a sweep of examples/real/family.yaml wrote; by default the kept one.
 */
export function experiments(table?: RealTableSource, family?: string): readonly Experiment[] {
  return [
    derived,
    teacherStudent,
    whichWins,
    theorySetting,
    catalogueExponents,
    asymptotics,
    throughTraining,
    ratePlane,
    rankScaling,
    layers,
    transformer,
    finitePrecision,
    realFamily(family ?? keptFamily()),
    realTable(table ?? null),
    nearCrossovers,
    intervalCoverage,
  ]
}
