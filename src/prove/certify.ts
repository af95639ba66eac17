/** Fills every file of `proofs/theorems` anew from its statement. */
import { proven, readStatement, theoremNames, writeTheorem } from "./theorem.js"

for (const name of theoremNames()) await writeTheorem(proven(readStatement(name)))
