import { intervalCoverage } from "./coverage/intervalCoverage.js"
import { nearCrossovers } from "./coverage/nearCrossovers.js"
import type { Experiment } from "./experiment.js"
import { finitePrecision } from "./finitePrecision/finitePrecision.js"
import { layers } from "./layers/layers.js"
import { rankScaling } from "./rankScaling/rankScaling.js"
import { ratePlane } from "./ratePlane/ratePlane.js"
import { keptFamily, realFamily } from "./realFamily/realFamily.js"
import { realModel } from "./realModel/realModel.js"
import { DECODER, ENCODER, keptTables } from "./realModel/subjects.js"
import { type RealTableSource, realTable } from "./realTable/realTable.js"
import { teacherStudent } from "./teacherStudent/teacherStudentSection.js"
import { whichWins } from "./teacherStudent/whichWins.js"
import { asymptotics } from "./theory/asymptotics.js"
import { catalogueExponents } from "./theory/catalogueExponents.js"
import { derived } from "./theory/derived.js"
import { theorySetting } from "./theory/theorySection.js"
import { throughTraining } from "./theory/throughTraining.js"
import { transformer } from "./transformer/transformer.js"

/** Where the tables of fine-tunings of real models are. */
export interface RealFolders {
  readonly family?: string | undefined
  readonly encoder?: string | undefined
  readonly decoder?: string | undefined
}

/**
 * The report's sections, in reading order.
 *
 * @param table a user's table of runs; without one the report says how to give it.
 * @param real folders that sweeps of examples/real wrote; by default the kept ones.
 */
export function experiments(table?: RealTableSource, real: RealFolders = {}): readonly Experiment[] {
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
    realFamily(real.family ?? keptFamily()),
    realModel(ENCODER, real.encoder ?? keptTables(ENCODER)),
    realModel(DECODER, real.decoder ?? keptTables(DECODER)),
    realTable(table ?? null),
    nearCrossovers,
    intervalCoverage,
  ]
}
