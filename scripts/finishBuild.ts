/**
 * Last step of the build: the JSON Schemas of the command line's output and of a sweep's configuration and a scheme's
 * file, the explorer's page, style and kernel, and the command made executable.
 */
import { chmod, copyFile, mkdir, writeFile } from "node:fs/promises"
import { z } from "zod"
import { inputSchema } from "../src/checked.js"
import { TheoremFile } from "../src/prove/theorem.js"
import { ClaimsJson } from "../src/report/claims.js"
import { DerivationJson } from "../src/report/derivationSchema.js"
import { FitJson } from "../src/report/fit.js"
import { InspectionJson } from "../src/report/inspection.js"
import { SectionJson } from "../src/report/sectionJson.js"
import { TransferJson } from "../src/report/transfer.js"
import { SchemeSchema } from "../src/scheme/definitionSchema.js"
import { SweepConfig } from "../src/sweep/config.js"

const folder = new URL("../dist/schema/", import.meta.url)
await mkdir(folder, { recursive: true })
const write = (name: string, schema: z.core.JSONSchema.BaseSchema) =>
  writeFile(new URL(`${name}-1.json`, folder), `${JSON.stringify(schema, null, 2)}\n`)
for (const [name, schema] of Object.entries({
  derive: DerivationJson,
  verify: ClaimsJson,
  fit: FitJson,
  transfer: TransferJson,
  theorem: TheoremFile,
  section: SectionJson,
  inspect: InspectionJson,
}))
  await write(name, z.toJSONSchema(schema, { io: "output" }))
await write("sweep", inputSchema(SweepConfig))
await write("scheme", inputSchema(SchemeSchema))
for (const name of ["index.html", "style.css"])
  await copyFile(new URL(`../web/${name}`, import.meta.url), new URL(`../dist/web/${name}`, import.meta.url))
for (const name of ["plain.wasm", "relaxed.wasm"])
  await copyFile(new URL(`../dist/kernel/${name}`, import.meta.url), new URL(`../dist/web/${name}`, import.meta.url))
await chmod(new URL("../dist/command/main.js", import.meta.url), 0o755)
