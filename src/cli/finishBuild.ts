/** Last step of the build: the JSON Schemas of the command line's output, and the command made executable. */
import { chmod, mkdir, writeFile } from "node:fs/promises"
import { z } from "zod"
import { TheoremFile } from "../prove/theorem.js"
import { ClaimsJson } from "../report/claims.js"
import { DerivationJson } from "../report/derivation.js"

const folder = new URL("../../schema/", import.meta.url)
await mkdir(folder, { recursive: true })
for (const [name, schema] of Object.entries({ derive: DerivationJson, verify: ClaimsJson, theorem: TheoremFile }))
  await writeFile(new URL(`${name}-1.json`, folder), `${JSON.stringify(z.toJSONSchema(schema), null, 2)}\n`)
await chmod(new URL("main.js", import.meta.url), 0o755)
