/** The kinds of tasks that a configuration can name; each has a file of its own in tasks/. */
import { isAbsolute, join } from "node:path"
import { checked } from "../../checked.js"
import { InputError } from "../../inputError.js"
import { unknownName } from "../../nearest.js"
import type { TaskReader, TuningTask } from "./task.js"
import { glueTask } from "./tasks/glue.js"
import { gsm8kTask } from "./tasks/gsm8k.js"
import { instructionTask } from "./tasks/instruction.js"
import { textTask } from "./tasks/text.js"
import { wikitextTask } from "./tasks/wikitext.js"

const READERS: Readonly<Record<string, TaskReader<never>>> = {
  text: textTask as TaskReader<never>,
  glue: glueTask as TaskReader<never>,
  wikitext: wikitextTask as TaskReader<never>,
  gsm8k: gsm8kTask as TaskReader<never>,
  instruction: instructionTask as TaskReader<never>,
}

/** The task that a configuration's field names. @throws InputError naming the field of what cannot be read. */
export async function readTask(given: unknown, folder: string): Promise<TuningTask> {
  const { kind } = (given ?? {}) as { readonly kind?: unknown }
  if (typeof kind !== "string")
    throw new InputError({
      field: "task.kind",
      given: kind ?? "nothing",
      allowed: Object.keys(READERS).join(", "),
      example: "text",
    })
  const reader = READERS[kind]
  if (reader === undefined) throw unknownName("task.kind", kind, Object.keys(READERS))
  return reader.read(checked(reader.fields, given, "task", "task.") as never, (path) =>
    isAbsolute(path) ? path : join(folder, path),
  )
}
