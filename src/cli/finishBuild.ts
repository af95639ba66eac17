/** Last step of the build: the JSON Schemas of the command line's output and of a sweep's configuration, and the command made executable. */
import { chmod, mkdir, writeFile } from "node:fs/promises"
import { z } from "zod"
import { TheoremFile } from "../prove/theorem.js"
import { ClaimsJson } from "../report/claims.js"
import { DerivationJson } from "../report/derivation.js"
import { FitJson } from "../report/fit.js"
import { SectionJson } from "../report/sectionJson.js"
import { TransferJson } from "../report/transfer.js"
import { SweepConfig } from "../sweep/config.js"

const folder = new URL("../../schema/", import.meta.url)
await mkdir(folder, { recursive: true })
const write = (name: string, schema: z.ZodType, io: "input" | "output") =>
  writeFile(new URL(`${name}-1.json`, folder), `${JSON.stringify(z.toJSONSchema(schema, { io }), null, 2)}\n`)
for (const [name, schema] of Object.entries({
  derive: DerivationJson,
  verify: ClaimsJson,
  fit: FitJson,
  transfer: TransferJson,
  theorem: TheoremFile,
  section: SectionJson,
}))
  await write(name, schema, "output")
await write("sweep", SweepConfig, "input")
await chmod(new URL("main.js", import.meta.url), 0o755)
