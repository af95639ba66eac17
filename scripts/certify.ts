/** Fills every file of `proofs/theorems` anew from its statement, and writes its SMT-LIB text. */
import { mkdir } from "node:fs/promises"
import { smtText } from "../src/prove/smt.js"
import { proven, readStatement, smtFile, theoremNames, writeTheorem } from "../src/prove/theorem.js"
import { writeFileAtomic } from "../src/writeFileAtomic.js"

await mkdir(new URL(".", smtFile("any")), { recursive: true })
for (const name of theoremNames()) {
  const theorem = proven(readStatement(name))
  await writeTheorem(theorem)
  await writeFileAtomic(smtFile(name).pathname, smtText(theorem))
}
